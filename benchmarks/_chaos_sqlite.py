"""One process over a SQLite file whose disk is full, which may only be read, or which another program has locked."""

import asyncio
import os
import resource
import sqlite3
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, contextmanager, suppress
from pathlib import Path

from benchmarks._chaos_world import Outcome, single

PER_S = 12.0
LIMIT_S = 5.0
# a completion: long enough that many turns are under way when it begins
_TAKES_S = 0.2
# of the small disk: enough for a run, and quickly filled up
_DISK = "64m"
_BLOCK = bytes(4096)

# given the record's file and the service's process, breaks it for as long as the context lasts
Fault = Callable[[Path, int], AbstractAsyncContextManager[None]]


async def part(times: int, lasts_s: float, locked_s: float) -> Outcome:
    """Each fault `times` times on one process, which then is stopped: the next one must find nothing half-done."""
    outcome = Outcome("sqlite", 3 * times, LIMIT_S)
    with _small_disk() as disk:
        full = _no_room_on(disk) if disk is not None else _no_larger_files
        await _break(outcome, "full disk", full, times, lasts_s, disk)
    await _break(outcome, "read-only", _immutable, times, lasts_s)
    await _break(outcome, "locked", _locked, times, locked_s)
    return outcome


async def _break(
    outcome: Outcome, what: str, fault: Fault, times: int, lasts_s: float, disk: Path | None = None
) -> None:
    async with outcome.folder() as folder:
        record = (disk or folder) / "ohlora.db"
        async with single(folder, record, _TAKES_S) as (world, node):
            for _ in range(times):
                async with world.talking(PER_S):
                    async with fault(record, world.house.pid(node.name)):
                        await asyncio.sleep(lasts_s)
                    outcome.took(what, await world.recovered())
            if not await world.everybody_answered():
                outcome.missed.append(f"{what}: somebody got no reply, and no sentence either")
            await world.house.stop(node.name)
            await world.settled()
            outcome.add(await world.checked())
            if (said := world.ask("PRAGMA integrity_check")) != [["ok"]]:
                outcome.missed.append(f"{what}: {said}")
            outcome.close(world.house)


@contextmanager
def _small_disk() -> Iterator[Path | None]:
    """A disk of its own where this account may mount one."""
    with tempfile.TemporaryDirectory(prefix="ohlora-disk-") as folder:
        mounted = _done("mount", "-t", "tmpfs", "-o", f"size={_DISK}", "none", folder)
        try:
            yield Path(folder) if mounted else None
        finally:
            if mounted:
                _done("umount", "--lazy", folder)


def _no_room_on(disk: Path) -> Fault:
    @asynccontextmanager
    async def full(_record: Path, _pid: int) -> AsyncIterator[None]:
        with (disk / "ballast").open("wb", buffering=0) as ballast:
            with suppress(OSError):
                while True:
                    ballast.write(_BLOCK)
            yield
        (disk / "ballast").unlink()

    return full


@asynccontextmanager
async def _no_larger_files(record: Path, pid: int) -> AsyncIterator[None]:
    """The next best thing to a full disk."""
    largest = max(path.stat().st_size for path in record.parent.glob(f"{record.name}*"))
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))
    yield
    resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


@asynccontextmanager
async def _immutable(record: Path, _pid: int) -> AsyncIterator[None]:
    """Also for whoever has the file open. Raises RuntimeError where this account may not do that."""
    files = [str(record), f"{record}-wal"]
    if not _done("chattr", "+i", *files):
        raise RuntimeError("chattr +i does not work here: run this part as root, on ext4 or xfs")
    yield
    _done("chattr", "-i", *files)


@asynccontextmanager
async def _locked(record: Path, _pid: int) -> AsyncIterator[None]:
    with closing(sqlite3.connect(record, isolation_level=None, timeout=60)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield


def _done(*command: str) -> bool:
    return subprocess.run(command, env={"PATH": os.environ["PATH"]}, capture_output=True, check=False).returncode == 0
