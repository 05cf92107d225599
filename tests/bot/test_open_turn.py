"""A message that waits: the newest text counts, a deleted one is gone."""

import asyncio

import pytest

from bot.open_turn import OpenTurn
from core.messages import IncomingMessage, Reply, Turn
from tests.bot.conftest import say


class Finder:
    """Finds a reply to a text once its event is set; `begun` has each search, `cancelled` those that were given up."""

    def __init__(self, *known: str) -> None:
        self.begun: asyncio.Queue[str] = asyncio.Queue()
        self.cancelled: list[str] = []
        self.known = {text: asyncio.Event() for text in known}
        self.error: Exception | None = None

    async def __call__(self, message: IncomingMessage) -> Turn:
        self.begun.put_nowait(message.text)
        try:
            await self.known[message.text].wait()
        except asyncio.CancelledError:
            self.cancelled.append(message.text)
            raise
        if self.error is not None:
            raise self.error
        return Turn(Reply(message, "응"))


async def settled(open_turn: OpenTurn, find: Finder) -> Turn | None:
    return await open_turn.settle(find)


async def test_what_is_found_is_the_turn() -> None:
    find = Finder("하나")
    find.known["하나"].set()
    turn = await OpenTurn(say("하나")).settle(find)
    assert turn == Turn(Reply(say("하나"), "응"))
    assert find.cancelled == []


async def test_a_change_voids_what_is_being_found_and_begins_anew() -> None:
    open_turn, find = OpenTurn(say("하나")), Finder("하나", "둘", "셋")
    settling = asyncio.create_task(settled(open_turn, find))
    for text in ("둘", "셋"):
        await find.begun.get()
        open_turn.change(text)
    assert await find.begun.get() == "셋"
    find.known["셋"].set()
    turn = await settling
    assert turn is not None
    assert turn.message == say("셋")
    assert find.cancelled == ["하나", "둘"]


async def test_a_change_voids_what_was_found_a_moment_ago_too() -> None:
    open_turn, find = OpenTurn(say("하나")), Finder("하나", "둘")
    settling = asyncio.create_task(settled(open_turn, find))
    await find.begun.get()
    finding = open_turn._finding
    assert finding is not None
    # before whoever settles hears of it
    finding.add_done_callback(lambda _: open_turn.change("둘"))
    for event in find.known.values():
        event.set()
    turn = await settling
    assert turn is not None
    assert turn.message == say("둘")
    assert find.cancelled == []


async def test_a_change_before_anybody_looks_costs_one_search() -> None:
    open_turn, find = OpenTurn(say("하나")), Finder("둘")
    open_turn.change("둘")
    find.known["둘"].set()
    turn = await open_turn.settle(find)
    assert turn is not None
    assert turn.message == say("둘")
    assert find.begun.qsize() == 1


async def test_a_dropped_message_has_no_turn() -> None:
    open_turn, find = OpenTurn(say("하나")), Finder("하나")
    settling = asyncio.create_task(settled(open_turn, find))
    await find.begun.get()
    open_turn.drop()
    assert await settling is None
    assert find.cancelled == ["하나"]


async def test_a_message_dropped_before_anybody_looks_is_never_looked_for() -> None:
    open_turn, find = OpenTurn(say("하나")), Finder("하나")
    open_turn.drop()
    assert await open_turn.settle(find) is None
    assert find.begun.empty()


async def test_whoever_is_cancelled_from_outside_leaves_no_search_behind() -> None:
    open_turn, find = OpenTurn(say("하나")), Finder("하나")
    settling = asyncio.create_task(settled(open_turn, find))
    await find.begun.get()
    settling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await settling
    assert open_turn._finding is not None
    await asyncio.wait([open_turn._finding])
    assert find.cancelled == ["하나"]


async def test_an_error_comes_out() -> None:
    open_turn, find = OpenTurn(say("하나")), Finder("하나")
    find.error = RuntimeError("a bug")
    find.known["하나"].set()
    with pytest.raises(RuntimeError, match="a bug"):
        await open_turn.settle(find)
