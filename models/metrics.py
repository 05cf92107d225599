"""What the engine reports of itself, for Prometheus.

Tokens per second are the rate of `ohlora_engine_tokens_total` over that of `ohlora_engine_batch_seconds_sum`.
"""

from collections.abc import Callable, Iterable, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_SIZES = (1, 2, 4, 8, 16, 32, 64)


class EngineMetrics:
    """Counters and histograms with the label `task`, in a registry that takes one engine."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._waiting = Gauge("ohlora_engine_waiting", "Requests that wait", ["task"], registry=registry)
        self._wait = Histogram(
            "ohlora_engine_wait_seconds", "From arrival to batch", ["task"], buckets=_SECONDS, registry=registry
        )
        self._size = Histogram(
            "ohlora_engine_batch_size", "Requests in a batch", ["task"], buckets=_SIZES, registry=registry
        )
        self._seconds = Histogram(
            "ohlora_engine_batch_seconds", "Time of a batch", ["task"], buckets=_SECONDS, registry=registry
        )
        self._tokens = Counter("ohlora_engine_tokens", "New tokens", ["task"], registry=registry)
        self._ends = Counter(
            "ohlora_engine_requests",
            "Requests by outcome: done, failed, refused, late, cancelled",
            ["task", "outcome"],
            registry=registry,
        )

    def watch(self, task: str, waiting: Callable[[], float]) -> None:
        """Read a task's queue length whenever somebody asks for it."""
        self._waiting.labels(task).set_function(waiting)

    def began(self, task: str, waits: Sequence[tuple[str, float]]) -> None:
        """A batch that `task` leads goes to the device; `waits`: (task, seconds waited) of each of its requests."""
        for own, wait in waits:
            self._wait.labels(own).observe(wait)
        self._size.labels(task).observe(len(waits))

    def ended(self, task: str, seconds: float, tokens: Iterable[tuple[str, int]]) -> None:
        """It came back; `tokens`: (task, new tokens) of each request."""
        self._seconds.labels(task).observe(seconds)
        for own, count in tokens:
            self._tokens.labels(own).inc(count)

    def left(self, task: str, outcome: str) -> None:
        """A request has its end."""
        self._ends.labels(task, outcome).inc()
