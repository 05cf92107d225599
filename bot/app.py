"""Wiring: the only place that names concrete classes."""

from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from bot.adapters.base import Adapter, Host
from bot.commands import Commands
from bot.config import Settings
from bot.faces import Faces
from bot.moderation.bench import Bench
from bot.moderation.casework import CaseWork
from bot.moderation.desk import Desk
from bot.moderation.news import News
from bot.moderation.review import ReviewQueue
from bot.moderation.telling import Teller
from bot.observing.checks import Check, connected, writable
from bot.observing.metrics import Metrics
from bot.outbox import Outbox
from bot.places import Places
from bot.reload import Reload
from bot.service import Service
from bot.thinking import thinking
from bot.turns import HereTurns, Turns
from bot.waiting import Line
from core import Conversation, Models
from core.ports import Clock
from models.avatar import AvatarStudio
from storage.hot import MakeHotState
from storage.record import Record


class SystemClock:
    """core.ports.Clock."""

    def now(self) -> datetime:
        """Aware, in UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True)
class App:
    """A wired service; `run` serves until its adapters are done. `beside`: what goes on meanwhile, and never ends."""

    service: Service
    host: Host
    reload: Reload
    checks: Mapping[str, Check] = field(default_factory=dict)
    beside: Sequence[Callable[[], Coroutine[Any, Any, None]]] = ()

    async def run(self) -> None:
        """Recover, then serve."""
        await self.service.run(self.host, self.beside)


@asynccontextmanager
async def build(settings: Settings, adapters: Sequence[Adapter], metrics: Metrics | None = None) -> AsyncIterator[App]:
    """Everything in one process. Raises ConfigurationError or RecordError before anyone waits."""
    metrics = metrics or Metrics()
    async with opened(settings, metrics) as record, thinking(settings, metrics) as thoughts:
        app = assemble(settings, record, thoughts.models, adapters, SystemClock(), metrics)
        yield replace(app, checks={**app.checks, **thoughts.checks})


@asynccontextmanager
async def opened(settings: Settings, metrics: Metrics) -> AsyncIterator[Record]:
    """The record, with hot state in Redis where there is one. Raises RecordError."""
    hot: MakeHotState | None = None
    if redis := settings.redis_url.get_secret_value():
        from storage.redis import RedisState  # an extra

        hot = partial(RedisState, redis)
    async with await Record.open(settings.record, hot=hot, watch=metrics) as record:
        yield record


def assemble(
    settings: Settings,
    record: Record,
    models: Models,
    adapters: Sequence[Adapter],
    clock: Clock,
    metrics: Metrics | None = None,
) -> App:
    """One process out of its parts; whoever has other models or another clock begins here."""
    reload = Reload(settings, models.ethics_thresholds)
    conversation = Conversation(models, record.turns, clock, settings.policy, record.hot, reload.rulebook)
    turns = HereTurns(conversation, record.turns, record.cases, metrics)
    return front(settings, record, turns, reload, adapters, clock, metrics)


def front(
    settings: Settings,
    record: Record,
    turns: Turns,
    reload: Reload,
    adapters: Sequence[Adapter],
    clock: Clock,
    metrics: Metrics | None = None,
) -> App:
    """All that people and moderators meet, over whatever finds the replies."""
    policy, moderation = settings.policy, settings.moderation
    # questions asked in a chat that has another id now are asked there again
    places = reload.places = Places(record.places, lambda: news.look_again())
    bench = Bench(record.cases, places, clock, policy, reload.rulebook, moderation.operator_keys)
    news = _news(settings, record, bench, adapters)
    casework = CaseWork(record.cases, news, clock, timedelta(days=moderation.retention_days))
    line = Line(settings.turn.line, patience_s=settings.turn.patience_s)
    service = Service(turns, record.turns, adapters, Outbox(record.turns, clock, metrics), line, casework, metrics)
    desk = Desk(bench, news, settings.language)
    host = Host(
        messages=service,
        history=record.turns,
        commands=Commands(record, record.buttons, places, desk, clock, policy, turns.settled),
        places=places,
        faces=Faces(AvatarStudio(settings.cache_dir / "faces"), places),
        notes=record.notes,
        clock=clock,
        language=settings.language,
    )
    checks = {f"platform {one.platform}": connected(one) for one in adapters}
    checks["record"] = writable(record.notes, clock, "front")
    return App(service, host, reload, checks)


def _news(settings: Settings, record: Record, bench: Bench, adapters: Sequence[Adapter]) -> News:
    """A review queue for each platform, and news for the people concerned on all of them."""
    chats = settings.moderation
    queues = {
        one.platform: ReviewQueue(one, bench, chats.review_chat(one.platform), settings.language) for one in adapters
    }
    spoken_to = {adapter.platform: adapter for adapter in adapters}
    return News(queues, Teller(spoken_to, bench.cases, bench.clock, bench.policy.zone))
