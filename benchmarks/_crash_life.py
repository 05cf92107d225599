"""One life of the service in its own process: real service, conversation and record; proxies on the ports kill it."""

import asyncio
import logging
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks._crash_check import Files
from benchmarks._proxies import TurnsProxy, put_between
from benchmarks._script import BETWEEN_ROUNDS, PLATFORM, ROUNDS, START, models, rounds, rule
from bot.adapters.base import Begin, Host
from bot.adapters.desk import Rows
from bot.app import assemble
from bot.config import Settings
from core import tasks
from core.errors import DeliveryRefused
from core.memory import Summary
from core.messages import ChatKey, IncomingMessage, Notice, PersonKey, Reply, Turn
from core.ports import Change, Completion, Fence, LanguageModel, Prompt
from models.fakes import FakeClock, FakeLanguageModel
from storage.record import Record

AFTER_INBOX, AFTER_ANSWER, AFTER_COMMIT = "after inbox", "after answer", "after commit"
AFTER_BEGIN, AFTER_SEND, DURING_BOOKKEEPING = "after begin", "after send", "during bookkeeping"
DURING_COMMIT, DURING_SECOND = "during the commit", "during the second transaction"
# at the first the child kills itself; at the last two the parent kills it at a random moment
EXACT = (AFTER_INBOX, AFTER_ANSWER, AFTER_COMMIT, AFTER_BEGIN, AFTER_SEND, DURING_BOOKKEEPING)
RANDOM = (DURING_COMMIT, DURING_SECOND)
# longer than the lives of a series together
_EVER = timedelta(days=3650)


@dataclass
class Executioner:
    """Kills this process when `point` is passed for the `passing`-th time, or tells the parent that it is time to."""

    point: str
    passing: int
    parent: Connection
    _passed: int = 0
    _durations: list[float] = field(default_factory=list)

    def here(self, point: str) -> None:
        """A point of the turn."""
        if point == self.point and self._arrived():
            os.kill(os.getpid(), signal.SIGKILL)

    @contextmanager
    def inside(self, point: str) -> Iterator[None]:
        """A stretch of the turn. The parent hears how long it lasted so far, then whether it was left alive."""
        chosen = point == self.point and self._arrived()
        if chosen:
            self.parent.send(sum(self._durations) / len(self._durations))
        start = time.perf_counter()
        yield
        if chosen:
            self.parent.send("left")
        elif point == self.point:
            self._durations.append(time.perf_counter() - start)

    def _arrived(self) -> bool:
        self._passed += 1
        return self._passed == self.passing


@dataclass(frozen=True)
class KillingTurns(TurnsProxy):
    """What `receive` accepted is written down elsewhere too."""

    killer: Executioner
    accepted: Path

    async def receive(self, message: IncomingMessage) -> bool:
        """Journal, then perhaps the end."""
        new = await self.inner.receive(message)
        if new:
            append(self.accepted, message.message_id)
            self.killer.here(AFTER_INBOX)
        return new

    async def commit(self, turn: Turn, fence: Fence | None = None) -> int:
        """Around the first transaction."""
        self.killer.here(AFTER_ANSWER)
        with self.killer.inside(DURING_COMMIT):
            turn_id = await self.inner.commit(turn, fence)
        self.killer.here(AFTER_COMMIT)
        return turn_id

    async def begin(self, turn_id: int, now: datetime | None) -> None:
        """The last moment before the reply leaves."""
        await self.inner.begin(turn_id, now)
        if now is not None:
            self.killer.here(AFTER_BEGIN)

    async def remember(self, turn_id: int, change: Change, summary: Summary | None, fence: Fence | None = None) -> None:
        """Around the second transaction."""
        with self.killer.inside(DURING_SECOND):
            await self.inner.remember(turn_id, change, summary, fence)


@dataclass(frozen=True)
class KillingModel:
    """core.ports.LanguageModel around another: dies with the memory extracted and nothing of it written."""

    inner: LanguageModel
    killer: Executioner

    async def complete(self, prompt: Prompt) -> Completion:
        """One completion."""
        completion = await self.inner.complete(prompt)
        if prompt.task == tasks.MEMORY.name:
            self.killer.here(DURING_BOOKKEEPING)
        return completion

    def count_tokens(self, task: str, text: str) -> int:
        """As it is."""
        return self.inner.count_tokens(task, text)


@dataclass
class FileAdapter:
    """bot.adapters.base.Adapter whose platform is a file: a line that is there was seen by the person."""

    path: Path
    recognises_for: timedelta
    clock: FakeClock
    killer: Executioner
    hears: bool
    platform: str = PLATFORM
    connected: bool = True

    async def open(self, host: Host) -> None:
        """Nobody has to be asked."""
        self._messages = host.messages

    async def run(self) -> None:
        """The script, if this life hears it: a round when the one before it is over."""
        for heard in rounds(self.clock.now()) if self.hears else []:
            await asyncio.gather(*await asyncio.gather(*map(self._messages.receive, heard)))
            self.clock.move(BETWEEN_ROUNDS)

    async def close(self) -> None:
        """The file stays."""

    async def post(self, reply: Reply, begin: Begin) -> None:
        """One line, on the disk when this returns."""
        await begin()
        append(self.path, reply.to.message_id)
        self.killer.here(AFTER_SEND)

    async def tell(self, person: PersonKey, text: str) -> None:
        """Nobody is here but whoever talks."""
        raise DeliveryRefused(f"{person.user_id} takes nothing here")

    async def write(self, chat_id: str, text: str, buttons: Rows = (), message_id: str = "") -> str:
        """There are no chats."""
        raise DeliveryRefused(f"there is no chat {chat_id!r} here")

    async def hold(self, message: IncomingMessage, notice: Notice) -> None:
        """Nobody looks."""

    @asynccontextmanager
    async def typing(self, chat: ChatKey) -> AsyncIterator[None]:
        """Nobody looks."""
        del chat
        yield


def append(path: Path, line: str) -> None:
    """Append one line and wait for the disk."""
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())


@dataclass(frozen=True)
class Life:
    """How one process lives: start, recover, hear the whole script or nothing. `number`: of its series, from 0."""

    folder: Path
    number: int
    recognises: bool
    hears: bool
    point: str = ""
    passing: int = 0


def live(life: Life, parent: Connection) -> None:
    """Entry point of the process."""
    logging.basicConfig(filename=life.folder / "service.log", level=logging.WARNING)
    asyncio.run(_live(life, Executioner(life.point, life.passing, parent)))


async def _live(life: Life, killer: Executioner) -> None:
    files = Files(life.folder)
    clock = FakeClock(START + life.number * (ROUNDS + 1) * BETWEEN_ROUNDS)
    adapter = FileAdapter(files.posts, _EVER if life.recognises else timedelta(0), clock, killer, life.hears)
    async with await Record.open(f"sqlite+aiosqlite:///{files.record}") as record:
        thinking = models(KillingModel(FakeLanguageModel(rule), killer))
        # every default, whatever this host has set
        app = assemble(Settings.model_construct(), record, thinking, [adapter], clock)
        put_between(app, KillingTurns(record.turns, killer, files.accepted))
        await app.run()
