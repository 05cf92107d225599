"""Wiring: the only place that names concrete classes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.adapters.base import Adapter, Host
from bot.commands import Commands
from bot.config import RemoteSettings, Settings
from bot.faces import Faces
from bot.moderation.bench import Bench
from bot.moderation.casework import CaseWork
from bot.moderation.desk import Desk
from bot.moderation.news import News
from bot.moderation.review import ReviewQueue
from bot.moderation.telling import Teller
from bot.places import Places
from bot.service import Service
from bot.turns import HereTurns
from bot.waiting import Line
from core import Conversation, Models
from core.ports import Clock, Encoder
from core.rules import Rulebook
from models.avatar import AvatarStudio
from models.device import DeviceProcess
from models.engine import Engine
from models.model_servers import ModelServers
from models.openai_lm import OpenAIEncoder, OpenAILanguageModel, verify_encoder
from models.registry import Profile, tokenizer_in
from models.serving import Parts, lanes_of, models_on, served_here
from models.weights import Weights
from storage.record import Record

# a turn asks the device for two things at once at most
_REQUESTS_PER_TURN = 2


class SystemClock:
    """core.ports.Clock."""

    def now(self) -> datetime:
        """Aware, in UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True)
class App:
    """A wired service; `run` serves until its adapters are done."""

    service: Service
    host: Host

    async def run(self) -> None:
        """Recover, then serve."""
        await self.service.run(self.host)


@asynccontextmanager
async def build(settings: Settings, adapters: Sequence[Adapter]) -> AsyncIterator[App]:
    """Everything opened, and closed again at the end. Raises ConfigurationError or RecordError before anyone waits."""
    async with await Record.open(settings.record) as record, _models(settings) as models:
        yield assemble(settings, record, models, adapters, SystemClock())


def assemble(settings: Settings, record: Record, models: Models, adapters: Sequence[Adapter], clock: Clock) -> App:
    """The parts put together; whoever has other models or another clock begins here."""
    policy = settings.policy
    conversation = Conversation(models, record.turns, clock, policy)
    # questions asked in a chat that has another id now are asked there again
    places = Places(record.places, lambda: news.look_again())
    moderation = settings.moderation
    rulebook = Rulebook(models.ethics_thresholds, policy.ladders, policy.bounds)
    bench = Bench(record.cases, places, clock, policy, rulebook, moderation.operator_keys)
    news = _news(settings, record, bench, adapters)
    casework = CaseWork(record.cases, news, clock, timedelta(days=moderation.retention_days))
    line = Line(settings.turn.line)
    turns = HereTurns(conversation, record.turns, casework)
    service = Service(turns, record.turns, adapters, clock, line, casework, settings.turn.patience_s)
    desk = Desk(bench, news, settings.language)
    host = Host(
        messages=service,
        history=record.turns,
        commands=Commands(record, record.buttons, places, desk, clock, policy, conversation.exclusive),
        places=places,
        faces=Faces(AvatarStudio(settings.cache_dir / "faces"), places),
        notes=record.notes,
        clock=clock,
        language=settings.language,
    )
    return App(service, host)


def _news(settings: Settings, record: Record, bench: Bench, adapters: Sequence[Adapter]) -> News:
    """A review queue for each platform, and news for the people concerned on all of them."""
    chats = settings.moderation
    queues = {
        one.platform: ReviewQueue(one, bench, chats.review_chat(one.platform), settings.language) for one in adapters
    }
    spoken_to = {adapter.platform: adapter for adapter in adapters}
    return News(queues, Teller(spoken_to, bench.cases, bench.clock, bench.policy.zone))


@asynccontextmanager
async def _models(settings: Settings) -> AsyncIterator[Models]:
    """The configured models, checked and loaded: on this machine, on model servers, or some here and some there."""
    chosen = settings.models
    profile, weights = served_here(chosen.profile, chosen.instead, settings.models_dir, chosen.remote.lanes)
    async with AsyncExitStack() as stack:
        engine, loading, remote = None, None, None
        if weights:
            profile.verify(weights)
            engine, loading = await stack.enter_async_context(_device(settings, weights))
        if chosen.remote.urls:
            remote = await stack.enter_async_context(_servers(chosen.remote, profile))
        models = models_on(engine, profile, weights, recall=chosen.recall, remote=remote)  # while the device loads
        if remote and "memory_encoder" in remote.encoders and models.recall:
            await verify_encoder(models.memory_encoder, models.recall)
        if loading:
            await loading
        yield models


@asynccontextmanager
async def _device(settings: Settings, weights: Weights) -> AsyncIterator[tuple[Engine, asyncio.Task[None]]]:
    """The engine over this machine's device, and the loading of its models."""
    device = DeviceProcess(weights, settings.models.threads, settings.models.seed)
    engine = Engine(device, lanes_of(weights), _REQUESTS_PER_TURN * settings.turn.line)
    loading = asyncio.create_task(device.start())
    try:
        yield engine, loading
    finally:
        loading.cancel()
        await asyncio.gather(loading, return_exceptions=True)
        await engine.close()


@asynccontextmanager
async def _servers(remote: RemoteSettings, profile: Profile) -> AsyncIterator[Parts]:
    """What model servers do, once they have shown that they can."""
    tokenizer = tokenizer_in(remote.tokenizer) if remote.tokenizer else profile.tokenizer()
    tasks: dict[str, str] = dict(remote.tasks.items())
    judge = remote.encoders.get("ethics_encoder", "")
    async with ModelServers(remote.urls, remote.api_key.get_secret_value(), remote.timeout_s) as servers:
        await servers.require(remote.names)
        language = OpenAILanguageModel(servers, tasks, tokenizer, remote.extra)
        await language.verify(remote.base)
        encoders: dict[str, Encoder] = {name: OpenAIEncoder(servers, model) for name, model in remote.encoders.items()}
        yield Parts(language, tasks, encoders, judge)
