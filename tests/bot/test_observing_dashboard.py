"""The Grafana dashboard and the alerts of docs/operating.md ask for what is really there."""

import json
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.app import assemble
from bot.config import Settings, TurnSettings
from bot.observing.metrics import Metrics
from bot.observing.models import watched
from bot.observing.readiness import Readiness
from core import Models
from core.errors import DispatchError, EngineOverloaded
from core.ethics import Thresholds
from core.tasks import OUTPUT_MESSAGE
from models.engine import Engine, Json, Lane
from models.fakes import FakeClock
from storage.record import Record
from tests.bot.conftest import JUN, PaperAdapter, PuppetModel, handle, say
from tests.bot.observed import watched_by
from tests.end_to_end.serving import FakeJudge

DOCS = Path(__file__).parents[2] / "docs"
DASHBOARD: dict[str, Any] = json.loads((DOCS / "operations" / "grafana.json").read_text(encoding="utf-8"))
PANELS: list[dict[str, Any]] = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
EXPRESSIONS = {f"{panel['title']} {target['refId']}": target["expr"] for panel in PANELS for target in panel["targets"]}
ALERTS = dict(enumerate(re.findall(r"expr: (.+)", (DOCS / "operating.md").read_text(encoding="utf-8"))))
# Prometheus gives these to every sample it fetches
GIVEN = {"instance", "job"}

Labels = Mapping[str, set[str]]


class EchoDevice:
    """Computes nothing: one token for every request."""

    async def run(self, lane: str, requests: Sequence[Json]) -> list[Json]:
        return [{"tokens": 1} for _ in requests]

    def cancel(self, row: int) -> None:
        pass

    async def close(self) -> None:
        pass


@asynccontextmanager
async def engine(metrics: Metrics) -> AsyncIterator[Engine]:
    opened = Engine(EchoDevice(), {OUTPUT_MESSAGE.name: Lane(1)}, registry=metrics.registry)
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def labels(
    record: Record, thinking: Models, language: PuppetModel, paper: PaperAdapter, clock: FakeClock
) -> Labels:
    """Sample → its labels, after a service has done everything there is to count."""
    metrics = Metrics(role="run")
    models = replace(thinking, ethics_encoder=FakeJudge(), ethics_thresholds=Thresholds())
    settings = Settings.model_construct(turn=TurnSettings(line=2))
    service = assemble(settings, record, watched(models, metrics), [paper], clock, metrics).service
    await handle(service, say("안녕", 1))
    await handle(service, say("꺼져", 2))
    language.failing, language.error = {OUTPUT_MESSAGE.name}, EngineOverloaded("late")
    await handle(service, say("안녕", 3, JUN))
    async with engine(metrics) as device:
        await device.submit(OUTPUT_MESSAGE.name, {})
    # what only gateways and workers over Redis do
    for watch in (metrics.backlog, metrics.partitions):
        watch(lambda: 1)
    metrics.busy("paper", "backlog")
    metrics.dead_letter()
    metrics.hot(True)
    metrics.transaction("write", 0.1)
    metrics.error(DispatchError("away"))
    found: dict[str, set[str]] = defaultdict(set)
    async with watched_by(metrics, Readiness()) as watcher:
        for sample in await watcher.samples():
            found[sample.name] |= sample.labels.keys()
    return found


def names(expression: str) -> set[str]:
    """Metrics of a PromQL expression."""
    return set(re.findall(r"\b(?:ohlora|process|python)_\w+", expression))


def test_it_is_a_dashboard_that_grafana_can_import_on_any_prometheus() -> None:
    assert DASHBOARD["schemaVersion"] >= 36
    variables = {variable["name"]: variable["type"] for variable in DASHBOARD["templating"]["list"]}
    assert variables == {"datasource": "datasource", "instance": "query"}
    sources = {target["datasource"]["uid"] for panel in PANELS for target in (panel, *panel["targets"])}
    assert sources == {"${datasource}"}
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)


def test_no_panel_lies_over_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells


@pytest.mark.parametrize("where", [*EXPRESSIONS, *ALERTS])
async def test_every_metric_and_label_that_is_asked_for_exists(where: str | int, labels: Labels) -> None:
    expression = EXPRESSIONS[where] if isinstance(where, str) else ALERTS[where]
    asked = names(expression)
    assert asked
    assert asked <= labels.keys()
    theirs = GIVEN.union(*(labels[name] for name in asked))
    grouped = {word.strip() for group in re.findall(r"\bby \(([^)]*)\)", expression) for word in group.split(",")}
    selected = set(re.findall(r"(\w+)\s*(?:=~|!=|!~|=)\s*\"", expression))
    assert grouped | selected <= theirs


async def test_everything_that_is_counted_has_a_panel(labels: Labels) -> None:
    shown = {re.sub(r"_(bucket|sum|count|total)$", "", name) for one in EXPRESSIONS.values() for name in names(one)}
    counted = {re.sub(r"_(bucket|sum|count|total|created)$", "", name) for name in labels if name.startswith("ohlora_")}
    assert counted <= shown


def test_legends_use_labels_that_their_expression_keeps() -> None:
    for panel in PANELS:
        for target in panel["targets"]:
            used = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            kept = re.findall(r"\bby \(([^)]*)\)", target["expr"])
            assert used <= {word.strip() for group in kept for word in group.split(",")} | GIVEN
