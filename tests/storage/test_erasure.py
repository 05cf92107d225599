"""A person's export and their deletion, table by table, on both databases."""

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from sqlalchemy import JSON, Boolean, Column, Connection, Date, Integer, String, Table, event, insert, select
from sqlalchemy.types import TypeEngine

from core.cases import Event, Kind, standing
from core.errors import RecordError
from core.messages import ChatKey, PersonKey, PlaceKey
from core.people import Person, PlaceSettings
from core.sanctions import Sanction
from storage.columns import AnyText, Period, UtcTime, Vector
from storage.erasure import _erase
from storage.export import LEFT_OUT, everything
from storage.record import Record
from storage.schema import metadata
from tests.storage.conftest import LOCK_WAIT
from tests.storage.samples import (
    HOME,
    JUN,
    MINA,
    NOON,
    SERVER,
    begin,
    exactly,
    item,
    learn,
    message,
    sanction,
    summary,
    turn,
)

# tables without anything of a person, and why
NOBODYS = {
    "notes": "what adapters know of chats, servers and pictures, and the record's own id",
    "fences": "processes",
    "case_messages": "where moderators read",
}
# what an export leaves out of the other tables, beside LEFT_OUT
UNTOLD = {("turns", "id"), *(("case_events", column) for column in ("position", "by_platform", "by_user_id"))}
# what is left of somebody who had a case
STAYS = {
    "cases": {"number", "turn_id", "platform", "user_id", "language", "everywhere", "private", "category", "step", "at",
              "period_us", "mode", "week", "state", "ends_at", "blanked", "answered", "waited_us", "longest_us"},
    "case_events": {"number", "position", "kind", "at", "by_platform", "by_user_id", "period_us"},
    "case_messages": {"number", "appeal", "chat_id", "message_id"},
    "turns": {"id", "inbox_id"},
    "inbox": {"id", "platform", "sent_at", "state", "learn"},
    "people": {"platform", "user_id"},
}  # fmt: skip
PRIVATE = {MINA: "private room of mina", JUN: "private room of jun"}


@pytest.fixture(params=["url", "postgres_url"], ids=["sqlite", "postgresql"])
def any_url(request: pytest.FixtureRequest) -> str:
    """Of an empty database."""
    return str(request.getfixturevalue(request.param))


@pytest_asyncio.fixture
async def anywhere(any_url: str) -> AsyncIterator[Record]:
    async with await Record.open(any_url, lock_wait=LOCK_WAIT) as opened:
        yield opened


class Filler:
    """One row of a person in every table, with a value in every column that no other column of anybody has."""

    def __init__(self, person: PersonKey, numbers: Iterator[int]) -> None:
        self.person = person
        self.values: dict[tuple[str, str], Any] = {}
        self._numbers = numbers

    def fill(self, connection: Connection) -> None:
        for table in metadata.sorted_tables:
            connection.execute(insert(table).values({one.name: self._value(table, one) for one in table.columns}))

    def row(self, table: str) -> Mapping[str, Any]:
        """Of this table."""
        return {column: value for (name, column), value in self.values.items() if name == table}

    def _value(self, table: Table, column: Column[Any]) -> object:
        number = next(self._numbers)
        given = {
            "platform": self.person.platform,
            "by_platform": self.person.platform,
            "user_id": self.person.user_id,
            "by_user_id": self.person.user_id,
        }
        if column.foreign_keys:
            (key,) = column.foreign_keys
            value = self.values[key.column.table.name, key.column.name]
        elif (table.name, column.name) in (("inbox", "chat_id"), ("places", "place_id")):
            value = PRIVATE[self.person]
        else:
            value = given.get(column.name, self._unique(column.type, f"{self.person.user_id}{number}", number))
        self.values[table.name, column.name] = plain(value)
        return value

    def _unique(self, kind: TypeEngine[Any], text: str, number: int) -> object:
        match kind:
            case AnyText() | String():
                return text
            case JSON():
                return {text: number}
            case UtcTime():
                return NOON + timedelta(hours=number)
            case Period():
                return timedelta(seconds=number)
            case Date():
                return date(2000, 1, 1) + timedelta(days=number)
            case Boolean():
                return True
            case Vector():
                return np.full(3, number, np.float32)
            case Integer():
                return number
        raise AssertionError(f"how is a {kind!r} filled?")


def dump(connection: Connection) -> dict[str, list[Mapping[str, Any]]]:
    """Every row of every table."""
    return {
        table.name: [
            {key: plain(value) for key, value in row.items()}
            for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()
        ]
        for table in metadata.sorted_tables
    }


def plain(value: object) -> object:
    """What == understands."""
    return value.tolist() if isinstance(value, np.ndarray) else value


def told(value: object) -> str:
    """As JSON has it."""
    if isinstance(value, datetime):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False).strip("{}")


@pytest.fixture
def fillers() -> Mapping[PersonKey, Filler]:
    numbers = count(1_000_001, 7)
    return {person: Filler(person, numbers) for person in (MINA, JUN)}


async def filled(record: Record, fillers: Mapping[PersonKey, Filler]) -> None:
    for filler in fillers.values():
        await record._database.write(filler.fill)


async def test_an_export_has_every_column_of_every_table_and_nothing_of_anybody_else(
    anywhere: Record, fillers: Mapping[PersonKey, Filler]
) -> None:
    await filled(anywhere, fillers)
    written = json.dumps(await anywhere.people.export(MINA), ensure_ascii=False)
    for (table, column), value in fillers[MINA].values.items():
        if table not in NOBODYS and column not in LEFT_OUT and (table, column) not in UNTOLD:
            assert told(value) in written, (table, column)
    assert JUN.user_id not in written


async def test_a_deletion_leaves_nothing_in_any_table_but_the_bare_case_and_touches_nobody_else(
    anywhere: Record, fillers: Mapping[PersonKey, Filler]
) -> None:
    await filled(anywhere, fillers)
    (number,) = await anywhere.erase(MINA)
    after = await anywhere._database.read(dump)
    assert number == fillers[MINA].values["cases", "number"]
    for name, rows in after.items():
        if name in ("notes", "fences"):
            continue
        minas, juns = (fillers[person].row(name) for person in (MINA, JUN))
        assert juns in rows, name
        left = [row for row in rows if row != juns]
        assert len(left) == (name in STAYS), name
        for row in left:
            assert {key for key, value in row.items() if value == minas[key]} == STAYS[name], name


async def test_deleting_again_or_somebody_never_met_changes_nothing(
    anywhere: Record, caplog: pytest.LogCaptureFixture
) -> None:
    await begin(anywhere, 1)
    before = await anywhere._database.read(dump)
    assert await anywhere.erase(JUN) == []
    assert await anywhere._database.read(dump) == before
    await anywhere.erase(MINA)
    empty = await anywhere._database.read(dump)
    assert await anywhere.erase(MINA) == []
    assert await anywhere._database.read(dump) == empty
    assert caplog.records == []  # the database was cleaned up each time


class TestSanctions:
    async def test_a_block_of_several_categories_holds_as_long_as_before(self, anywhere: Record) -> None:
        await anywhere.turns.receive(message())
        hours = [sanction(name, timedelta(hours=n)) for name, n in (("hate", 24), ("insult", 168))]
        await anywhere.turns.commit(turn(message(), *hours))
        before = standing(await anywhere.cases.of(MINA), NOON)
        assert before.blocked_until == NOON + timedelta(hours=192)
        assert len(await anywhere.erase(MINA)) == 2
        assert standing(await anywhere.cases.of(MINA), NOON) == before
        past = await anywhere.turns.past(MINA, HOME)
        assert standing(past.cases, NOON) == before
        assert past.person == Person()

    async def test_what_a_moderator_wrote_goes_and_what_they_decided_stays(self, anywhere: Record) -> None:
        case = await anywhere.cases.open(
            MINA, SERVER, Sanction("hate", 1, NOON, timedelta(days=1)),
            Event(Kind.ISSUED, NOON, JUN, "무례했음"), everywhere=False, language="ko",
        )  # fmt: skip
        await anywhere.cases.append(case.number, lambda _: Event(Kind.APPEALED, NOON, MINA, "아니야"))
        await anywhere.cases.append(case.number, lambda _: Event(Kind.UPHELD, NOON, JUN, "맞아"))
        judged = (await anywhere.people.export(JUN))["judged"]
        assert [(one["number"], one["kind"], one["text"]) for one in judged] == [
            (case.number, "issued", "무례했음"),
            (case.number, "upheld", "맞아"),
        ]
        assert (await anywhere.people.export(MINA))["judged"] == []
        assert await anywhere.erase(JUN) == []
        after = await anywhere.cases.get(case.number)
        assert after is not None
        assert [(event.kind, event.by, event.text) for event in after.events] == [
            (Kind.ISSUED, JUN, ""), (Kind.APPEALED, MINA, "아니야"), (Kind.UPHELD, JUN, ""),
        ]  # fmt: skip
        assert after.place == SERVER.place

    async def test_a_case_can_go_on_after_its_person_left(self, anywhere: Record) -> None:
        await anywhere.turns.receive(message())
        turn_id = await anywhere.turns.commit(turn(message(), sanction("hate", timedelta(hours=1))))
        (number,) = await anywhere.erase(MINA)
        case = await anywhere.cases.append(number, lambda _: Event(Kind.OVERTURNED, NOON, JUN, "실수"))
        assert (case.turn, case.blanked, case.chat) == (turn_id, True, ChatKey("console", "", True))
        assert standing(await anywhere.cases.of(MINA), NOON).blocked_until is None


class TestTurnsUnderWay:
    async def test_what_was_being_answered_is_not_written_any_more(self, anywhere: Record) -> None:
        await anywhere.turns.receive(message())
        await anywhere.erase(MINA)
        with pytest.raises(RecordError):
            await anywhere.turns.commit(turn(message(), sanction()))
        for nothing in (anywhere.turns.unanswered(), anywhere.turns.undelivered(), anywhere.turns.unremembered()):
            assert await nothing == []
        assert await anywhere.cases.of(MINA) == []

    async def test_nothing_is_learned_from_what_is_gone(self, anywhere: Record) -> None:
        turn_id = await begin(anywhere, 1)
        await anywhere.erase(MINA)
        with pytest.raises(RecordError):
            await anywhere.turns.remember(turn_id, exactly(add=item()), summary())
        assert await anywhere.memories.items(MINA) == []

    async def test_the_next_message_is_the_first(self, anywhere: Record) -> None:
        await learn(anywhere, 1, item())
        await anywhere.people.introduce(MINA)
        await anywhere.turns.past(MINA, HOME)
        await anywhere.erase(MINA)
        past = await anywhere.turns.past(MINA, HOME)
        assert (past.person, past.items, past.summary) == (Person(), [], None)
        await learn(anywhere, 1, item(value="아이유"))
        assert [known.value for known in (await anywhere.turns.past(MINA, HOME)).items] == ["아이유"]


@pytest.mark.parametrize("spoken", [True, False])
async def test_the_settings_of_a_private_chat_go_with_its_person(record: Record, spoken: bool) -> None:
    guild = PlaceKey("console", "guild")
    for place in (HOME.place, guild):
        await record.places.change(place, PlaceSettings(name_call=False))
    if spoken:
        await record.turns.receive(message())
    await record.turns.receive(message(2, chat=ChatKey("console", "channel", False, "guild")))
    await record.erase(MINA, "" if spoken else HOME.chat_id)
    assert await record.places.of(HOME.place) == PlaceSettings()
    assert await record.places.of(guild) == PlaceSettings(name_call=False)


@pytest.mark.parametrize("work", [partial(_erase, MINA, ""), partial(everything, MINA)], ids=["deletion", "export"])
async def test_however_many_people_there_are_only_what_is_theirs_is_read(
    record: Record, fillers: Mapping[PersonKey, Filler], work: Callable[[Connection], object]
) -> None:
    await filled(record, fillers)

    def explained(connection: Connection) -> list[str]:
        said: list[tuple[str, Any]] = []

        def hear(_: Connection, __: object, statement: str, parameters: Any, *___: object) -> None:
            said.append((statement, parameters))

        event.listen(connection, "before_cursor_execute", hear)
        work(connection)
        event.remove(connection, "before_cursor_execute", hear)
        plans = (connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given) for statement, given in said)
        return [step.detail for plan in plans for step in plan]

    steps = await record._database.write(explained)
    assert len(steps) > 10
    assert [step for step in steps if step.startswith("SCAN")] == []
