"""Messages that were set aside, because nobody came to an end with them, until a person decides."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Select, func, select, update

from core.messages import IncomingMessage, MessageKey, PersonKey
from storage import rows
from storage.database import Database
from storage.rows import AnyRow
from storage.schema import DEAD, DISCARDED, TOLD, WAITING, inbox

_GIVEN_UP = inbox.c.state.in_((DEAD, TOLD))


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One of them, without what it says."""

    number: int
    person: PersonKey
    key: MessageKey
    sent_at: datetime
    reason: str


class DeadLetters:
    """All of them. Every method is one transaction and raises RecordError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def bury(self, key: MessageKey, reason: str) -> bool:
        """Set a message aside; False when it does not wait for its turn."""
        return await self._database.write(partial(_bury, key, reason))

    async def oldest(self, limit: int = 100) -> list[DeadLetter]:
        """The ones that have been there longest, by number."""
        return await self._database.read(partial(_oldest, limit))

    async def find(self, number: int) -> tuple[DeadLetter, str] | None:
        """One, and what it says."""
        return await self._database.read(partial(_find, number))

    async def revive(self, numbers: Collection[int]) -> int:
        """They wait for their turns again; how many it were."""
        return await self._database.write(partial(_move, numbers, WAITING))

    async def drop(self, numbers: Collection[int]) -> int:
        """They get no reply any more; how many it were."""
        return await self._database.write(partial(_move, numbers, DISCARDED))

    async def untold(self) -> list[IncomingMessage]:
        """Those whose people do not know it yet, oldest first; TurnStore.discard says that they do."""
        return await self._database.read(_untold)

    async def count(self) -> int:
        """How many there are."""
        return await self._database.read(_count)


def _bury(key: MessageKey, reason: str, connection: Connection) -> bool:
    its = (inbox.c.platform == key.platform) & (inbox.c.chat_id == key.chat_id) & (inbox.c.message_id == key.message_id)
    buried = update(inbox).where(its, inbox.c.state == WAITING).values(state=DEAD, reason=reason)
    return connection.execute(buried).rowcount > 0


def _untold(connection: Connection) -> list[IncomingMessage]:
    untold = rows.select_messages().where(inbox.c.state == DEAD).order_by(inbox.c.id)
    return [rows.to_message(row) for row in connection.execute(untold)]


def _oldest(limit: int, connection: Connection) -> list[DeadLetter]:
    return [_to_letter(row) for row in connection.execute(_select().order_by(inbox.c.id).limit(limit))]


def _find(number: int, connection: Connection) -> tuple[DeadLetter, str] | None:
    row = connection.execute(_select().add_columns(inbox.c.text).where(inbox.c.id == number)).one_or_none()
    return None if row is None else (_to_letter(row), row.text)


def _move(numbers: Collection[int], state: str, connection: Connection) -> int:
    dead = inbox.c.id.in_(numbers) & _GIVEN_UP
    return connection.execute(update(inbox).where(dead).values(state=state, reason="")).rowcount


def _count(connection: Connection) -> int:
    return connection.scalar(select(func.count()).where(_GIVEN_UP)) or 0


def _select() -> Select[Any]:
    columns = (inbox.c.id, inbox.c.platform, inbox.c.user_id, inbox.c.chat_id, inbox.c.message_id, inbox.c.sent_at)
    return select(*columns, inbox.c.reason).where(_GIVEN_UP)


def _to_letter(row: AnyRow) -> DeadLetter:
    key = MessageKey(row.platform, row.chat_id, row.message_id)
    return DeadLetter(row.id, PersonKey(row.platform, row.user_id), key, row.sent_at, row.reason)
