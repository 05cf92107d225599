"""A turn finds the record as it is, whatever its process knew before; `record` is empty, at `url`."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import pytest

from core.cases import Event, Kind, standing
from core.memory import MemoryItem
from core.messages import PlaceKey
from core.people import PlaceSettings
from core.ports import Past
from core.sanctions import Sanction
from storage.hot import MakeHotState
from storage.record import Record
from tests.storage.case_samples import DAY, LOUNGE, judge, offend
from tests.storage.samples import MINA, NOON, begin, exactly, item, learn, message, sanction, summary, turn

AFTER = NOON + timedelta(minutes=1)


async def warn(record: Record) -> None:
    await record.turns.receive(message(90, chat=LOUNGE))
    await record.turns.commit(turn(message(90, chat=LOUNGE), sanction("hate", DAY)))


async def warn_by_hand(record: Record) -> None:
    by = Event(Kind.ISSUED, NOON, MINA)
    await record.cases.open(MINA, LOUNGE, Sanction("love", 1, NOON, DAY), by, everywhere=True, language="ko")


async def overturn(record: Record) -> None:
    await judge(record, (await record.cases.of(MINA))[0].number, Kind.OVERTURNED)


async def forget_one(record: Record) -> None:
    await record.memories.forget(MINA, (await record.memories.items(MINA))[0].item_id)


async def forget_all(record: Record) -> None:
    await record.memories.forget(MINA)


async def learn_more(record: Record) -> None:
    await learn(record, 91, item(value="새것"), chat=LOUNGE)


async def summarise_nothing(record: Record) -> None:
    await record.turns.remember(await begin(record, 92, chat=LOUNGE), exactly(), None)


async def move(record: Record) -> None:
    await record.places.move(LOUNGE.place, PlaceKey("console", "elsewhere"))


async def pause(record: Record) -> None:
    await record.people.pause(MINA, True)


async def change_settings(record: Record) -> None:
    await record.places.change(LOUNGE.place, PlaceSettings(name_call=False))


async def erase(record: Record) -> None:
    await record.erase(MINA)


async def erase_and_meet_again(record: Record) -> None:
    await record.erase(MINA)
    await learn(record, 93, item(value="다시"), chat=LOUNGE)


CHANGES: Sequence[Callable[[Record], Awaitable[None]]] = (
    warn, warn_by_hand, overturn, forget_one, forget_all, learn_more, summarise_nothing, move, pause, change_settings,
    erase, erase_and_meet_again,
)  # fmt: skip


async def past(record: Record) -> Past:
    return await record.turns.past(MINA, LOUNGE)


async def fill(record: Record) -> None:
    await offend(record, 1)
    for number in (2, 3):
        await learn(record, number, item(value=str(number), scope=LOUNGE.place.place_id), chat=LOUNGE)
    await learn(record, 4, item(key="내일 일정", value="면접", at=NOON - timedelta(hours=1)))


def seen(one: Past) -> list[object]:
    """Everything in it, comparable."""
    last = one.summary and (one.summary.text, one.summary.vector.tolist())
    return [
        one.person,
        [case.number for case in one.cases],
        standing(one.cases, AFTER),
        items(one.items),
        last,
        one.place,
    ]


def items(some: Sequence[MemoryItem]) -> list[object]:
    return [
        (known.item_id, known.text, known.scope, known.learned_at, known.vector.tolist(), known.aged_vector is None)
        for known in some
    ]


class PastContract:
    @pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
    async def test_what_another_process_changed_is_seen(
        self,
        record: Record,
        url: str,
        make_hot: MakeHotState | None,
        change: Callable[[Record], Awaitable[None]],
    ) -> None:
        await fill(record)
        before = seen(await past(record))
        async with await Record.open(url, lock_wait=60, hot=make_hot) as other:
            await past(other)
            await change(other)
            now = seen(await past(record))
            assert now != before
            assert now == seen(await past(other)) == seen(await past(record))
        async with await Record.open(url) as cold:
            assert now == seen(await past(cold))

    @pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
    async def test_what_this_process_changed_is_seen(
        self, record: Record, url: str, change: Callable[[Record], Awaitable[None]]
    ) -> None:
        await fill(record)
        before = seen(await past(record))
        await change(record)
        assert (now := seen(await past(record))) != before
        async with await Record.open(url) as cold:
            assert now == seen(await past(cold))

    async def test_what_is_known_is_not_made_again(self, record: Record) -> None:
        await fill(record)
        first, second = await past(record), await past(record)
        assert first.items is second.items
        assert first.cases is second.cases

    async def test_a_long_life_ends_where_the_record_is(self, record: Record, url: str) -> None:
        """Each turn builds on what is known of the last; what comes of it is what is written."""
        for number in range(30):
            known = (await past(record)).items
            forget = tuple(old.item_id for old in known[1 : 1 + number % 3])
            at = NOON + timedelta(hours=(number * 7) % 5)
            turn_id = await begin(record, number, chat=LOUNGE)
            left = None if number % 4 == 3 else summary(str(number))
            await record.turns.remember(turn_id, exactly(forget, item(value=str(number), at=at)), left)
            async with await Record.open(url) as cold:
                assert seen(await past(record)) == seen(await past(cold))
