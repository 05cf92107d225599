"""One page for people and one JSON for programs, side by side. The page needs nothing but itself."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from rich.console import Console
from rich.progress import track

from models.training.evaluation.metrics import Figures
from models.training.evaluation.parts import Part
from models.training.evaluation.published import ORIGINAL, TARGETS

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Report:
    """`about`: what stands at the top, such as model, command, seed, date."""

    title: str
    about: Mapping[str, object]
    parts: Sequence[Part]

    @property
    def figures(self) -> Figures:
        """Those of all parts together."""
        return {name: value for part in self.parts for name, value in part.figures.items()}


def write(report: Report, path: Path) -> tuple[Path, Path]:
    """`path` with the endings .html and .json; folders are made, older reports of that name are replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    page, data = path.with_suffix(".html"), path.with_suffix(".json")
    page.write_text(html(report), encoding="utf-8")
    data.write_text(json.dumps(as_json(report), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return page, data


def as_json(report: Report) -> dict[str, Any]:
    """What the page says, without the pictures."""
    return {
        "title": report.title,
        **{name: str(value) for name, value in report.about.items()},
        "figures": report.figures,
        "parts": [
            {
                "title": part.title,
                "figures": part.figures,
                "tables": [
                    {"caption": t.caption, "header": t.header, "rows": [list(row) for row in t.rows]}
                    for t in part.tables
                ],
            }
            for part in report.parts
        ],
    }


def html(report: Report) -> str:
    """The page. Whatever a model or a person wrote is text there, never markup."""
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    sections = [_section(part) for part in track(report.parts, "drawing", console=Console(stderr=True), transient=True)]
    goals = [line for line in _lines(report.figures) if line["target"]] if len(sections) > 1 else []
    return environment.get_template("report.html").render(report=report, sections=sections, goals=goals)


def _section(part: Part) -> dict[str, Any]:
    from models.training.evaluation.plots import drawn

    pictures = [{"caption": picture.caption, "alt": picture.alt, "drawn": drawn(picture)} for picture in part.pictures]
    return {"part": part, "figures": _lines(part.figures), "pictures": pictures}


def _lines(figures: Figures) -> list[dict[str, Any]]:
    """Each figure beside the original's and what is wanted, where there are such."""
    return [
        {
            "name": name,
            "value": value,
            "original": ORIGINAL.get(name),
            "target": TARGETS.get(name),
            "reached": TARGETS[name].reached(value) if name in TARGETS else None,
        }
        for name, value in figures.items()
    ]
