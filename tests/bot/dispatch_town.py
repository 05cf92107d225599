"""Gateways and workers with connections of their own, in one loop or in processes, over one record and a real Redis."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bot.app import App, front
from bot.config import DispatchSettings, Settings
from bot.dispatch.gateway import RemoteTurns
from bot.dispatch.wiring import assemble_worker
from bot.dispatch.worker import Worker
from bot.observing.metrics import Metrics
from bot.reload import Reload
from core import Models
from core.ethics import Thresholds
from core.messages import IncomingMessage
from core.ports import Completion, LanguageModel, Prompt
from core.tasks import OUTPUT_MESSAGE
from models.fakes import FakeClock, FakeEncoder, FakeLanguageModel
from storage.record import Record
from storage.redis import RedisState
from storage.streams import Streams
from tests.bot.conftest import PaperAdapter, PuppetModel, nothing_is_left
from tests.redis_server import RedisServer

QUICK = DispatchSettings(partitions=4, lease_s=1)
NOBODY = Thresholds({"love": 2.0, "politics": 2.0, "insult": 2.0, "hate": 2.0}, 0.5)


@dataclass
class Gateway:
    """One that has its platforms."""

    app: App
    turns: RemoteTurns
    record: Record

    async def hear(self, *messages: IncomingMessage) -> list[asyncio.Future[None]]:
        """These, in this order; the futures end with their turns."""
        return [await self.app.service.receive(message) for message in messages]

    async def answer(self, *messages: IncomingMessage) -> None:
        """These, until the end of their turns."""
        await asyncio.gather(*await self.hear(*messages))


@dataclass
class Town:
    """What everybody shares."""

    url: str
    redis: RedisServer
    lock_wait_s: float = 5.0
    language: PuppetModel = field(default_factory=PuppetModel)
    settings: Settings = field(default_factory=lambda: Settings.model_construct(dispatch=QUICK))

    def set(self, **numbers: float) -> None:
        """Other limits, for whoever comes from now on."""
        self.settings = Settings.model_construct(dispatch=DispatchSettings(**{**QUICK.model_dump(), **numbers}))

    @asynccontextmanager
    async def gateway(self, *adapters: PaperAdapter) -> AsyncIterator[Gateway]:
        """One that took up what was left."""
        async with self._process() as (record, streams):
            platforms, limits = [adapter.platform for adapter in adapters], self.settings.limits
            async with RemoteTurns(streams, record.hot, record.turns, platforms, limits, record.dead) as turns:
                app = front(self.settings, record, turns, Reload(self.settings, NOBODY), adapters, FakeClock())
                await app.service.recover()
                try:
                    yield Gateway(app, turns, record)
                finally:
                    await app.service._drain()

    @asynccontextmanager
    async def worker(self, language: LanguageModel | None = None) -> AsyncIterator[Worker]:
        """One that works; at the end it is asked to stop, and waited for."""
        async with self._process() as (record, streams):
            models = Models(language or self.language, FakeEncoder(), 0.3, FakeEncoder(), NOBODY, None, "fakes")
            worker = assemble_worker(self.settings, record, streams, models, FakeClock(), Metrics()).worker
            running = asyncio.create_task(worker.run())
            try:
                yield worker
            finally:
                running.cancel()
                await asyncio.wait([running])
                assert running.cancelled(), running.exception()

    @asynccontextmanager
    async def elsewhere(self) -> AsyncIterator["Elsewhere"]:
        """A worker in a process of its own, which is killed at the end."""
        numbers = self.settings.dispatch.model_dump_json()
        command = (sys.executable, "-m", __name__, self.url, self.redis.url, numbers)
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
        )
        worker = Elsewhere(process)
        try:
            yield worker
        finally:
            if process.returncode is None:
                await worker.kill()

    @asynccontextmanager
    async def _process(self) -> AsyncIterator[tuple[Record, Streams]]:
        hot = partial(RedisState, self.redis.url)
        async with AsyncExitStack() as stack:
            record = await stack.enter_async_context(await Record.open(self.url, lock_wait=self.lock_wait_s, hot=hot))
            streams = Streams(self.redis.url, self.settings.dispatch.partitions, record.incarnation)
            yield record, await stack.enter_async_context(streams)


async def all_is_done(record: Record) -> None:
    """Returns once nothing is left of any turn: a worker does its bookkeeping behind the reply, and tells nobody."""
    async with asyncio.timeout(10):
        while not await nothing_is_left(record):  # noqa: ASYNC110  # other processes write it
            await asyncio.sleep(0.02)


async def until(worker: Worker, wanted: Callable[[], bool]) -> None:
    """Returns once a look of the worker after its partitions made that true."""
    stirred = worker._holding.stirred
    async with asyncio.timeout(10):
        while not wanted():
            stirred.clear()
            await stirred.wait()


@dataclass
class Elsewhere:
    """A worker's process."""

    process: asyncio.subprocess.Process

    async def begins(self, text: str) -> None:
        """Returns when it is about to answer a message with this text."""
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            if text in line.decode():
                return
        raise AssertionError(f"the worker ended before it answered {text!r}")

    def pause(self) -> None:
        """It does nothing, and knows nothing of that."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """It goes on as if nothing had happened."""
        self.process.send_signal(signal.SIGCONT)

    async def kill(self) -> None:
        """As a crash does it."""
        self.process.kill()
        await self.process.wait()

    async def stop(self) -> None:
        """As a host does it."""
        self.process.terminate()
        await self.process.wait()


class _Telling(FakeLanguageModel):
    """Prints whatever it is about to answer; "die" ends the process, "wait" takes until it is stopped and goes on,
    "slow" a moment."""

    async def complete(self, prompt: Prompt) -> Completion:
        """As it says."""
        if prompt.task == OUTPUT_MESSAGE.name:
            print(prompt.text, flush=True)
            if "die" in prompt.text:
                os.kill(os.getpid(), signal.SIGKILL)
            if "wait" in prompt.text:
                await _resumed.wait()
            if "slow" in prompt.text:
                await asyncio.sleep(0.1)
        return await super().complete(prompt)


_resumed = asyncio.Event()


async def _work(url: str, redis_url: str, numbers: str) -> None:
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGCONT, _resumed.set)
    town = Town(url, RedisServer(Path(), int(redis_url.rsplit(":", 1)[1].split("/")[0])))
    town.set(**DispatchSettings.model_validate_json(numbers).model_dump())
    async with town.worker(_Telling()):
        stopped = asyncio.Event()
        loop.add_signal_handler(signal.SIGTERM, stopped.set)
        await stopped.wait()


if __name__ == "__main__":
    asyncio.run(_work(*sys.argv[1:]))
