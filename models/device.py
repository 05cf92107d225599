"""The device process seen from the service: started on demand, restarted after a crash, never on the event loop."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from pathlib import Path

from core.errors import ConfigurationError, GenerationFailed
from models.engine import Json

# a batch of 64 vectors or completions is far below this
_LONGEST_LINE = 32 * 1024 * 1024


class DeviceProcess:
    """models.engine.Device in a process of its own, so that a computing model never holds up the event loop."""

    def __init__(self, profile: Path, threads: int = 0, seed: int | None = None) -> None:
        self._arguments = [str(profile), str(threads), "" if seed is None else str(seed)]
        self._process: Process | None = None
        self._starting = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """Of the process that runs now, None where none does."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def start(self) -> None:
        """Load the models. Raises ConfigurationError when they do not load."""
        async with self._starting:
            if self.pid is not None:
                return
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-W", "ignore", "-m", "models.worker", *self._arguments),
                stdin=PIPE,
                stdout=PIPE,
                limit=_LONGEST_LINE,
            )
            self._process = process
            try:
                answer = await self._read(process)
            except GenerationFailed as error:
                raise ConfigurationError(f"the models in {self._arguments[0]} do not load: {error}") from error
            except asyncio.CancelledError:
                await self.close()  # its first line would be read as a batch's
                raise
            if "error" in answer:
                await process.wait()
                raise ConfigurationError(f"the models in {self._arguments[0]} do not load: {answer['error']}")

    async def run(self, lane: str, requests: Sequence[Json]) -> list[Json]:
        """One batch. Raises GenerationFailed when the process died of it or refused it; the next finds a new one."""
        await self.start()
        process = self._process
        assert process is not None  # start() has just set it
        assert process.stdin is not None  # it was opened as a pipe
        try:
            process.stdin.write(json.dumps({"lane": lane, "requests": list(requests)}).encode() + b"\n")
            await process.stdin.drain()
            answer = await self._read(process)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise GenerationFailed(f"the device process ended ({await process.wait()})") from error
        except asyncio.CancelledError:
            await self.close()  # its answer would be read as the next batch's
            raise
        if "error" in answer:
            raise GenerationFailed(f"{lane}: {answer['error']}")
        return list(answer["results"])

    async def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()

    async def _read(self, process: Process) -> Json:
        assert process.stdout is not None  # it was opened as a pipe
        line = await process.stdout.readline()
        if not line:
            code = await process.wait()
            raise GenerationFailed(f"the device process ended ({code})")
        answer: Json = json.loads(line)
        return answer
