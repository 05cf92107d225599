"""What moderators ask about many cases at once. Each question is answered from an index, however long the log is."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Select, func, select, update

from core.case_store import CaseFilter, Stats, WeekCount
from core.cases import State
from core.messages import PlaceKey
from core.sanctions import Mode
from storage import rows
from storage.schema import cases

_BLANKED_AT_ONCE = 500


def matching(wanted: CaseFilter) -> list[ColumnElement[bool]]:
    """Whether a row of cases is wanted."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.place is not None:
        conditions.append(_arose_in(wanted.place))
    if wanted.state is not None:
        conditions.append(cases.c.state == wanted.state.value)
    if wanted.person is not None:
        conditions.append(rows.belongs_to(cases, wanted.person))
    if wanted.category is not None:
        conditions.append(cases.c.category == wanted.category)
    if wanted.since is not None:
        conditions += _since(wanted.since)
    return conditions


def number_before(since: datetime, connection: Connection) -> int:
    """A number after which every case issued since then comes."""
    first = connection.scalar(_first_number(since))
    newest = connection.scalar(select(func.max(cases.c.number))) or 0
    return newest if first is None else first - 1


def stats(place: PlaceKey | None, since: datetime, connection: Connection) -> Stats:
    """Figures about the cases issued in the week of `since` and later."""
    wanted = [cases.c.week >= rows.week_of(since)]
    if place is not None:
        wanted.append(_arose_in(place))
    columns = (cases.c.week, cases.c.category, cases.c.mode, cases.c.state)
    figures = (
        func.count().label("found"),
        func.sum(cases.c.answered).label("answered"),
        func.sum(cases.c.waited_us).label("waited"),
        func.max(cases.c.longest_us).label("longest"),
    )
    counted = select(*columns, *figures).where(*wanted).group_by(*columns).order_by(*columns)
    found = connection.execute(counted).all()
    weeks = tuple(WeekCount(row.week, row.category, Mode(row.mode), State(row.state), row.found) for row in found)
    answered = sum(row.answered for row in found)
    return Stats(
        weeks,
        answered,
        sum((row.waited for row in found), timedelta(0)) / answered if answered else None,
        max(row.longest for row in found) if answered else None,
        sum(count.cases for count in weeks if count.state is State.APPEALED),
    )


def blank(ended_before: datetime, connection: Connection) -> int:
    """Take prompt and answer out of some cases that ended before then and wait for no decision on an appeal."""
    due = cases.c.blanked.is_(False) & (cases.c.ends_at < ended_before) & (cases.c.state != State.APPEALED.value)
    numbers = list(connection.scalars(select(cases.c.number).where(due).limit(_BLANKED_AT_ONCE).with_for_update()))
    if numbers:
        empty = {"prompt": "", "answer": "", "blanked": True}
        connection.execute(update(cases).where(cases.c.number.in_(numbers)).values(empty))
    return len(numbers)


def _arose_in(place: PlaceKey) -> ColumnElement[bool]:
    return (cases.c.platform == place.platform) & (cases.c.place_id == place.place_id)


def _since(since: datetime) -> list[ColumnElement[bool]]:
    # numbers and times rise together but for a clock that was set; the number bounds how far an index is read
    return [cases.c.number >= _first_number(since).scalar_subquery(), cases.c.at >= since]


def _first_number(since: datetime) -> Select[int]:
    later = cases.alias()
    # + 0: for the least of a primary key SQLite reads the table from its begin, and not the index of `at`
    return select(func.min(later.c.number + 0)).where(later.c.at >= since)
