"""/healthz, /readyz and /metrics as a host's tools ask for them."""

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import psutil
import pytest
import pytest_asyncio

from bot.config import HttpSettings, Settings
from bot.observing.http import observing
from bot.observing.metrics import Metrics
from bot.observing.readiness import Check, Readiness
from bot.reload import Reload
from bot.serving import serve
from core.errors import ConfigurationError, RecordError
from tests.bot.observed import Watcher, watched_by

LIMIT_S = 0.1


class Dependency:
    """Counts who asks; raises `error`; waits for `gate`."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.asked = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self) -> None:
        self.asked += 1
        await self.gate.wait()
        if self.error is not None:
            raise self.error


@pytest.fixture
def readiness() -> Readiness:
    """One that asks anew each time."""
    return Readiness(LIMIT_S, keep_s=0)


@pytest_asyncio.fixture
async def watcher(readiness: Readiness) -> AsyncIterator[Watcher]:
    async with watched_by(Metrics(role="gateway"), readiness) as opened:
        yield opened


async def test_she_is_alive_from_the_start_but_ready_only_while_she_serves(
    watcher: Watcher, readiness: Readiness
) -> None:
    assert await watcher.ready() == (503, {"ready": False, "state": "starting", "checks": {}})
    assert await watcher.get("/healthz") == (200, '{"alive": true}')
    with readiness.serving({"record": Dependency()}):
        status, report = await watcher.ready()
        assert (status, report["ready"], report["state"]) == (200, True, "serving")
        assert report["checks"]["record"]["state"] == "ok"
        readiness.stop()
        status, report = await watcher.ready()
        assert (status, report["state"], report["checks"].keys()) == (503, "stopping", {"record"})
    assert await watcher.ready() == (503, {"ready": False, "state": "stopping", "checks": {}})
    assert await watcher.get("/healthz") == (200, '{"alive": true}')


async def test_one_thing_that_fails_makes_her_unready_and_is_named_without_what_it_said(
    watcher: Watcher, readiness: Readiness, caplog: pytest.LogCaptureFixture
) -> None:
    record = Dependency(RecordError("no postgresql://lora:p4ss@db for you"))
    with readiness.serving({"record": record, "redis": Dependency()}):
        for _ in range(2):
            status, body = await watcher.get("/readyz")
            states = {name: seen["state"] for name, seen in json.loads(body)["checks"].items()}
            assert (status, states) == (503, {"record": "failed", "redis": "ok"})
            assert "p4ss" not in body
            assert "postgresql" not in body
        record.error = None
        assert await watcher.states() == {"record": "ok", "redis": "ok"}
    told = [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]
    assert told == [
        "not ready: record failed: RecordError: no postgresql://lora:p4ss@db for you",
        "ready again: record",
    ]


@pytest.mark.parametrize("error", [ValueError("?"), OSError(5, "?"), KeyError("?")], ids=repr)
async def test_whatever_a_check_raises_is_a_report_and_no_fault_of_the_server(
    watcher: Watcher, readiness: Readiness, error: Exception
) -> None:
    with readiness.serving({"redis": Dependency(error)}):
        assert await watcher.states() == {"redis": "failed"}


async def test_what_hangs_is_late_and_asked_once_until_it_answers(watcher: Watcher, readiness: Readiness) -> None:
    record = Dependency()
    record.gate.clear()
    with readiness.serving({"record": record}):
        for _ in range(3):
            assert await watcher.states() == {"record": "late"}
        assert record.asked == 1
        record.gate.set()
        assert await watcher.states() == {"record": "ok"}


async def test_many_who_ask_at_once_or_soon_after_cost_one_look() -> None:
    readiness, record = Readiness(keep_s=60), Dependency()
    async with watched_by(Metrics(), readiness) as watcher:
        with readiness.serving({"record": record}):
            await asyncio.gather(*(watcher.ready() for _ in range(20)))
            assert await watcher.states() == {"record": "ok"}
    assert record.asked == 1


async def test_metrics_are_what_prometheus_reads_with_version_role_and_process(watcher: Watcher) -> None:
    samples = {one.name: one for one in await watcher.samples()}
    assert samples["ohlora_build_info"].labels.keys() == {"version", "python", "role"}
    assert samples["ohlora_build_info"].labels["role"] == "gateway"
    assert samples["process_resident_memory_bytes"].value > 0


@pytest.mark.parametrize("path", ["/", "/metrics/x", "/readyz/../../etc/passwd"])
async def test_nothing_else_is_served(watcher: Watcher, path: str) -> None:
    assert (await watcher.get(path))[0] == 404


def listening() -> int:
    """Ports that this process listens at."""
    return sum(one.status == psutil.CONN_LISTEN for one in psutil.Process().net_connections())


async def test_without_a_port_nothing_listens() -> None:
    before = listening()
    async with observing(HttpSettings(), Metrics(), Readiness()):
        assert listening() == before


async def test_a_port_that_is_taken_stops_the_start_with_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = HttpSettings(port=taken.getsockname()[1])
        with pytest.raises(ConfigurationError, match=r"http\.port: 127\.0\.0\.1:\d+ cannot be listened at"):
            async with observing(settings, Metrics(), Readiness()):
                pass


@dataclass
class Servant:
    """Serves until it is cancelled."""

    checks: dict[str, Check]
    reload: Reload | None = None

    async def run(self) -> None:
        await asyncio.Event().wait()


async def test_a_process_can_be_watched_while_its_models_load_and_its_metrics_are_those_it_was_built_with() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    loading, loaded = asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def build(metrics: Metrics) -> AsyncIterator[Servant]:
        loading.set()
        await loaded.wait()
        metrics.dropped("paper")
        yield Servant({"record": Dependency()})

    serving = asyncio.create_task(serve("worker", Settings(http=HttpSettings(port=port)), build))
    await loading.wait()
    async with aiohttp.ClientSession() as session:
        watcher = Watcher(session, f"http://127.0.0.1:{port}")
        assert (await watcher.get("/healthz"))[0] == 200
        assert (await watcher.ready())[1]["state"] == "starting"
        loaded.set()
        while (await watcher.ready())[0] == 503:
            pass
        assert await watcher.states() == {"record": "ok"}
        assert await watcher.value("ohlora_turns_total", outcome="dropped") == 1
        assert await watcher.value("ohlora_build_info", role="worker") == 1
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
