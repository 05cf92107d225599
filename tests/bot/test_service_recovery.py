"""What the last run left is taken up, in order."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from bot.adapters.base import Host
from bot.app import App
from core.errors import DeliveryError, DeliveryRefused, GenerationFailed
from core.ports import Delivery, Prompt
from core.tasks import MEMORY, OUTPUT_MESSAGE, SUMMARY
from models.fakes import FakeClock, plain_rule
from storage.record import Record
from tests.bot.conftest import HOME, JUN, MINA, PaperAdapter, PuppetModel, fates, handle, nothing_is_left, say

ANSWER = OUTPUT_MESSAGE.name
Restart = Callable[..., Awaitable[None]]
NEVER, WINDOW, MOMENT = timedelta(0), timedelta(minutes=2), timedelta(microseconds=1)


class TestRepliesThatWereNotMarked:
    @pytest.mark.parametrize(
        ("recognises_for", "began_ago", "fate"),
        [
            (NEVER, None, "delivered"),
            (WINDOW, None, "delivered"),
            (WINDOW, timedelta(0), "delivered"),
            (WINDOW, WINDOW - MOMENT, "delivered"),
            (WINDOW, WINDOW, "unknown"),
            (WINDOW, timedelta(days=3), "unknown"),
            (NEVER, timedelta(0), "unknown"),
            (NEVER, MOMENT, "unknown"),
        ],
    )
    async def test_they_are_sent_unless_that_might_show_them_twice(
        self, committed: Callable[..., Awaitable[int]], record: Record, restart: Restart, clock: FakeClock,
        caplog: pytest.LogCaptureFixture, recognises_for: timedelta, began_ago: timedelta | None, fate: str,
    ) -> None:  # fmt: skip
        turn_id = await committed(say("안녕"))
        if began_ago is not None:
            await record.turns.begin(turn_id, clock.now())
            clock.move(began_ago)
        paper = PaperAdapter(recognises_for)
        await restart(paper)
        assert await fates(record) == [fate]
        assert paper.answered == (["m1"] if fate == "delivered" else [])
        assert ("its reply arrived; it is not sent again" in caplog.text) == (fate == "unknown")
        assert await nothing_is_left(record)

    async def test_one_that_never_began_is_sent_however_late(
        self, committed: Callable[..., Awaitable[int]], record: Record, restart: Restart, clock: FakeClock,
        paper: PaperAdapter,
    ) -> None:  # fmt: skip
        await committed(say("안녕"))
        clock.move(timedelta(days=30))
        await restart(paper)
        assert paper.answered == ["m1"]

    async def test_one_that_is_refused_is_given_up(
        self, committed: Callable[..., Awaitable[int]], record: Record, restart: Restart, paper: PaperAdapter
    ) -> None:
        await committed(say("안녕"))
        paper.fault = DeliveryRefused("the chat is gone")
        await restart(paper)
        assert await fates(record) == ["refused"]
        assert await nothing_is_left(record)

    async def test_one_that_fails_again_is_not_sent_a_third_time_where_nobody_recognises_it(
        self, committed: Callable[..., Awaitable[int]], record: Record, restart: Restart, paper: PaperAdapter
    ) -> None:
        await committed(say("안녕"))
        paper.fault = DeliveryError("the paper is torn")
        await restart(paper)
        assert await fates(record) == ["waiting"]
        paper.fault = None
        await restart(paper)
        assert (await fates(record), paper.replies) == (["unknown"], [])

    async def test_one_that_certainly_showed_nothing_is_sent_at_the_next_start(
        self, committed: Callable[..., Awaitable[int]], record: Record, restart: Restart, paper: PaperAdapter
    ) -> None:
        await committed(say("안녕"))
        paper.fault, paper.certain = DeliveryError("no connection"), True
        await restart(paper)
        paper.fault = None
        await restart(paper)
        assert (await fates(record), paper.answered) == (["delivered"], ["m1"])

    async def test_one_of_a_platform_that_does_not_run_now_waits_for_it(
        self, committed: Callable[..., Awaitable[int]], record: Record, restart: Restart, paper: PaperAdapter
    ) -> None:
        await committed(say("안녕"))
        await record.turns.receive(say("또 안녕", 2))
        await restart(PaperAdapter(platform="stone"))
        assert await fates(record) == ["waiting"]
        assert len(await record.turns.unanswered()) == 1
        await restart(paper)
        assert paper.answered == ["m1", "m2"]
        assert await nothing_is_left(record)


async def test_what_was_left_comes_before_what_is_new_for_each_person(
    committed: Callable[..., Awaitable[int]], record: Record, restart: Restart, paper: PaperAdapter
) -> None:
    await committed(say("하나", 1))
    for number in (2, 3):
        await record.turns.receive(say(str(number), number))

    async def hear(host: Host) -> None:
        await asyncio.gather(*[await host.messages.receive(say(str(number), number)) for number in (3, 4, 5)])

    paper.heard = hear
    await restart(paper)
    assert paper.answered == ["m1", "m2", "m3", "m4", "m5"]
    assert await nothing_is_left(record)


async def test_bookkeeping_is_taken_up_in_the_order_of_the_turns(
    committed: Callable[..., Awaitable[int]], record: Record, restart: Restart, paper: PaperAdapter,
    language: PuppetModel,
) -> None:  # fmt: skip
    """The first reply arrived, the second did not: each leaves a summary, and the last one counts."""

    def rule(prompt: Prompt) -> str:
        return f"{prompt.text[:2]} 요약 {prompt.stop}" if prompt.task == SUMMARY.name else plain_rule(prompt)

    language.rule = rule
    await record.turns.end(await committed(say("하나", 1)), Delivery.DELIVERED)
    await committed(say("둘둘", 2))
    await restart(paper)
    last = (await record.turns.past(MINA, HOME)).summary
    assert last is not None
    assert last.text == "둘둘 요약"
    assert await nothing_is_left(record)


async def test_failed_bookkeeping_is_done_at_the_next_start(
    app: App, record: Record, restart: Restart, paper: PaperAdapter, language: PuppetModel
) -> None:
    language.error, language.failing = GenerationFailed("gone"), {MEMORY.name}
    await handle(app.service, say("나 에스파 좋아해"))
    await restart(paper)
    assert len(await record.turns.unremembered()) == 1
    language.failing = set()
    await restart(paper)
    assert await nothing_is_left(record)
    assert paper.answered == ["m1"]


async def test_one_message_that_fails_again_does_not_stop_the_start(
    record: Record, restart: Restart, paper: PaperAdapter, language: PuppetModel
) -> None:
    for number, person in ((1, MINA), (2, JUN)):
        await record.turns.receive(say("안녕", number, person))
    language.error, language.failing = GenerationFailed("gone"), {ANSWER}
    await restart(paper)
    assert paper.notices == ["fault", "fault"]
    assert paper.events[0] == "open"
    assert "run" in paper.events
    assert await nothing_is_left(record)


async def test_a_message_that_waits_since_before_the_start_may_still_change_or_vanish(
    record: Record, restart: Restart, paper: PaperAdapter, language: PuppetModel
) -> None:
    for number in (1, 2):
        await record.turns.receive(say("안녕", number))
    language.gated = {ANSWER}

    async def change_their_minds(host: Host) -> None:
        await language.arrived.get()
        await host.messages.amend(HOME, "m1", "잘 가")
        await host.messages.withdraw(HOME, "m2")
        language.gate.set()

    paper.heard = change_their_minds
    await restart(paper)
    assert [reply.to.text for reply in paper.replies] == ["잘 가"]
    assert [message.message_id for message in paper.cleared] == ["m2"]
    assert await nothing_is_left(record)
