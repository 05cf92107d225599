"""Start and stop: who is let in first, and what is finished before the end."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from bot import service as service_module
from bot.adapters.base import Host
from bot.app import App
from core.errors import ConfigurationError
from core.messages import IncomingMessage, PersonKey
from core.tasks import OUTPUT_MESSAGE
from storage.record import Record
from tests.bot.conftest import HOME, JUN, MINA, PaperAdapter, PuppetModel, fates, nothing_is_left, say

ANSWER = OUTPUT_MESSAGE.name
Restart = Callable[..., Awaitable[None]]


async def test_a_platform_is_open_before_anything_is_taken_up_and_closed_behind_it(
    committed: Callable[..., Awaitable[int]], restart: Restart, paper: PaperAdapter
) -> None:
    await committed(say("안녕"))
    await restart(paper)
    assert sorted(paper.events) == ["close", "open", "post m1", "run"]
    assert (paper.events[0], paper.events[-1]) == ("open", "close")


async def test_a_platform_that_does_not_let_us_in_stops_the_start_and_closes_all(
    committed: Callable[..., Awaitable[int]], record: Record, restart: Restart, paper: PaperAdapter
) -> None:
    await committed(say("안녕"))
    stone = PaperAdapter(platform="stone")
    stone.open_fault = ConfigurationError("the token is wrong")
    with pytest.raises(ConfigurationError, match="the token is wrong"):
        await restart(paper, stone)
    assert (paper.events, stone.events) == (["open", "close"], ["open", "close"])
    assert await fates(record) == ["waiting"]


async def test_a_platform_that_fails_later_stops_the_service_with_its_own_error(
    restart: Restart, paper: PaperAdapter
) -> None:
    stone, failed = PaperAdapter(platform="stone"), asyncio.Event()

    async def fail(host: Host) -> None:
        failed.set()
        raise ConfigurationError("another instance is polling")

    async def go_on(host: Host) -> None:
        await failed.wait()
        await asyncio.Event().wait()

    stone.heard, paper.heard = fail, go_on
    with pytest.raises(ConfigurationError, match="another instance is polling"):
        await restart(paper, stone)
    assert (paper.events[-1], stone.events[-1]) == ("close", "close")


async def test_stopping_finishes_the_turns_that_are_under_way(
    app: App, record: Record, paper: PaperAdapter, language: PuppetModel
) -> None:
    language.gated = {ANSWER}

    async def hear(host: Host) -> None:
        for number, person in ((1, MINA), (2, MINA), (3, JUN)):
            await host.messages.receive(say("안녕", number, person))
        await asyncio.Event().wait()

    paper.heard = hear
    running = asyncio.create_task(app.run())
    for _ in range(2):  # Mina's first, and Jun's
        await language.arrived.get()
    running.cancel()
    language.gate.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert sorted(paper.answered) == ["m1", "m2", "m3"]
    assert paper.events[-1] == "close"
    assert await nothing_is_left(record)


async def test_a_turn_that_takes_too_long_for_that_is_taken_up_at_the_next_start(
    app: App, record: Record, restart: Restart, paper: PaperAdapter, language: PuppetModel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    language.gated = {ANSWER}

    async def hear(host: Host) -> None:
        await host.messages.receive(say("안녕"))
        await language.arrived.get()

    paper.heard = hear
    with monkeypatch.context() as impatient:
        impatient.setattr(service_module, "DRAIN_S", 0.0)
        await app.run()
    assert (paper.replies, paper.events[-1]) == ([], "close")
    assert await record.turns.unanswered() == [say("안녕")]
    language.gated, paper.heard = set(), None
    await restart(paper)
    assert paper.answered == ["m1"]


async def test_two_platforms_are_served_side_by_side(restart: Restart, paper: PaperAdapter, record: Record) -> None:
    stone = PaperAdapter(platform="stone")
    namesake = PersonKey("stone", MINA.user_id)
    on_stone = replace(say("안녕"), person=namesake, chat=replace(HOME, platform="stone"))

    def hears(message: IncomingMessage) -> Callable[[Host], Awaitable[None]]:
        async def hear(host: Host) -> None:
            await (await host.messages.receive(message))

        return hear

    paper.heard, stone.heard = hears(say("안녕")), hears(on_stone)
    await restart(paper, stone)
    assert ([reply.to for reply in paper.replies], [reply.to for reply in stone.replies]) == (
        [say("안녕")], [on_stone],
    )  # fmt: skip
    assert (paper.notices, stone.notices) == ([], ["introduction"])
