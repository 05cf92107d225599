"""One process of the service: what it has around it, whatever it does."""

import asyncio
import signal
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from typing import Protocol

from bot.config import Settings
from bot.observing.http import observing
from bot.observing.metrics import Metrics
from bot.observing.readiness import Check, Readiness
from bot.reload import Reload, reloading, use_texts


class Servant(Protocol):
    """What is wired and ready to run."""

    @property
    def checks(self) -> Mapping[str, Check]:
        """Whether it can work now."""
        ...

    @property
    def reload(self) -> Reload | None:
        """What may change while it works."""
        ...

    async def run(self) -> None:
        """Until it is done. A cancelled run finishes what is under way first."""
        ...


# opened, and closed again at the end; what it reports goes into the metrics
Build = Callable[[Metrics], AbstractAsyncContextManager[Servant]]


async def serve(role: str, settings: Settings, build: Build) -> None:
    """Build and run it, watched by whoever asks, until it is done or SIGTERM comes.

    Raises CancelledError then; ConfigurationError or RecordError when it cannot start.
    """
    task = asyncio.current_task()
    assert task is not None
    metrics, readiness = Metrics(role=role), Readiness()

    def stop() -> None:
        readiness.stop()
        task.cancel()

    with suppress(NotImplementedError):  # Windows; there Ctrl-C has to do
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)
    use_texts(settings)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(observing(settings.http, metrics, readiness))
        servant = await stack.enter_async_context(build(metrics))
        if servant.reload:
            await stack.enter_async_context(reloading(servant.reload, settings.data_dir, role))
        stack.enter_context(readiness.serving(servant.checks))
        await servant.run()
