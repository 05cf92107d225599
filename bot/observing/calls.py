"""What models are asked, and what comes of it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Histogram

from core.errors import EngineError, EngineOverloaded

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class Calls:
    """Every question to a model and its end. `answered`: task → when it last answered, by time.monotonic()."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.answered: dict[str, float] = {}
        self._seconds = Histogram(
            "ohlora_model_seconds", "From question to answer", ["task"], buckets=_SECONDS, registry=registry
        )
        self._tokens = Counter("ohlora_model_tokens", "New tokens", ["task"], registry=registry)
        self._ends = Counter(
            "ohlora_model_requests",
            "Questions by outcome: done, overloaded, failed",
            ["task", "outcome"],
            registry=registry,
        )

    @contextmanager
    def call(self, task: str) -> Iterator[None]:
        """One question, asked inside."""
        began = time.monotonic()
        try:
            yield
        except EngineError as error:
            self._ends.labels(task, "overloaded" if isinstance(error, EngineOverloaded) else "failed").inc()
            raise
        self.answered[task] = now = time.monotonic()
        self._seconds.labels(task).observe(now - began)
        self._ends.labels(task, "done").inc()

    def wrote(self, task: str, tokens: int) -> None:
        """How much an answer was."""
        self._tokens.labels(task).inc(tokens)
