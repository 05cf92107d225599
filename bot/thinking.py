"""The configured models, checked and loaded: on this machine, on model servers, or some here and some there."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from bot.config import RemoteSettings, Settings
from bot.observing.checks import Check, differ, models_answer
from bot.observing.metrics import Metrics
from bot.observing.models import watched
from core import Models
from core.ports import Encoder
from models.device import DeviceProcess
from models.engine import Engine
from models.model_servers import ModelServers
from models.openai_lm import OpenAIEncoder, OpenAILanguageModel, verify_encoder
from models.registry import Profile, tokenizer_in
from models.serving import Parts, lanes_of, models_on, served_here
from models.weights import Weights

# a turn asks the device for two things at once at most
_REQUESTS_PER_TURN = 2


@dataclass(frozen=True)
class Thinking:
    """Models that are ready, and how to find out whether they still are."""

    models: Models
    checks: Mapping[str, Check]


@asynccontextmanager
async def thinking(settings: Settings, metrics: Metrics) -> AsyncIterator[Thinking]:
    """Raises ConfigurationError when something is missing, damaged, or answers like a base without its adapter."""
    chosen = settings.models
    profile, weights = served_here(chosen.profile, chosen.instead, settings.models_dir, chosen.remote.lanes)
    async with AsyncExitStack() as stack:
        engine, loading, remote = None, None, None
        checks: dict[str, Check] = {}
        if weights:
            profile.verify(weights)
            engine, loading = await stack.enter_async_context(device_of(settings, weights, metrics))
        if chosen.remote.urls:
            remote, checks["adapters"] = await stack.enter_async_context(_servers(chosen.remote, profile))
        models = models_on(engine, profile, weights, recall=chosen.recall, remote=remote)  # while the device loads
        if remote and "memory_encoder" in remote.encoders and models.recall:
            await verify_encoder(models.memory_encoder, models.recall)
        if loading:
            await loading
        models = watched(models, metrics)
        yield Thinking(models, {"models": models_answer(models, metrics), **checks})


@asynccontextmanager
async def device_of(
    settings: Settings, weights: Weights, metrics: Metrics
) -> AsyncIterator[tuple[Engine, asyncio.Task[None]]]:
    """The engine over this machine's device, and the loading of its models."""
    device = DeviceProcess(weights, settings.models.threads, settings.models.seed)
    engine = Engine(device, lanes_of(weights), _REQUESTS_PER_TURN * settings.turn.line, metrics.registry)
    loading = asyncio.create_task(device.start())
    try:
        yield engine, loading
    finally:
        loading.cancel()
        await asyncio.gather(loading, return_exceptions=True)
        await engine.close()


@asynccontextmanager
async def _servers(remote: RemoteSettings, profile: Profile) -> AsyncIterator[tuple[Parts, Check]]:
    """What model servers do, once they have shown that they can."""
    tokenizer = tokenizer_in(remote.tokenizer) if remote.tokenizer else profile.tokenizer()
    tasks: dict[str, str] = dict(remote.tasks.items())
    judge = remote.encoders.get("ethics_encoder", "")
    async with ModelServers(remote.urls, remote.api_key.get_secret_value(), remote.timeout_s) as servers:
        await servers.require(remote.names)
        language = OpenAILanguageModel(servers, tasks, tokenizer, remote.extra)
        await language.verify(remote.base)
        encoders: dict[str, Encoder] = {name: OpenAIEncoder(servers, model) for name, model in remote.encoders.items()}
        yield Parts(language, tasks, encoders, judge), differ(language.verify, remote.base)
