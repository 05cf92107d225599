"""A person taken out of the record: no word of theirs stays, and of a sanction only what it takes to go on holding."""

import asyncio
import logging
import time
from collections.abc import Iterator, Sequence
from functools import partial

from sqlalchemy import Connection, cast, delete, select, update

from core.cases import Kind
from core.errors import RecordError
from core.messages import PersonKey
from storage import rows
from storage.columns import AnyText
from storage.database import Database
from storage.hot import HotState
from storage.revisions import bump
from storage.schema import (
    NONE,
    buttons,
    case_events,
    cases,
    inbox,
    memories,
    outbox,
    people,
    places,
    summaries,
    turns,
)

log = logging.getLogger(__name__)

# what is asked of a database in one statement
_AT_ONCE = 500
# times as long as it took
_REST = 9
_TOUCHED = (inbox, turns, outbox, memories, summaries, people, places, buttons, cases, case_events)


class Erasure:
    """Erases people, and then what databases keep of rows that are gone."""

    def __init__(self, database: Database, hot: HotState) -> None:
        self._database = database
        self._hot = hot
        self._scrubbing = asyncio.Lock()
        self._erased = self._scrubbed = 0
        self._rested = 0.0

    async def erase(self, person: PersonKey, private_chat: str = "") -> list[int]:
        """Everything of a person, in one transaction; the numbers of their cases, which hold no text any more.

        `private_chat`: one of theirs, whose settings go too even if nothing was ever said there. Raises RecordError.
        """
        numbers, revision = await self._database.write(partial(_erase, person, private_chat))
        await self._hot.forget(person, revision)
        self._erased = mine = self._erased + 1
        async with self._scrubbing:
            if self._scrubbed < mine:  # else whoever came before cleaned up behind both
                try:
                    await self._scrub()
                except RecordError:
                    log.exception(
                        "a person is deleted, but files of the database may hold traces: delete them once more"
                    )
        return numbers

    async def _scrub(self) -> None:
        """While it goes on nobody may be able to write: at most a tenth of the time, however many people leave."""
        await asyncio.sleep(max(self._rested - time.monotonic(), 0.0))
        until, began = self._erased, time.monotonic()
        try:
            await self._hot.scrub()
            await self._database.scrub([table.name for table in _TOUCHED])
            self._scrubbed = until
        finally:
            now = time.monotonic()
            self._rested = now + _REST * (now - began)


def private_places(person: PersonKey, connection: Connection) -> set[str]:
    """The ids of the person's private chats, as far as anything was said there."""
    spoken_in = select(inbox.c.chat_id).where(rows.belongs_to(inbox, person), inbox.c.private)
    judged_in = select(cases.c.chat_id).where(rows.belongs_to(cases, person), cases.c.private)
    # Telegram's private chats have their person's own number
    return ({*connection.scalars(spoken_in.union(judged_in)), person.user_id}) - {""}


def _erase(person: PersonKey, private_chat: str, connection: Connection) -> tuple[list[int], int]:
    """The numbers of their cases, and the revision after which nothing of theirs is there."""
    # Locked in the order in which a turn locks them. Who comes to one of these rows later finds it gone; messages that
    # arrive from now on are the beginning of something new.
    said = select(inbox.c.id).where(rows.belongs_to(inbox, person)).order_by(inbox.c.id)
    messages = list(connection.scalars(said.with_for_update()))
    answered = [
        turn_id
        for some in _parts(messages)
        for turn_id in connection.scalars(select(turns.c.id).where(turns.c.inbox_id.in_(some)).with_for_update())
    ]
    revision = bump(person, connection)
    private = {*private_places(person, connection), private_chat} - {""}
    settings = (places.c.platform == person.platform) & places.c.place_id.in_(private)
    connection.execute(delete(places).where(settings))
    for table in (memories, summaries, buttons, people):
        connection.execute(delete(table).where(rows.belongs_to(table, person)))
    numbers = _empty_cases(person, connection)
    if numbers:  # a copy made when there were none yet must not pass for the truth
        revision = bump(person, connection)
    for some in _parts(answered):
        _erase_turns(some, connection)
    for some in _parts(messages):
        _erase_messages(some, connection)
    return numbers, revision


def _empty_cases(person: PersonKey, connection: Connection) -> list[int]:
    """Whoever could delete a block together with oneself would be rid of it: cases stay, without a word."""
    theirs = rows.belongs_to(cases, person)
    numbers = list(connection.scalars(select(cases.c.number).where(theirs).order_by(cases.c.number).with_for_update()))
    nothing = {"prompt": "", "answer": "", "blanked": True, "scores": {}, "thresholds": {}, "encoder": ""}
    connection.execute(update(cases).where(theirs).values(nothing))
    connection.execute(update(cases).where(theirs, cases.c.private).values(chat_id="", place_id=""))
    for some in _parts(numbers):
        words = case_events.c.number.in_(some) & (case_events.c.kind != Kind.NOTICED.value)
        connection.execute(update(case_events).where(words).values(text=""))
    judged = (case_events.c.by_platform == person.platform) & (case_events.c.by_user_id == person.user_id)
    connection.execute(update(case_events).where(judged).values(text=""))
    return numbers


def _erase_turns(answered: Sequence[int], connection: Connection) -> None:
    """But one with cases stays, empty: the cases of one turn block together, for longer than each alone."""
    these = turns.c.id.in_(answered)
    with_cases = turns.c.id.in_(select(cases.c.turn_id).where(cases.c.turn_id.in_(answered)))
    connection.execute(delete(outbox).where(outbox.c.turn_id.in_(answered)))
    connection.execute(delete(turns).where(these, ~with_cases))
    connection.execute(update(turns).where(these).values(final_input="", ethics_scores={}, bookkeeping=NONE))


def _erase_messages(said: Sequence[int], connection: Connection) -> None:
    """But those of turns that stay; they are nobody's then."""
    these = inbox.c.id.in_(said)
    with_turn = inbox.c.id.in_(select(turns.c.inbox_id).where(turns.c.inbox_id.in_(said)))
    connection.execute(delete(inbox).where(these, ~with_turn))
    nowhere = {"chat_id": "", "place_id": "", "message_id": cast(inbox.c.id, AnyText), "private": False}
    nobodys = {"user_id": "", "text": "", "language": "", "via": "", "reason": ""}
    connection.execute(update(inbox).where(these).values({**nowhere, **nobodys}))


def _parts(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE))
