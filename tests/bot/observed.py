"""What a host sees, asked for over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from bot.observing.http import served
from bot.observing.metrics import Metrics
from bot.observing.readiness import Readiness


@dataclass
class Watcher:
    """Somebody who asks a running service."""

    session: aiohttp.ClientSession
    url: str

    async def get(self, path: str) -> tuple[int, str]:
        """Status and body."""
        async with self.session.get(f"{self.url}{path}") as response:
            return response.status, await response.text()

    async def ready(self) -> tuple[int, dict[str, Any]]:
        """Status and report of /readyz."""
        async with self.session.get(f"{self.url}/readyz") as response:
            return response.status, await response.json()

    async def states(self) -> dict[str, str]:
        """Check → its state; 503 comes with everything but "ok"."""
        status, report = await self.ready()
        states = {name: seen["state"] for name, seen in report["checks"].items()}
        assert (status == 200) == report["ready"] == (set(states.values()) <= {"ok"})
        return states

    async def samples(self) -> list[Sample]:
        """Everything at /metrics."""
        status, body = await self.get("/metrics")
        assert status == 200
        return [sample for family in text_string_to_metric_families(body) for sample in family.samples]

    async def value(self, name: str, **labels: str) -> float:
        """Of one sample; 0 where there is none."""
        found = [one.value for one in await self.samples() if one.name == name and labels.items() <= one.labels.items()]
        return sum(found)


@asynccontextmanager
async def watched_by(metrics: Metrics, readiness: Readiness) -> AsyncIterator[Watcher]:
    """A watcher of whatever these report."""
    async with served("127.0.0.1", 0, metrics.registry, readiness) as port, aiohttp.ClientSession() as session:
        yield Watcher(session, f"http://127.0.0.1:{port}")
