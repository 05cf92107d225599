"""The device process seen from the service: started on demand, killed when it hangs, restarted after a crash."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence

from core.errors import ConfigurationError, DeviceLost, GenerationFailed, OutOfMemory
from models.engine import Json
from models.weights import Weights

# a batch of 64 vectors or completions is far below this
_LONGEST_LINE = 32 * 1024 * 1024
# from the end of its output to the end of the process
_DYING_S = 5.0


class DeviceProcess:
    """models.engine.Device in a process of its own, so that a computing model never holds up the event loop.

    The process hangs when neither an answer nor a sign of life comes for `silence_s`, or its models do not load within
    `loading_s`. `worker`: the module it runs, which speaks as models.worker does.
    """

    def __init__(
        self,
        weights: Weights,
        threads: int = 0,
        seed: int | None = None,
        *,
        silence_s: float = 60.0,
        loading_s: float = 600.0,
        worker: str = "models.worker",
    ) -> None:
        self._command = [worker, weights.to_json(), str(threads), "" if seed is None else str(seed)]
        self._silence_s = silence_s
        self._loading_s = loading_s
        self._process: Process | None = None
        self._starting = asyncio.Lock()
        self._batch = 0

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
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-W", "ignore", "-m", *self._command), stdin=PIPE, stdout=PIPE, limit=_LONGEST_LINE
            )
            answer: Json = {}
            try:
                answer = await self._read(self._process, self._loading_s)
            except DeviceLost as error:
                answer = {"error": str(error)}
            finally:
                if "ready" not in answer:  # if we were cancelled, its first line would be read as a batch's
                    await self.close()
            if "error" in answer:
                raise ConfigurationError(f"the models do not load: {answer['error']}")

    async def run(self, lane: str, requests: Sequence[Json]) -> list[Json]:
        """One batch. Raises GenerationFailed when it was refused, DeviceLost when the process crashed or hung.

        Whatever happened, the next batch finds a process that works, if there can be one (ConfigurationError).
        """
        await self.start()
        process = self._process
        assert process is not None  # start() has just set it
        self._batch += 1
        self._tell(process, {"batch": self._batch, "lane": lane, "requests": list(requests)})
        answer: Json = {"beat": True}
        try:
            while "beat" in answer:
                answer = await self._read(process, self._silence_s)
        except asyncio.CancelledError:
            await self.close()  # its answer would be read as the next batch's
            raise
        if "error" in answer:
            kind = OutOfMemory if answer.get("memory") else GenerationFailed
            raise kind(f"{lane}: {answer['error']}")
        return list(answer["results"])

    def cancel(self, row: int) -> None:
        """Stop a row of the running batch between two tokens."""
        if self._process is not None:
            self._tell(self._process, {"batch": self._batch, "cancel": row})

    async def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()

    def _tell(self, process: Process, message: Json) -> None:
        """Not drained: one batch at a time is all there is, and whether the process took it shows in its answer."""
        assert process.stdin is not None  # it was opened as a pipe
        process.stdin.write(json.dumps(message).encode() + b"\n")

    async def _read(self, process: Process, patience_s: float) -> Json:
        assert process.stdout is not None  # it was opened as a pipe
        try:
            async with asyncio.timeout(patience_s):
                line = await process.stdout.readline()
            if line:
                answer: Json = json.loads(line)
                return answer
            async with asyncio.timeout(_DYING_S):
                code = await process.wait()
            cause = f"ended ({code})"
        except TimeoutError:
            cause = f"gave no sign of life for {patience_s:g} s"
        except ValueError as error:  # no JSON, or a line without end
            cause = f"cannot be understood ({error})"
        await self.close()
        raise DeviceLost(f"the device process {cause}")
