"""Record: the system of truth. Opened at start-up, and whoever needs a part of it is given that part."""

from types import TracebackType
from typing import Self

from sqlalchemy import Connection

from core.messages import PersonKey
from storage import revisions
from storage.cases import Cases
from storage.database import Database, Watch
from storage.dead_letters import DeadLetters
from storage.dialect import mark, one_at_a_time
from storage.erasure import Erasure
from storage.fences import Fences
from storage.hot import HotState, InProcess, MakeHotState
from storage.incarnation import incarnation_of
from storage.memories import Memories
from storage.people import Buttons, Notes, People, Places
from storage.schema_version import migrate
from storage.turns import Turns

LOCK_WAIT_S = 5.0


class Record:
    """What must survive: turns, memories, cases, people, places. Made by `open`.

    Every method of its parts raises RecordError when the file is locked, read-only, damaged, its disk full, or the
    server away; nothing is half-written then, and the next call works as soon as the cause is gone.
    """

    def __init__(self, database: Database, incarnation: str, hot: HotState) -> None:
        """Over a database that has the newest schema."""
        self._database = database
        self.incarnation = incarnation
        self.hot = hot
        self.turns = Turns(database, hot)
        self.memories = Memories(database, hot)
        self.cases = Cases(database)
        self.people = People(database)
        self.places = Places(database)
        self.buttons = Buttons(database)
        self.notes = Notes(database)
        self.fences = Fences(database)
        self.dead = DeadLetters(database)
        self._erasure = Erasure(database, hot)

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        lock_wait: float = LOCK_WAIT_S,
        hot: MakeHotState | None = None,
        watch: Watch | None = None,
    ) -> Self:
        """Open the record at `url`, and migrate it.

        A file (sqlite+aiosqlite:///path) is made where missing, with its folder; a database on a server
        (postgresql+asyncpg://user@host/name) must be there. `lock_wait`: seconds to wait for another program's lock, or
        for a server to come back, now and later. `hot` (storage.redis): what several processes share; None: nothing.
        `watch` hears how the record does. Raises RecordError.
        """
        database = await Database.open(url, lock_wait, watch)

        def to_newest(connection: Connection) -> str:
            one_at_a_time(connection, "schema")
            migrate(connection, database.place)
            mark(connection)
            return incarnation_of(connection)

        try:
            incarnation = await database.write(to_newest)
        except BaseException:
            await database.close()
            raise
        return cls(database, incarnation, (hot or InProcess)(incarnation))

    async def erase(self, person: PersonKey, private_chat: str = "") -> list[int]:
        """Everything kept about a person goes; the numbers of their cases, which hold no text any more."""
        began = revisions.first()
        numbers = await self._erasure.erase(person, private_chat)
        await self.hot.forget(person, began)
        return numbers

    async def close(self) -> None:
        """Finish the writes under way and let go of the file; a second time does nothing."""
        await self._database.close()
        await self.hot.close()

    async def __aenter__(self) -> Self:
        """For `async with await Record.open(url) as record`."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        await self.close()
