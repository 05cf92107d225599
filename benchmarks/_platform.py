"""A platform's stand-in and the service as processes, for the platform benchmarks."""

import asyncio
import json
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import aiohttp

from benchmarks._marks import Said, Shown, mark_in

ROOT = Path(__file__).resolve().parents[1]
# an idle machine needs a second; a busy one may take its time
_START_S = 60.0
_STOP_S = 60.0
# nothing more appears within this time: what is missing then is lost
_PATIENCE_S = 60.0
_LOOK_EVERY_S = 0.5
# exit status of who was told to end
_TERMINATED = 128 + signal.SIGTERM


class StandIn:
    """The platform's process. Answers and arguments are those of its control.py."""

    def __init__(self, addresses: dict[str, str], session: aiohttp.ClientSession) -> None:
        self.addresses = addresses
        self._session = session

    async def tell(self, name: str, what: Any) -> Any:
        """POST /control/NAME. RuntimeError where it is refused."""
        async with self._session.post(f"{self.addresses['url']}/control/{name}", json=what) as response:
            answer = await response.text()
        if response.status != 200:
            raise RuntimeError(f"{name} {what}: {response.status} {answer}")
        return json.loads(answer)

    async def ask(self, name: str) -> Any:
        """GET /control/NAME."""
        async with self._session.get(f"{self.addresses['url']}/control/{name}") as response:
            return await response.json()


@asynccontextmanager
async def stand_in(module: str, folder: Path, *arguments: str) -> AsyncIterator[StandIn]:
    """`python -m MODULE`, from its first line to its end; what it complains of is logged in `folder`."""
    command = [sys.executable, "-m", module, *arguments]
    with _opened(folder / "stand_in.log") as log:
        process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=log)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(_START_S):
            line = await process.stdout.readline()
        # its longest answers are waits
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as session:
            yield StandIn(json.loads(line), session)
    finally:
        await _end(process)


@dataclass
class House:
    """A folder with a record, and the service on it, one life after the other. `options`: of _platform_service."""

    platform: str
    folder: Path
    options: Sequence[str]
    _process: asyncio.subprocess.Process | None = field(default=None, init=False)

    @property
    def log(self) -> Path:
        """What all lives wrote down."""
        return self.folder / "service.log"

    async def start(self, *more: str) -> None:
        """Begin a life."""
        command = ["-m", "benchmarks._platform_service", self.platform, str(self.folder), *self.options, *more]
        with _opened(self.log) as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, *command, cwd=ROOT, stdout=log, stderr=log
            )

    async def stop(self) -> None:
        """SIGTERM; RuntimeError unless it ends well."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        if status := await self._ended():
            raise RuntimeError(f"the service ended with {status}; see {self.log}")

    async def dies(self) -> None:
        """Until it has killed itself; RuntimeError if it ended otherwise."""
        if (status := await self._ended()) != -signal.SIGKILL:
            raise RuntimeError(f"the service was to be killed and ended with {status}; see {self.log}")

    async def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.kill()
        await self.dies()

    async def close(self) -> None:
        """Whatever state it is in."""
        if self._process is not None:
            await _end(self._process)

    def failed(self) -> bool:
        """Whether it is no longer alive."""
        return self._process is None or self._process.returncode is not None

    def unknown(self) -> frozenset[int]:
        """Marks of the messages whose reply left and perhaps arrived."""
        with closing(sqlite3.connect(self.folder / "ohlora.db")) as database:
            return frozenset(mark for (text,) in database.execute(_UNKNOWN) if (mark := mark_in(text)) is not None)

    def logged_unknown(self) -> int:
        """Replies of which the log says that nobody knows."""
        return self.log.read_text(encoding="utf-8").count("nobody can know whether its reply arrived")

    async def _ended(self) -> int:
        assert self._process is not None
        async with asyncio.timeout(_STOP_S):
            return await self._process.wait()


# a reply that never began to leave must arrive
_UNKNOWN = """
    SELECT inbox.text FROM outbox JOIN turns ON turns.id = outbox.turn_id JOIN inbox ON inbox.id = turns.inbox_id
    WHERE outbox.state = 'unknown' AND outbox.begun_at IS NOT NULL
"""


@asynccontextmanager
async def house(platform: str, folder: Path, options: Sequence[str]) -> AsyncIterator[House]:
    """The service, not started yet; whatever life it leads at the end is ended."""
    service = House(platform, folder, options)
    try:
        yield service
    finally:
        await service.close()


def _opened(log: Path) -> BinaryIO:
    log.parent.mkdir(parents=True, exist_ok=True)
    return log.open("ab")


async def answered(look: Callable[[], Awaitable[list[Shown]]], said: Sequence[Said], service: House) -> None:
    """Until every message has its reply, or nothing has appeared for a while. `look` finds what is shown."""
    loop = asyncio.get_running_loop()
    before, since = -1, loop.time()
    while True:
        there = {mark_in(one.text) for one in await look()}
        missing = sum(message.mark not in there for message in said)
        if not missing or service.failed():
            return
        if missing != before:
            before, since = missing, loop.time()
        elif loop.time() - since > _PATIENCE_S:
            return
        await asyncio.sleep(_LOOK_EVERY_S)


def run(work: Coroutine[Any, Any, None]) -> None:
    """To its end, or until SIGTERM: its processes end with it."""

    async def guarded() -> None:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        await work

    try:
        asyncio.run(guarded())
    except asyncio.CancelledError:
        raise SystemExit(_TERMINATED) from None


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(5):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
