"""Faults to order, and Discord's rate limits."""

import re
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from .settings import Settings

KEPT = 10_000  # windows, before those that ended are let go
Kind = Literal["rate_limited", "status", "hang", "cut", "cut_before", "delay"]


@dataclass
class Fault:
    """What goes wrong, for requests whose method is `method` and whose path (below /api/v10) matches `path`.

    `rate_limited`: 429 with `retry_after` seconds (`everywhere`: the global one); `status`: answers `status`;
    `hang`: does it, never answers; `cut`: does it, then cuts the connection; `cut_before`: cuts without doing it;
    `delay`: waits `delay_s`, then does it.
    The first `skip` matches pass, `times` after them fail (None: all); `hits` counts the failed ones.
    """

    kind: Kind
    path: str = ""
    method: str = ""
    times: int | None = 1
    skip: int = 0
    status: int = 500
    retry_after: float = 1.0
    everywhere: bool = False
    delay_s: float = 0.0
    hits: int = 0

    def takes(self, method: str, path: str) -> bool:
        """Whether it strikes this request; counts."""
        if (self.method and self.method != method) or not re.search(self.path, path):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.times is not None and self.hits >= self.times:
            return False
        self.hits += 1
        return True


@dataclass
class Faults:
    """The faults that are ordered; the first that takes a request wins."""

    ordered: list[Fault] = field(default_factory=list)

    def add(self, fault: Fault) -> Fault:
        self.ordered.append(fault)
        return fault

    def clear(self) -> None:
        self.ordered.clear()

    def strike(self, method: str, path: str) -> Fault | None:
        return next((fault for fault in self.ordered if fault.takes(method, path)), None)


@dataclass
class Window:
    """How much of a bucket is used, until when (monotonic seconds)."""

    limit: int
    ends: float
    used: int = 0


@dataclass(frozen=True)
class Allowance:
    """What the headers say after a request; `scope` is set where it was one too many."""

    limit: int
    remaining: int
    reset_after: float
    bucket: str
    scope: Literal["user", "global"] | None = None

    def headers(self, clock: Callable[[], float] = time.time) -> dict[str, str]:
        """As Discord names them."""
        headers = {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": f"{clock() + self.reset_after:.3f}",
            "X-RateLimit-Reset-After": f"{self.reset_after:.3f}",
            "X-RateLimit-Bucket": self.bucket,
            "Via": "1.1 google",
        }
        return headers if self.scope is None else {**headers, "X-RateLimit-Scope": self.scope}


class RateLimits:
    """Fixed windows per route and major parameter; `rule` narrows single routes."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._rules: list[tuple[str, str, int, float]] = []
        self._windows: dict[tuple[str, str, str], Window] = {}
        self._everywhere = Window(0, 0.0)

    def rule(self, method: str, path: str, limit: int, window_s: float) -> None:
        """`limit` requests in `window_s` seconds for the route templates that match `path`."""
        self._rules.append((method, path, limit, window_s))

    def spend(self, method: str, template: str, major: str) -> Allowance:
        """Count one request."""
        now = time.monotonic()
        bucket = f"{zlib.crc32(f'{method} {template}'.encode()):08x}"
        key = (method, template, major)
        window = self._windows.get(key)
        if window is None or window.ends <= now:
            if len(self._windows) >= KEPT:
                self._windows = {one: open for one, open in self._windows.items() if open.ends > now}
            limit, length = self._size(method, template)
            window = self._windows[key] = Window(limit, now + length)
        if self._globally_over(template, now):
            return Allowance(window.limit, 0, self._everywhere.ends - now, bucket, "global")
        scope: Literal["user"] | None = "user" if window.used >= window.limit else None
        window.used = min(window.used + 1, window.limit)
        return Allowance(window.limit, window.limit - window.used, window.ends - now, bucket, scope)

    def _size(self, method: str, template: str) -> tuple[int, float]:
        for wanted, path, limit, length in self._rules:
            if wanted == method and re.search(path, template):
                return limit, length
        return self._settings.bucket_size, self._settings.bucket_window_s

    def _globally_over(self, template: str, now: float) -> bool:
        allowed = self._settings.global_per_s
        # Answers to interactions stand outside the global limit.
        if allowed is None or template.startswith(("/interactions", "/webhooks")):
            return False
        if self._everywhere.ends <= now:
            self._everywhere = Window(allowed, now + 1.0)
        self._everywhere.used += 1
        return self._everywhere.used > allowed
