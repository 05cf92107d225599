"""Processes that somebody looks after: whoever ends is started again, as a host's supervisor does it."""

import asyncio
import json
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parents[1]
# before whoever ended by itself is started again, as `restart: always` waits
_PAUSE_S = 0.5


@dataclass(frozen=True)
class Node:
    """`role`: run, gateway, worker. `platforms`: name → whether it recognises repetitions.

    `takes_s`, `at_once`: as `_chaos_script.models` takes them. `line`: turns that may be under way, or wait in the
    streams. `lease_s`: how long a right lasts.
    """

    name: str
    role: str
    socket: str
    record: str
    platforms: dict[str, bool]
    redis: str = ""
    takes_s: float = 0.01
    at_once: int = 64
    line: int = 1024
    lease_s: float = 10.0

    @classmethod
    def read(cls, written: str) -> Self:
        """What `written` gave."""
        return cls(**json.loads(written))

    @property
    def written(self) -> str:
        """As an argument of the process."""
        return json.dumps(asdict(self))


@dataclass
class House:
    """Every process writes to a log of its own in `folder`.

    `ended`: how often who ended unasked, and with what status; `stopped`: statuses after SIGTERM.
    """

    folder: Path
    ended: Counter[str] = field(default_factory=Counter)
    stopped: Counter[int] = field(default_factory=Counter)
    _processes: dict[str, Process] = field(default_factory=dict)
    _looked_after: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _listens: dict[str, asyncio.Task[bytes]] = field(default_factory=dict)
    _asked: set[int] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        """Empty."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nobody stays."""
        for name in [*self._looked_after]:
            await self.kill(name, again=False)

    def pid(self, name: str) -> int:
        """Of the process that has this name now."""
        return self._processes[name].pid

    async def start(self, node: Node) -> None:
        """One more, from now on looked after."""
        process = await self._spawn(node)
        self._looked_after[node.name] = asyncio.create_task(self._look_after(node, process))

    async def kill(self, name: str, *, again: bool = True) -> None:
        """kill -9. `again`: somebody takes its place at once."""
        await self._end(name, by_force=True, again=again)

    async def stop(self, name: str, *, again: bool = True) -> float:
        """SIGTERM, once it listens to that; the seconds until it was gone."""
        await self._listens[name]
        start = time.monotonic()
        process = await self._end(name, by_force=False, again=again)
        self.stopped[process.returncode or 0] += 1
        return time.monotonic() - start

    async def _end(self, name: str, *, by_force: bool, again: bool) -> Process:
        process = self._processes[name]
        self._asked.add(process.pid)
        if not again:
            self._looked_after.pop(name).cancel()
        if process.returncode is None:
            (process.kill if by_force else process.terminate)()
        await process.wait()
        return process

    async def _look_after(self, node: Node, process: Process) -> None:
        while True:
            status = await process.wait()
            if process.pid not in self._asked:
                self.ended[f"{node.role} {status}"] += 1
                await asyncio.sleep(_PAUSE_S)
            process = await self._spawn(node)

    async def _spawn(self, node: Node) -> Process:
        with (self.folder / f"{node.name}.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "benchmarks._chaos_node", node.written, cwd=ROOT, stdout=PIPE, stderr=log
            )
        assert process.stdout is not None
        self._listens[node.name] = asyncio.create_task(process.stdout.readline())
        self._processes[node.name] = process
        return process
