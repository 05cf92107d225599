"""A record of 100,000 cases: how long a moderator's command takes, and that a crowd decides each once (README.md)."""

import argparse
import asyncio
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # `python benchmarks/moderation.py` works as well as `-m`

import numpy as np
import psutil
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks._case_log import BUSIEST, REVIEW, CaseLog, fill
from benchmarks._moderators import AT_HOME, OPERATOR, DeskAdapter, Floor, Question, open_blocks, questions
from bot.adapters.base import Host
from bot.app import SystemClock, assemble
from bot.config import Settings
from bot.moderation.settings import ModerationSettings
from core import Models
from core.case_store import CaseFilter
from core.cases import standing
from core.errors import OhLoraError
from core.ethics import Thresholds
from core.messages import PersonKey
from models.fakes import FakeEncoder, FakeLanguageModel
from storage.record import Record

SEED = 20260601
COMMAND_MS, STANDING_MS = 300, 2
MODERATORS, CONTESTED = 50, 10
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
Measured = dict[str, dict[str, float]]


def main() -> int:
    """Fill, measure, print. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=50, metavar="TIMES", help="of each command (default: 50)")
    parser.add_argument("--cases", type=int, default=100_000, help="in the record (default: 100,000)")
    parser.add_argument("--seed", type=int, default=SEED, help="decides the record")
    given = parser.parse_args()
    # the crowd is refused 490 times, as it should be
    logging.getLogger("bot").setLevel(logging.ERROR)
    load = psutil.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="ohlora-moderation-") as folder:
        figures = asyncio.run(_measure(given, Path(folder)))
    figures |= {"cores": len(os.sched_getaffinity(0)), "load_before": round(load, 2)}
    _show(figures)
    print(json.dumps(figures, ensure_ascii=False))
    return int(figures["decisions"]["made"] != figures["decisions"]["wanted"])


async def _measure(given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    url = f"sqlite+aiosqlite:///{folder / 'record.db'}"
    start = time.perf_counter()
    await fill(url, CaseLog(given.cases, datetime.now(UTC), given.seed))
    figures: dict[str, Any] = {"cases": given.cases, "times": given.n, "fill_s": round(time.perf_counter() - start, 1)}
    operators = ModerationSettings(operators=[f"{OPERATOR.platform}:{OPERATOR.user_id}"])
    settings = Settings.model_construct(moderation=operators)
    encoder = FakeEncoder()
    models = Models(FakeLanguageModel(), encoder, 0.3, encoder, Thresholds(), None, "none")
    async with await Record.open(url) as record:
        figures["standing"] = await _standing(record, 10 * given.n)

        async def work(host: Host) -> None:
            figures.update(await _figures(record, Floor(host), given.n))

        await assemble(settings, record, models, [DeskAdapter(work)], SystemClock()).run()
    return figures


async def _figures(record: Record, floor: Floor, times: int) -> dict[str, Any]:
    """Of a service that is up, with a review queue that shows what happens."""
    await floor.ask(Question("mod settings review=here", "Sanctions in", chat=REVIEW))
    contested = [case.number for case in await open_blocks(record.cases, BUSIEST.place, 5 * times + CONTESTED)]
    asked = await questions(record.cases, times)
    commands: Measured = {}
    for name, several in track(asked.items(), "commands", console=Console(stderr=True)):
        commands[name] = _quantiles([await floor.ask(question) for question in several], COMMAND_MS)
    crowd = await floor.crowd(record.cases, contested[-CONTESTED:], MODERATORS)
    decisions = {
        "moderators": MODERATORS, "presses": crowd.presses, "made": crowd.decisions, "wanted": CONTESTED,
        "told_who_was_faster": crowd.late, "s": round(crowd.seconds, 2),
    }  # fmt: skip
    return {"commands": commands, "export": await _export(record, floor), "decisions": decisions}


async def _standing(record: Record, times: int) -> Measured:
    """Of people as they come, and of whoever has the most cases, whom the log names first."""
    newest = await record.cases.page(CaseFilter(BUSIEST.place), limit=times)
    first = [PersonKey(BUSIEST.platform, str(100_000 + place)) for place in range(20)]
    most = max([(len(await record.cases.of(person)), person.user_id) for person in first])
    busiest = PersonKey(BUSIEST.platform, most[1])
    everybody = {"anybody": [case.person for case in newest], f"with {most[0]} cases": [busiest] * times}
    measured: Measured = {}
    for name, people in everybody.items():
        taken = []
        for person in people:
            start = time.perf_counter()
            standing(await record.cases.of(person), datetime.now(UTC), BUSIEST.place)
            taken.append(1000 * (time.perf_counter() - start))
        measured[name] = _quantiles(taken, STANDING_MS)
    return measured


async def _export(record: Record, floor: Floor) -> dict[str, float]:
    """Everything, as it streams out of the record; and what one message may carry of it, by command."""
    start, first, rows = time.perf_counter(), 0.0, 0
    async for _ in record.cases.export(_BEGINNING):
        first = first or time.perf_counter() - start
        rows += 1
    taken = time.perf_counter() - start
    whole = await floor.ask(Question("mod export", "Exported", OPERATOR, AT_HOME))
    return {
        "first_row_ms": round(1000 * first, 2), "wanted": COMMAND_MS, "rows": rows,
        "rows_per_s": round(rows / taken), "command_ms": round(whole, 1),
    }  # fmt: skip


def _quantiles(taken: Sequence[float], wanted: float) -> dict[str, float]:
    median, p95 = np.percentile(taken, (50, 95))
    return {"median_ms": round(float(median), 2), "p95_ms": round(float(p95), 2), "wanted": wanted}


def _show(figures: dict[str, Any]) -> None:
    table = Table(title=f"{figures['cases']:,} cases, each command {figures['times']} times", title_justify="left")
    table.add_column("what")
    for name in ("median ms", "p95 ms", "wanted"):
        table.add_column(name, justify="right")
    standings = {f"standing of a person: {name}": row for name, row in figures["standing"].items()}
    for name, row in {**standings, **figures["commands"]}.items():
        table.add_row(name, f"{row['median_ms']:.2f}", f"{row['p95_ms']:.2f}", str(row["wanted"]))
    console = Console()
    console.print(table)
    export, crowd = figures["export"], figures["decisions"]
    console.print(
        f"export of {export['rows']:,} cases: first one after {export['first_row_ms']} ms, "
        f"{export['rows_per_s']:,} a second; by /mod export, as many as fit, {export['command_ms']} ms\n"
        f"{crowd['moderators']} moderators, {crowd['presses']} presses at once on {crowd['wanted']} cases: "
        f"{crowd['made']} decisions, {crowd['told_who_was_faster']} told who was faster, {crowd['s']} s",
        highlight=False,
    )


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except (OhLoraError, RuntimeError) as error:
        raise SystemExit(f"benchmarks/moderation.py: {error}") from error
