"""The log of cases. What the log says is read and written here; what moderators ask about many cases: case_queries."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Select, false, insert, select, update

from core.case_store import CaseFilter, CaseRule, Shown, Stats
from core.cases import Case, Event, Kind
from core.messages import ChatKey, IncomingMessage, PersonKey, PlaceKey
from core.moderation import Refusal, Refused
from core.sanctions import Mode, Sanction
from storage import case_queries, rows
from storage.database import Database
from storage.dialect import LARGEST_ID, upsert
from storage.revisions import bump
from storage.schema import case_events, case_messages, cases

_EXPORTED_AT_ONCE = 200
_WITHOUT_EVIDENCE = [column for column in cases.c if column.name not in rows.EVIDENCE]


class Cases:
    """A CaseStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, person: PersonKey) -> list[Case]:
        """A person's enforced cases, oldest first, without their evidence."""
        return await self._database.read(partial(cases_of, person))

    async def of_turn(self, turn_id: int) -> list[Case]:
        """The cases of a turn, in its order."""
        return await self._database.read(partial(cases_of_turn, turn_id))

    async def get(self, number: int) -> Case | None:
        """One case; None where there is none of that number."""
        return await self._database.read(partial(_get, number))

    async def page(self, wanted: CaseFilter, before: int | None = None, limit: int = 10) -> list[Case]:
        """The newest cases with a number below `before`, newest first."""
        below = LARGEST_ID if before is None else min(before, LARGEST_ID)
        selected = select(cases).where(cases.c.number < below, *case_queries.matching(wanted))
        return await self._database.read(partial(_found, selected.order_by(cases.c.number.desc()).limit(limit)))

    async def append(self, number: int, rule: CaseRule) -> Case:
        """Append what `rule` makes of the case as it is now; whatever it raises comes through."""
        return await self._database.write(partial(_append_ruled, number, rule))

    async def open(
        self, person: PersonKey, chat: ChatKey, sanction: Sanction, issued: Event, *, everywhere: bool, language: str
    ) -> Case:
        """A new case issued by hand."""
        new = Case(0, person, chat, sanction, (issued,), everywhere=everywhere, language=language)
        return await self._database.write(partial(_open, new))

    async def stats(self, place: PlaceKey | None, since: datetime) -> Stats:
        """Figures about the cases issued in the week of `since` and later."""
        return await self._database.read(partial(case_queries.stats, place, since))

    async def export(self, since: datetime, place: PlaceKey | None = None) -> AsyncIterator[Case]:
        """The cases issued since then, oldest first; nothing waits for whoever reads them slowly."""
        after = await self._database.read(partial(case_queries.number_before, since))
        wanted = case_queries.matching(CaseFilter(place))
        while True:
            page = select(cases).where(cases.c.number > after, cases.c.at >= since, *wanted)
            ordered = page.order_by(cases.c.number).limit(_EXPORTED_AT_ONCE)
            found = await self._database.read(partial(_found, ordered))
            for case in found:
                yield case
            if len(found) < _EXPORTED_AT_ONCE:
                return
            after = found[-1].number

    async def blank(self, ended_before: datetime) -> int:
        """Take prompt and answer out of some cases that ended before then; how many there were."""
        return await self._database.write(partial(case_queries.blank, ended_before))

    async def show(self, number: int, shown: Shown) -> None:
        """A message of the review queue shows the case, or one appeal of it, in its chat; the last one counts."""
        values = {"number": number, **{name: getattr(shown, name) for name in ("appeal", "chat_id", "message_id")}}
        await self._database.write(partial(upsert, table=case_messages, values=values))

    async def shown(self, number: int) -> list[Shown]:
        """The messages that show a case, oldest first."""
        return await self._database.read(partial(_shown, number))


# made once: every turn looks at the cases of its person
_ENFORCED = rows.theirs(cases) & (cases.c.mode == Mode.ENFORCE.value)
_FELT = select(*_WITHOUT_EVIDENCE).where(_ENFORCED).order_by(cases.c.number)


def cases_of(person: PersonKey, connection: Connection) -> list[Case]:
    """Without evidence: every turn asks for them, and a standing follows without it."""
    return _found(_FELT, connection, rows.whose(person))


# what moves an end, or makes a case count no more
_MATTERS = (Kind.ISSUED, Kind.OVERTURNED, Kind.SHORTENED, Kind.LIFTED)
_STANDING = (
    "number", "turn_id", "platform", "user_id", "chat_id", "place_id", "private", "language", "everywhere", "category",
    "step", "at", "period_us", "mode",
)  # fmt: skip
_FOR_STANDING: Select[Any] = (
    select(
        *(cases.c[name] for name in _STANDING),
        false().label("blanked"),
        case_events.c.kind,
        case_events.c.at.label("happened"),
        case_events.c.period_us.label("lasts"),
    )
    .join(case_events, (case_events.c.number == cases.c.number) & case_events.c.kind.in_(_MATTERS))
    .where(_ENFORCED)
    .order_by(cases.c.number, case_events.c.position)
)


def cases_for_standing(person: PersonKey, connection: Connection) -> list[Case]:
    """A person's enforced cases, with as much of their events as a standing follows from, and who did it to nobody."""
    found = connection.execute(_FOR_STANDING, rows.whose(person))
    logs = (list(log) for _, log in groupby(found, attrgetter("number")))
    return [
        rows.to_case(log[0], (Event(Kind(row.kind), row.happened, period=row.lasts) for row in log)) for log in logs
    ]


def cases_of_turn(turn_id: int, connection: Connection, *, to_change: bool = False) -> list[Case]:
    """`to_change`: who comes second waits here for whoever came first."""
    of_turn = select(cases).where(cases.c.turn_id == turn_id).order_by(cases.c.number)
    return _found(of_turn.with_for_update() if to_change else of_turn, connection)


def open_cases(turn_id: int, message: IncomingMessage, issued: Sequence[Sanction], connection: Connection) -> list[int]:
    """One case for each sanction of a turn; the numbers of those that the person notices."""
    if not issued:
        return []
    new = [
        Case(
            0,
            message.person,
            message.chat,
            sanction,
            (Event(Kind.ISSUED, sanction.at),),
            turn=turn_id,
            language=message.language,
        )
        for sanction in issued
    ]
    numbers = _insert(new, connection)
    if any(sanction.felt for sanction in issued):
        bump(message.person, connection)
    return [number for number, sanction in zip(numbers, issued, strict=True) if sanction.felt]


def append_event(case: Case, event: Event, connection: Connection) -> Case:
    """The case with one event more, in the record too."""
    values = {**rows.of_event(event), "number": case.number, "position": len(case.events)}
    connection.execute(insert(case_events).values(values))
    after = replace(case, events=(*case.events, event))
    connection.execute(update(cases).where(cases.c.number == case.number).values(rows.state_of(after)))
    return after


def _append_ruled(number: int, rule: CaseRule, connection: Connection) -> Case:
    # who comes second waits here for whoever came first; SQLite's one writer needs no such lock
    found = _found(_one(number).with_for_update(), connection)
    if not found:
        raise Refused(Refusal.NO_CASE)
    after = append_event(found[0], rule(found[0]), connection)
    if after.events[-1].kind in _MATTERS:
        bump(after.person, connection)
    return after


def _open(new: Case, connection: Connection) -> Case:
    (number,) = _insert([new], connection)
    bump(new.person, connection)
    return replace(new, number=number)


def _insert(new: Sequence[Case], connection: Connection) -> list[int]:
    """New cases with their first events; their numbers, in the same order."""
    made = insert(cases).returning(cases.c.number, sort_by_parameter_order=True)
    numbers = list((connection.scalars(made, [rows.of_case(case) for case in new])).all())
    first = [
        {**rows.of_event(case.events[0]), "number": number, "position": 0}
        for number, case in zip(numbers, new, strict=True)
    ]
    connection.execute(insert(case_events), first)
    return numbers


def _get(number: int, connection: Connection) -> Case | None:
    found = _found(_one(number), connection)
    return found[0] if found else None


def _one(number: int) -> Select[Any]:
    return select(cases).where(cases.c.number == (number if 0 < number <= LARGEST_ID else 0))


def _found(selected: Select[Any], connection: Connection, parameters: rows.Values | None = None) -> list[Case]:
    """The selected rows of cases, each with its events."""
    selected_rows = list(connection.execute(selected, parameters))
    events = _events_of((row.number for row in selected_rows), connection)
    return [rows.to_case(row, events[row.number]) for row in selected_rows]


def _events_of(numbers: Iterable[int], connection: Connection) -> dict[int, list[Event]]:
    events: dict[int, list[Event]] = defaultdict(list)
    if wanted := list(numbers):
        log = select(case_events).where(case_events.c.number.in_(wanted))
        for row in connection.execute(log.order_by(case_events.c.number, case_events.c.position)):
            events[row.number].append(rows.to_event(row))
    return events


def _shown(number: int, connection: Connection) -> list[Shown]:
    theirs = select(case_messages).where(case_messages.c.number == number)
    theirs = theirs.order_by(case_messages.c.appeal, case_messages.c.chat_id)
    return [Shown(row.appeal, row.chat_id, row.message_id) for row in connection.execute(theirs)]
