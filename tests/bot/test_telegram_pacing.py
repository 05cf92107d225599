"""Telegram's rates, as whoever receives would count them."""

import asyncio

import pytest

from bot.adapters.telegram.pacing import Pace

SCALE = 50.0
SECOND, MINUTE = 1 / SCALE, 60 / SCALE
SHORTLY = 0.001  # what the loop's clock may be late when a request ends


class Counter:
    """Notes when requests were under way, in the order they left."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self.spans: list[tuple[int, float, float]] = []

    async def request(self, chat_id: int, lasts: float = 0.0) -> None:
        async with self._pace.chat(chat_id), self._pace.leaving():
            left = asyncio.get_running_loop().time()
            await asyncio.sleep(lasts)
            self.spans.append((chat_id, left, asyncio.get_running_loop().time()))

    def closest(self, apart: int) -> float:
        """The shortest time from the end of a request to the beginning of the `apart`th after it."""
        spans = sorted(self.spans, key=lambda span: span[1])
        return min(later[1] - earlier[2] for earlier, later in zip(spans, spans[apart:], strict=False))


@pytest.mark.parametrize("lasts", [0.0, 0.7 * SECOND])
async def test_a_chat_hears_one_message_a_second_however_long_they_are_on_their_way(lasts: float) -> None:
    counter = Counter(Pace(SCALE))
    await asyncio.gather(*(counter.request(7, lasts) for _ in range(8)))
    assert counter.closest(1) >= SECOND - SHORTLY


async def test_a_group_hears_twenty_a_minute() -> None:
    counter = Counter(Pace(SCALE))
    await asyncio.gather(*(counter.request(-7) for _ in range(25)))
    assert counter.closest(1) >= SECOND - SHORTLY
    assert counter.closest(20) >= MINUTE - SHORTLY


@pytest.mark.parametrize("lasts", [0.0, 0.5 * SECOND])
async def test_all_chats_together_hear_thirty_a_second(lasts: float) -> None:
    counter = Counter(Pace(SCALE))
    await asyncio.gather(*(counter.request(chat, lasts) for chat in range(1, 101)))
    assert counter.closest(30) >= SECOND - SHORTLY


async def test_a_chat_with_many_waiting_delays_nobody_else_and_keeps_its_order() -> None:
    counter = Counter(Pace(SCALE))
    order: list[int] = []

    async def numbered(number: int) -> None:
        await counter.request(7)
        order.append(number)

    busy = [asyncio.create_task(numbered(number)) for number in range(10)]
    others = [asyncio.create_task(counter.request(chat)) for chat in range(100, 120)]
    await asyncio.gather(*others)
    assert not busy[2].done()
    await asyncio.gather(*busy)
    assert order == list(range(10))


async def test_between_chats_that_all_wait_everybody_has_a_turn() -> None:
    counter = Counter(Pace(SCALE))
    waiting = [counter.request(chat) for _ in range(3) for chat in range(1, 61)]
    await asyncio.gather(*waiting)
    turns = [chat for chat, _, _ in counter.spans]
    assert all(len(set(turns[first : first + 60])) == 60 for first in (0, 60, 120))


async def test_a_chat_is_idle_unless_it_was_just_written_to_and_a_group_while_it_is_far_from_its_limit() -> None:
    pace = Pace(SCALE)
    counter = Counter(pace)
    assert pace.idle(7)
    async with pace.chat(7):
        assert not pace.idle(7)
    assert not pace.idle(7)
    await asyncio.sleep(SECOND + 0.01)
    assert pace.idle(7)
    await asyncio.gather(*(counter.request(-7) for _ in range(10)))
    await asyncio.sleep(SECOND + 0.01)
    assert not pace.idle(-7)


async def test_those_who_gave_up_keep_nobody_waiting_and_idle_chats_are_forgotten() -> None:
    pace = Pace(1000.0)
    counter = Counter(pace)
    async with pace.chat(-7):
        waiting = [asyncio.create_task(counter.request(-7)) for _ in range(30)]
        await asyncio.wait(waiting, timeout=0.01)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    await counter.request(-7)
    await asyncio.sleep(60 / 1000.0 + 0.02)
    assert pace._lanes == {}
    assert [chat for chat, _, _ in counter.spans] == [-7]
