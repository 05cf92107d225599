"""Wiring of gateways and workers, apart from bot.app because only they need Redis."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial

from bot.adapters.base import Adapter
from bot.app import App, SystemClock, front, opened
from bot.config import Settings
from bot.dispatch.gateway import RemoteTurns
from bot.dispatch.worker import Worker
from bot.observing.checks import Check, writable
from bot.observing.metrics import Metrics
from bot.reload import Reload
from bot.thinking import thinking
from bot.turns import HereTurns
from core import Conversation, Models
from core.errors import ConfigurationError
from core.ports import Clock
from models.serving import served_here
from storage.record import Record
from storage.streams import Streams


@dataclass(frozen=True)
class WorkerApp:
    """A wired worker; `run` takes turns until it is cancelled."""

    worker: Worker
    reload: Reload
    checks: Mapping[str, Check]

    async def run(self) -> None:
        """Take turns."""
        await self.worker.run()


@asynccontextmanager
async def build_gateway(
    settings: Settings, adapters: Sequence[Adapter], metrics: Metrics | None = None
) -> AsyncIterator[App]:
    """What talks to platforms, and leaves turns to workers. Entered once no other gateway has these platforms.

    Raises ConfigurationError or RecordError before anyone waits.
    """
    metrics = metrics or Metrics()
    _require_redis(settings)
    platforms = [adapter.platform for adapter in adapters]
    profile, _ = served_here(settings.models.profile, {}, settings.models_dir)
    own = profile.thresholds()[1]
    async with (
        opened(settings, metrics) as record,
        _streams(settings, record) as streams,
        RemoteTurns(streams, record.hot, record.turns, platforms, settings.limits, record.dead, metrics) as turns,
    ):
        metrics.backlog(lambda: turns.backlog)
        app = front(settings, record, turns, Reload(settings, own), adapters, SystemClock(), metrics)
        watching = partial(turns.watch, app.service.look_for_unanswered)
        yield replace(app, checks={**app.checks, "redis": streams.ping}, beside=(watching,))


@asynccontextmanager
async def build_worker(settings: Settings, metrics: Metrics | None = None) -> AsyncIterator[WorkerApp]:
    """What takes turns for gateways. Raises ConfigurationError or RecordError before it takes any."""
    metrics = metrics or Metrics()
    _require_redis(settings)
    async with (
        opened(settings, metrics) as record,
        _streams(settings, record) as streams,
        thinking(settings, metrics) as thoughts,
    ):
        app = assemble_worker(settings, record, streams, thoughts.models, SystemClock(), metrics)
        yield replace(app, checks={**app.checks, **thoughts.checks})


def assemble_worker(
    settings: Settings, record: Record, streams: Streams, models: Models, clock: Clock, metrics: Metrics
) -> WorkerApp:
    """A worker out of its parts; whoever has other models or another clock begins here."""
    reload = Reload(settings, models.ethics_thresholds)
    conversation = Conversation(models, record.turns, clock, settings.policy, record.hot, reload.rulebook)
    turns = HereTurns(conversation, record.turns, record.cases, metrics)
    worker = Worker(streams, record.hot, record, turns, settings.limits, metrics)
    metrics.partitions(lambda: worker.partitions)
    checks = {"record": writable(record.notes, clock, "worker"), "redis": streams.ping}
    return WorkerApp(worker, reload, checks)


def _require_redis(settings: Settings) -> None:
    if not settings.redis_url.get_secret_value():
        raise ConfigurationError("gateways and workers meet in Redis: set redis_url, or use ohlora run")


def _streams(settings: Settings, record: Record) -> Streams:
    return Streams(settings.redis_url.get_secret_value(), settings.dispatch.partitions, record.incarnation)
