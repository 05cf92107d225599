"""Wiring: the only place that names concrete classes."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot.adapters.base import Adapter, Command, Handlers
from bot.commands import Commands
from bot.config import Settings
from bot.service import Service
from core import Conversation
from core.expression import Expression
from core.messages import PersonKey
from models.avatar import AvatarStudio, RasterError
from models.device import DeviceProcess
from models.engine import Engine
from models.registry import Profile
from models.serving import LANES, models_on
from storage.record import Record

log = logging.getLogger(__name__)


class SystemClock:
    """core.ports.Clock."""

    def now(self) -> datetime:
        """Aware, in UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True)
class App:
    """A wired service; `run` serves until its adapters are done."""

    service: Service
    handlers: Handlers

    async def run(self) -> None:
        """Recover, then serve."""
        await self.service.run(self.handlers)


def profile_of(settings: Settings) -> Profile:
    """The configured models, checked. Raises ConfigurationError."""
    profile = Profile(settings.models.profile)
    profile.verify()
    return profile


@asynccontextmanager
async def build(settings: Settings, adapters: Callable[[SystemClock], Sequence[Adapter]]) -> AsyncIterator[App]:
    """Everything opened, and closed again at the end. Raises ConfigurationError or RecordError before anyone waits."""
    profile = profile_of(settings)
    device = DeviceProcess(profile.root, settings.models.threads, settings.models.seed)
    engine = Engine(device, LANES, settings.models.queue)
    loading = asyncio.create_task(device.start())  # models load while the record opens
    try:
        async with await Record.open(settings.record) as record:
            clock, policy = SystemClock(), settings.turn.policy()
            conversation = Conversation(
                models_on(engine, profile, recall=settings.models.recall), record, clock, policy
            )
            service = Service(conversation, record.turns, adapters(clock))
            await loading
            yield App(service, _handlers(service, conversation, Commands(record, clock, policy), settings.cache_dir))
    finally:
        loading.cancel()
        await asyncio.gather(loading, return_exceptions=True)
        await engine.close()


def _handlers(service: Service, conversation: Conversation, commands: Commands, cache_dir: Path) -> Handlers:
    studio = AvatarStudio(cache_dir / "faces")

    async def picture(expression: Expression) -> Path | None:
        try:
            return await asyncio.to_thread(studio.path, expression)
        except (OSError, RasterError):  # an answer without a face is better than none
            log.exception("no picture of %s", expression.tag)
            return None

    async def command(person: PersonKey, given: Command, language: str) -> str:
        async with conversation.exclusive(person):  # what the last turn still learns is shown, or forgotten, too
            return await commands.run(person, given, language)

    return Handlers(service.handle, command, picture)
