"""Wiring: the only place that names concrete classes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot.adapters.base import Adapter, Command, Handlers
from bot.commands import Commands
from bot.config import Settings
from bot.service import Service
from core import Conversation, Models
from core.expression import Expression
from core.messages import PersonKey
from core.tasks import EYES_MOUTH_POSE, MEMORY, OUTPUT_MESSAGE, SUMMARY
from models.avatar import AvatarStudio
from models.device import DeviceProcess
from models.engine import Engine, Lane
from models.ports import EngineEncoder, EngineLanguageModel
from models.registry import Profile
from storage.record import Record

# what the person waits for goes first
LANES = {
    "memory_encoder": Lane(0, batch=64),
    "ethics_encoder": Lane(0, batch=64),
    OUTPUT_MESSAGE.name: Lane(1),
    EYES_MOUTH_POSE.name: Lane(2),
    MEMORY.name: Lane(3),
    SUMMARY.name: Lane(3),
}


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


def models_on(engine: Engine, profile: Profile, settings: Settings) -> Models:
    """Core's models over an engine."""
    memory_threshold, ethics_thresholds = profile.thresholds()
    return Models(
        language=EngineLanguageModel(engine, profile.tokenizer()),
        memory_encoder=EngineEncoder(engine, "memory_encoder"),
        memory_threshold=memory_threshold,
        ethics_encoder=EngineEncoder(engine, "ethics_encoder"),
        ethics_thresholds=ethics_thresholds,
        recall=profile.recall() if settings.models.recall else None,
        version=profile.version,
    )


@asynccontextmanager
async def build(settings: Settings, adapters: Callable[[SystemClock], Sequence[Adapter]]) -> AsyncIterator[App]:
    """Everything opened, and closed again at the end. Raises ConfigurationError or RecordError before anyone waits."""
    profile = profile_of(settings)
    device = DeviceProcess(profile.root, settings.models.threads, settings.models.seed)
    engine = Engine(device, LANES, settings.models.queue)
    loading = asyncio.create_task(device.start())  # models load while the record opens
    try:
        async with Record.open(settings.record) as record:
            clock, policy = SystemClock(), settings.turn.policy()
            conversation = Conversation(models_on(engine, profile, settings), record, clock, policy)
            service = Service(conversation, record.turns, adapters(clock))
            await loading
            yield App(service, _handlers(service, Commands(record, clock, policy), settings.cache_dir))
    finally:
        loading.cancel()
        await engine.close()


def _handlers(service: Service, commands: Commands, cache_dir: Path) -> Handlers:
    studio = AvatarStudio(cache_dir / "faces")

    async def picture(expression: Expression) -> Path:
        return await asyncio.to_thread(studio.path, expression)

    async def command(person: PersonKey, given: Command, language: str) -> str:
        return await commands.run(person, given, language)

    return Handlers(service.handle, command, picture)
