"""The SQLite record keeps the contracts, over a restart too."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.case_store import CaseStore, Shown
from core.cases import Case
from core.moderation import Refused
from core.people import PlaceSettings
from core.ports import ButtonStore, MemoryStore, Notes, PeopleStore, PlaceStore, TurnStore
from storage.record import Record
from tests.storage.case_samples import judge, offend
from tests.storage.cases_contract import (
    CaseStoreContract,
    KeptForAWhileContract,
    ListsOfCasesContract,
    ReviewQueueContract,
)
from tests.storage.memories_contract import MemoryStoreContract
from tests.storage.past_contract import PastContract
from tests.storage.people_contract import (
    GUILD,
    ButtonStoreContract,
    NotesContract,
    PeopleStoreContract,
    PlaceStoreContract,
)
from tests.storage.rights_contract import FencesContract, NothingLearnedAnyMoreContract, WaitingContract
from tests.storage.samples import (
    JUN,
    MINA,
    NOON,
    bare,
    begin,
    first_value,
    issued_to,
    item,
    last_summary,
    learn,
    message,
    sanction,
    texts,
    told,
    turn,
)
from tests.storage.turns_contract import TurnStoreContract

pytestmark = pytest.mark.asyncio

KILLED_AFTER_COMMIT = """
import asyncio, os, signal, sys
from storage.record import Record
from tests.storage.samples import message, sanction, turn

async def main():
    record = await Record.open(sys.argv[1])
    await record.turns.receive(message(1))
    await record.turns.commit(turn(message(1), sanction()))
    await record.turns.receive(message(2))
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


class TestTurnsInSqlite(TurnStoreContract):
    pass


class TestMemoriesInSqlite(MemoryStoreContract):
    pass


class TestCasesInSqlite(CaseStoreContract, ListsOfCasesContract, KeptForAWhileContract, ReviewQueueContract):
    pass


class TestPeopleInSqlite(PeopleStoreContract):
    pass


class TestPlacesInSqlite(PlaceStoreContract):
    pass


class TestButtonsInSqlite(ButtonStoreContract):
    pass


class TestNotesInSqlite(NotesContract):
    pass


class TestRightsInSqlite(FencesContract, WaitingContract, NothingLearnedAnyMoreContract):
    pass


class TestPastInSqlite(PastContract):
    pass


async def test_its_parts_satisfy_the_ports(record: Record) -> None:
    turns: TurnStore = record.turns
    memories: MemoryStore = record.memories
    cases: CaseStore = record.cases
    people: PeopleStore = record.people
    places: PlaceStore = record.places
    buttons: ButtonStore = record.buttons
    notes: Notes = record.notes
    assert all((turns, memories, cases, people, places, buttons, notes))


async def test_everything_is_there_after_a_restart(url: str, path: Path) -> None:
    async with await Record.open(url) as record:
        await record.turns.receive(message(1))
        await learn(record, 2, item())
        waiting = await begin(record, 3)
        await record.turns.receive(message(4))
        await record.turns.commit(turn(message(4), sanction()))
        await record.turns.begin(waiting, NOON)
        await record.people.pause(JUN, True)
        await record.places.change(GUILD, PlaceSettings(name_call=False))
        (button,) = await record.buttons.make(MINA, [("memory", "export")], NOON)
        await record.notes.write("commands", "1")
        (case,) = await record.cases.of(MINA)
        decided = await judge(record, case.number)
        await record.cases.show(case.number, Shown(0, "mods", "m1"))
    async with await Record.open(url) as record:
        assert await record.turns.unanswered() == [message(1)]
        assert [left.begun for left in await record.turns.undelivered()] == [None, NOON, None]
        assert (await record.people.of(JUN)).paused
        assert await record.places.of(GUILD) == PlaceSettings(name_call=False)
        assert await record.buttons.pressed(MINA, button) == ("memory", "export")
        assert await record.notes.read("commands") == "1"
        assert (await record.turns.unremembered())[0] == (waiting, turn(message(3)))
        assert await texts(record, MINA) == ["[좋아하는 가수: 에스파]"]
        assert await last_summary(record) is not None
        assert await record.cases.of(MINA) == [bare(decided)]
        assert await record.cases.get(decided.number) == decided
        assert await record.cases.shown(decided.number) == [Shown(0, "mods", "m1")]
    assert first_value(path, "PRAGMA integrity_check") == "ok"


async def test_what_was_written_survives_a_kill(url: str, path: Path) -> None:
    killed = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", KILLED_AFTER_COMMIT, url], check=False)
    assert killed.returncode == -signal.SIGKILL
    async with await Record.open(url) as record:
        assert await record.turns.unanswered() == [message(2)]
        assert [left for _, left in await record.turns.unremembered()] == [told(turn(message(1), sanction()), 1)]
        assert await issued_to(MINA, record) == [sanction()]
    assert first_value(path, "PRAGMA integrity_check") == "ok"


async def test_two_processes_may_share_a_record(record: Record, url: str) -> None:
    # SQLite hands its lock to nobody in turn: on a busy machine one side may wait long
    async with await Record.open(url, lock_wait=60) as first, await Record.open(url, lock_wait=60) as other:
        either = (first, other)
        await asyncio.gather(*(learn(either[number % 2], number, item(value=str(number))) for number in range(40)))
        assert len(await record.memories.items(MINA)) == len(await other.memories.items(MINA)) == 40


async def test_moderators_of_two_processes_make_one_decision_together(record: Record, url: str) -> None:
    cases = [(await offend(record, number))[0].number for number in range(5)]
    async with await Record.open(url, lock_wait=60) as first, await Record.open(url, lock_wait=60) as other:
        pressed = await asyncio.gather(
            *(judge(either, number) for either in (first, other) for number in cases for _ in range(3)),
            return_exceptions=True,
        )
    assert sorted(case.number for case in pressed if isinstance(case, Case)) == cases
    assert sum(isinstance(refused, Refused) for refused in pressed) == 25


async def test_a_cancelled_caller_tears_nothing(record: Record) -> None:
    for moments in range(12):
        asked = message(moments)
        writing = asyncio.create_task(record.turns.receive(asked))
        for _ in range(moments):
            await asyncio.sleep(0)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        await record.turns.receive(asked)
        await record.turns.commit(turn(asked, sanction()))
    assert await record.turns.unanswered() == []
    assert len(await record.cases.of(MINA)) == 12


async def test_closing_finishes_what_is_under_way(url: str) -> None:
    record = await Record.open(url)
    writing = [asyncio.create_task(record.turns.receive(message(number))) for number in range(20)]
    await asyncio.sleep(0)
    await record.close()
    assert all(await asyncio.gather(*writing))
    async with await Record.open(url) as record:
        assert len(await record.turns.unanswered()) == 20
