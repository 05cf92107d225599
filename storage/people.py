"""People and places beside what they said: who was introduced, who paused, what a server chose; and adapters' notes."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, bindparam, case, delete, insert, select, union, update

from core.messages import PersonKey, PlaceKey
from core.people import Person, PlaceSettings
from storage import revisions, rows
from storage.database import Database
from storage.dialect import LARGEST_ID, upsert
from storage.export import everything
from storage.schema import buttons, cases, memories, notes, people, places, summaries
from storage.unlearned import leave_unlearned

# a button older than this does nothing any more
BUTTONS_LIVE = timedelta(days=30)


class People:
    """A PeopleStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, person: PersonKey) -> Person:
        """A person; the defaults for one never met."""
        return await self._database.read(partial(person_of, person))

    async def pause(self, person: PersonKey, paused: bool) -> None:
        """Stop remembering a person, also what was said and is not learned yet; or begin again."""
        await self._database.write(partial(_pause, person, paused))

    async def introduce(self, person: PersonKey) -> None:
        """The person was told what 오로라 is."""
        await self._database.write(partial(change_person, person, introduced=True))

    async def export(self, person: PersonKey) -> dict[str, Any]:
        """Everything kept about a person, as JSON."""
        return await self._database.read(partial(everything, person))


class Places:
    """A PlaceStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, place: PlaceKey) -> PlaceSettings:
        """The settings of a place; the defaults where nobody changed any."""
        return await self._database.read(partial(settings_of, place))

    async def change(self, place: PlaceKey, settings: PlaceSettings) -> None:
        """Replace them."""
        values = {"platform": place.platform, "place_id": place.place_id, "settings": rows.of_settings(settings)}
        await self._database.write(partial(upsert, table=places, values=values))

    async def move(self, old: PlaceKey, new: PlaceKey) -> None:
        """Settings, what was learned there, its cases and the last summaries go along; twice changes nothing."""
        await self._database.write(partial(_move, old, new))


class Buttons:
    """A ButtonStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def make(self, person: PersonKey, commands: list[tuple[str, str]], now: datetime) -> list[int]:
        """One id for each (command, argument) that only this person may press; their old buttons go."""
        return await self._database.write(partial(_make_buttons, person, commands, now))

    async def pressed(self, person: PersonKey, button_id: int) -> tuple[str, str] | None:
        """(command, argument) of a button of this person; None for anybody else's, and for one that is gone."""
        if not 0 < button_id <= LARGEST_ID:
            return None
        return await self._database.read(partial(_pressed, person, button_id))


class Notes:
    """core.ports.Notes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, name: str) -> str:
        """What was written last, "" when nothing was."""
        return await self._database.read(partial(_note, name))

    async def write(self, name: str, value: str) -> None:
        """Replace it."""
        await self._database.write(partial(upsert, table=notes, values={"name": name, "value": value}))


# statements of every turn are made once
_PERSON = select(people.c.introduced, people.c.paused).where(rows.theirs(people))
_SETTINGS = select(places.c.settings).where(
    places.c.platform == bindparam("its_platform"), places.c.place_id == bindparam("its_id")
)


def person_of(person: PersonKey, connection: Connection) -> Person:
    row = connection.execute(_PERSON, rows.whose(person)).one_or_none()
    return Person() if row is None else Person(row.introduced, row.paused)


def change_person(person: PersonKey, connection: Connection, **changed: bool) -> None:
    """Set these columns of a person, met or not."""
    upsert(connection, people, {**revisions.of_new(person), **changed}, changed)


def _pause(person: PersonKey, paused: bool, connection: Connection) -> None:
    if paused:
        leave_unlearned(person, connection)
    change_person(person, connection, paused=paused)


def settings_of(place: PlaceKey, connection: Connection) -> PlaceSettings:
    kept = connection.scalar(_SETTINGS, {"its_platform": place.platform, "its_id": place.place_id})
    return PlaceSettings() if kept is None else rows.to_settings(kept)


def _move(old: PlaceKey, new: PlaceKey, connection: Connection) -> None:
    learned = (memories.c.platform == old.platform) & (memories.c.scope == old.place_id)
    arose = (cases.c.platform == old.platform) & (cases.c.place_id == old.place_id)
    said = (summaries.c.platform == old.platform) & summaries.c.chat_id.in_((old.place_id, new.place_id))
    touched = ((memories, learned), (cases, arose), (summaries, said))
    revisions.bump_all(
        union(*(select(table.c.platform, table.c.user_id).where(which) for table, which in touched)), connection
    )
    for table, column in ((places, places.c.place_id), (summaries, summaries.c.chat_id)):
        here = table.c.platform == old.platform
        if connection.scalar(select(column).where(here & (column == old.place_id)).limit(1)) is not None:
            connection.execute(delete(table).where(here & (column == new.place_id)))
            connection.execute(update(table).where(here & (column == old.place_id)).values({column: new.place_id}))
    connection.execute(update(memories).where(learned).values(scope=new.place_id))
    moved = case((cases.c.chat_id == old.place_id, new.place_id), else_=cases.c.chat_id)
    connection.execute(update(cases).where(arose).values(place_id=new.place_id, chat_id=moved))
    _move_review_chat(old, new, connection)


def _move_review_chat(old: PlaceKey, new: PlaceKey, connection: Connection) -> None:
    """Other places' moderators may meet in it, too. It happens once in the life of a group, so all may be looked at."""
    there = select(places).where(places.c.platform == old.platform).with_for_update()
    for row in connection.execute(there).all():
        settings = rows.to_settings(row.settings)
        if settings.review_chat == old.place_id:
            values = rows.of_settings(replace(settings, review_chat=new.place_id))
            here = (places.c.platform == row.platform) & (places.c.place_id == row.place_id)
            connection.execute(update(places).where(here).values(settings=values))


def _make_buttons(
    person: PersonKey, commands: list[tuple[str, str]], now: datetime, connection: Connection
) -> list[int]:
    old = rows.belongs_to(buttons, person) & (buttons.c.made_at < now - BUTTONS_LIVE)
    connection.execute(delete(buttons).where(old))
    if not commands:
        return []
    whose = {**rows.of_person(person), "made_at": now}
    new = [{**whose, "command": command, "argument": argument} for command, argument in commands]
    made = insert(buttons).returning(buttons.c.id, sort_by_parameter_order=True)
    return list((connection.scalars(made, new)).all())


def _pressed(person: PersonKey, button_id: int, connection: Connection) -> tuple[str, str] | None:
    theirs = rows.belongs_to(buttons, person) & (buttons.c.id == button_id)
    row = (connection.execute(select(buttons.c.command, buttons.c.argument).where(theirs))).one_or_none()
    return None if row is None else (row.command, row.argument)


def _note(name: str, connection: Connection) -> str:
    return connection.scalar(select(notes.c.value).where(notes.c.name == name)) or ""
