"""`ohlora evaluate ethics --from-cases`: stored cases through another encoder or other thresholds. Nothing is sent."""

import json
import sys
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from core.cases import Case
from core.errors import ConfigurationError
from core.ethics import CATEGORIES
from models.training import case_rows
from models.training.evaluation import opening, parts, replay_report, report
from models.training.evaluation.metrics import Figures
from models.training.evaluation.replay import Judge, Replay, turns_of

# rows of a table that a terminal shows; the report has more
SHOWN = 50


@dataclass(frozen=True)
class CaseOptions:
    """What to judge cases with, and where the report goes (without its ending).

    `model`: a profile or an encoder; None takes scores and thresholds as they were. `thresholds`: category → cosine
    instead of those, `normal` is the veto. `rows`: a new file for training rows. `ladders`: for steps that change.
    """

    model: Path | None
    thresholds: Mapping[str, float]
    out: Path
    ladders: Mapping[str, Sequence[timedelta]]
    rows: Path | None = None


async def evaluate_cases(cases: AsyncIterator[Case], options: CaseOptions) -> Figures:
    """Judge the cases, which come in the order of their numbers; show, report and export what was found."""
    if options.rows is not None:
        case_rows.must_be_new(options.rows)
    replay, rows = Replay(_judge(options), options.ladders), case_rows.CaseRows()
    async for turn in turns_of(cases):
        rows.add(turn)
        replay.add(turn)
    replay.finish()
    part = replay_report.part_of(replay)
    figures: Figures = {"model": options.model or "as then", "thresholds": _shown(replay.judge), **part.figures}
    console = Console()
    _show(part, replay_report.changes(replay), console)
    if options.rows is not None:
        made = rows.rows
        case_rows.write(made, options.rows)
        figures |= {"rows_exported": len(made), "rows_disputed": rows.disputed}
        console.print(f"{len(made)} rows → {options.rows}", highlight=False, soft_wrap=True)
    about = {
        "measured": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "command": f"ohlora {' '.join(sys.argv[1:])}",
    }
    top = {"model": figures["model"], "thresholds": figures["thresholds"], **about}
    for path in report.write(report.Report("Stored cases, judged once more", top, [part]), options.out):
        console.print(f"written: {path}", highlight=False, soft_wrap=True)
    print(json.dumps(figures, ensure_ascii=False, default=str))
    return figures


def thresholds_in(path: Path) -> dict[str, float]:
    """Category → cosine from a file like a profile's thresholds.json, or a part of one. Raises ConfigurationError."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        stored = stored.get("ethics", stored)
        veto = {"normal": stored["veto"]} if "veto" in stored else {}
        return checked([*stored.get("acts", {}).items(), *veto.items()], str(path))
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise ConfigurationError(
            f'no thresholds: {path} ({error}); for example {{"acts": {{"insult": 0.97}}}}'
        ) from error


def checked(given: Iterable[tuple[str, Any]], where: str) -> dict[str, float]:
    """Category → cosine. Raises ConfigurationError for what is neither."""
    found = {}
    for category, cosine in given:
        if category not in CATEGORIES:
            raise ConfigurationError(f"{where}: no such category: {category}; {', '.join(CATEGORIES)}")
        try:
            found[category] = float(cosine)
        except (TypeError, ValueError):
            found[category] = -1.0
        if not 0 <= found[category] <= 1:
            raise ConfigurationError(f"{where}: a threshold is a number from 0 to 1: {category}={cosine}")
    return found


def _judge(options: CaseOptions) -> Judge:
    if options.model is None:
        return Judge(changed=options.thresholds)
    if not options.model.is_dir():
        raise ConfigurationError(f"neither a profile nor an encoder: {options.model}")
    encoder = opening.encoder(options.model, "ethics_encoder")
    return Judge(encoder, opening.ethics_thresholds(options.model), options.thresholds)


def _shown(judge: Judge) -> str:
    own = {} if judge.thresholds is None else {**judge.thresholds.acts, "normal": judge.thresholds.veto}
    said = ", ".join(f"{category} {cosine:g}" for category, cosine in {**own, **judge.changed}.items())
    return said if own else f"as then, but {said}"


def _show(part: parts.Part, changes: parts.Table, console: Console) -> None:
    """The figures, then every table as far as it fits."""
    table = Table("figure", "here", title=part.title, title_justify="left")
    for name, value in part.figures.items():
        table.add_row(name, "–" if value is None else str(value))
    console.print(table)
    for found in (*part.tables[:-1], changes):
        columns = [Column(name, overflow="fold") for name in found.header]
        table = Table(*columns, title=found.caption, title_justify="left")
        for row in found.rows[:SHOWN]:
            table.add_row(*map(str, row))
        if found.rows:
            console.print(table)
        if len(found.rows) > SHOWN:
            console.print(f"… and {len(found.rows) - SHOWN} more in the report")
