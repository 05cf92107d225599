"""What the service reports of itself, for Prometheus; models.metrics has what the engine does.

Labels are of a bounded set: platforms, outcomes, stages, categories, tasks; never a person, a chat or a text.
"""

import platform
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector

from bot.observing.calls import Calls
from core.errors import DeliveryError, DispatchError, EngineError, EngineOverloaded, OhLoraError, RecordError
from core.messages import Reply
from core.ports import Delivery
from core.sanctions import WARNING, Sanction

Stage = Literal["line", "finding", "commit", "delivery", "bookkeeping", "dispatch", "whole"]

# a turn that needs no model takes a millisecond, one behind a long line five minutes
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_DEPENDENCIES: Mapping[type[OhLoraError], str] = {
    RecordError: "record",
    DispatchError: "redis",
    EngineError: "models",
    DeliveryError: "platform",
}
_OWN = "own"


class Metrics:
    """Everything that is counted, in a registry that takes one service; without one, in a registry of its own."""

    def __init__(self, registry: CollectorRegistry | None = None, role: str = "") -> None:
        self.registry = registry = registry or CollectorRegistry()
        Info("ohlora_build", "What runs here", registry=registry).info(
            {"version": version("ohlora"), "python": platform.python_version(), "role": role}
        )
        ProcessCollector(registry=registry)
        self.calls = Calls(registry)
        self._turns = _counter("turns", "Messages by what became of them", ["platform", "outcome"], registry)
        self._rejections = _counter("rejections", "Messages answered with the busy sentence", ["reason"], registry)
        self._stages = _seconds("stage", "Stages of turns that came to their end", ["stage"], registry)
        self._sanctions = _counter("sanctions", "Steps that turns led to", ["category", "kind", "mode"], registry)
        self._deliveries = _counter("deliveries", "Replies by what became of them", ["platform", "outcome"], registry)
        self._errors = _counter("errors", "Failures by whose they were", ["dependency"], registry)
        self._record = _seconds("record", "Transactions, their wait included", ["kind"], registry)
        self._hot = _counter("hot_reads", "What turns asked of the hot state", ["outcome"], registry)
        self._dead_letters = _counter("dead_letters", "Messages given up after too many attempts", [], registry)
        # there from the start: an increase from nothing to one is no increase for Prometheus
        for dependency in (*_DEPENDENCIES.values(), _OWN):
            self._errors.labels(dependency)

    def answered(self, reply: Reply) -> None:
        """A turn came to its end with this reply."""
        outcome = "answered" if reply.text else "notice" if reply.notices else "silent"
        self._turns.labels(reply.to.chat.platform, outcome).inc()

    def dropped(self, platform: str) -> None:
        """A message was withdrawn before its reply was found."""
        self._turns.labels(platform, "dropped").inc()

    def busy(self, platform: str, reason: str) -> None:
        """A message got the busy sentence; `reason`: what there was too much of."""
        self._turns.labels(platform, "busy").inc()
        self._rejections.labels(reason).inc()

    def failed(self, platform: str, error: BaseException) -> None:
        """A message got the fault sentence."""
        self._turns.labels(platform, "failed").inc()
        self.error(error)

    def unanswered(self, platform: str, error: BaseException, reason: str = "models") -> None:
        """A message got no answer: busy or failed, as the error says."""
        if isinstance(error, EngineOverloaded):
            self.busy(platform, reason)
        else:
            self.failed(platform, error)

    @contextmanager
    def stage(self, stage: Stage) -> Iterator[None]:
        """Times what is done inside, unless it raises."""
        began = time.perf_counter()
        yield
        self.observe(stage, time.perf_counter() - began)

    def observe(self, stage: Stage, seconds: float) -> None:
        """How long a stage took."""
        self._stages.labels(stage).observe(seconds)

    def sanctioned(self, sanctions: Iterable[Sanction]) -> None:
        """A turn led to these steps."""
        for one in sanctions:
            self._sanctions.labels(one.category, "warning" if one.period == WARNING else "block", one.mode.value).inc()

    def delivered(self, platform: str, outcome: Delivery | Literal["unsure"]) -> None:
        """What became of a reply; "unsure": nobody knows yet."""
        self._deliveries.labels(platform, str(outcome)).inc()

    def error(self, error: BaseException) -> None:
        """Something failed, whatever was made of it."""
        whose = next((name for kind, name in _DEPENDENCIES.items() if isinstance(error, kind)), _OWN)
        self._errors.labels(whose).inc()

    def transaction(self, kind: str, seconds: float) -> None:
        """The record was asked; `kind`: read or write."""
        self._record.labels(kind).observe(seconds)

    def hot(self, hit: bool) -> None:
        """The hot state was asked."""
        self._hot.labels("hit" if hit else "miss").inc()

    def dead_letter(self) -> None:
        """A message was given up."""
        self._dead_letters.inc()

    def line(self, count: Callable[[], float]) -> None:
        """Read whenever somebody asks: how many turns are under way here."""
        self._watch("ohlora_line", "Turns under way", count)

    def backlog(self, count: Callable[[], float]) -> None:
        """Likewise: how many messages wait in the streams."""
        self._watch("ohlora_backlog", "Messages that wait for a worker", count)

    def partitions(self, count: Callable[[], float]) -> None:
        """Likewise: how many partitions this worker owns."""
        self._watch("ohlora_partitions", "Partitions owned by this worker", count)

    def _watch(self, name: str, what: str, count: Callable[[], float]) -> None:
        Gauge(name, what, registry=self.registry).set_function(count)


def _counter(name: str, what: str, labels: list[str], registry: CollectorRegistry) -> Counter:
    return Counter(f"ohlora_{name}", what, labels, registry=registry)


def _seconds(name: str, what: str, labels: list[str], registry: CollectorRegistry) -> Histogram:
    return Histogram(f"ohlora_{name}_seconds", what, labels, buckets=_SECONDS, registry=registry)
