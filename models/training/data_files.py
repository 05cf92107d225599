"""Data files line by line: JSON Lines of ours, or tables in the original's columns. A bad line is told, not raised."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from core.errors import ConfigurationError
from models.datasets.schema import (
    DataRow,
    EthicsRow,
    HeldOutQuestion,
    HeldOutUtterance,
    MemoryPair,
    PersonaRow,
    Template,
    TutorQuestion,
    TutorText,
)
from models.training.data_csv import read_table

_KINDS: tuple[type[DataRow], ...] = (
    PersonaRow, Template, HeldOutQuestion, EthicsRow, HeldOutUtterance, MemoryPair, TutorQuestion, TutorText,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and where: `file:line`."""

    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


@dataclass(frozen=True, slots=True)
class Line:
    """One line that holds a row."""

    place: str
    row: DataRow


def files_in(paths: Iterable[Path]) -> list[Path]:
    """The data files among `paths`; a folder stands for all in it. Raises ConfigurationError where there is none."""
    found: list[Path] = []
    for path in paths:
        inside = [path] if path.is_file() else sorted(f for f in path.rglob("*") if f.suffix in (".jsonl", ".csv"))
        if not inside:
            raise ConfigurationError(f"no data there: {path}; give .jsonl or .csv files, or a folder with some")
        found += inside
    return found


def read_lines(path: Path, split: str | None = None) -> Iterator[Line | Problem]:
    """Every line of a file: its row, or what is wrong with it. `split` is for tables that do not name theirs.

    Raises ConfigurationError for a file that is no text, or of which nobody knows what it holds.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            text = file.read()
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: not UTF-8 ({error.reason} at byte {error.start})") from error
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from error
    return _table(path, text, split) if path.suffix == ".csv" else _json_lines(path, text)


def to_json_lines(rows: Iterable[DataRow]) -> str:
    """One object a line; what is not set is left out."""
    return "".join(json.dumps(row.model_dump(exclude_none=True), ensure_ascii=False) + "\n" for row in rows)


def _table(path: Path, text: str, split: str | None) -> Iterator[Line | Problem]:
    for record in read_table(text, split):
        place = f"{path}:{record.line}"
        yield Problem(place, record.problem) if record.problem else _validated(place, record.kind, record.values)


def _json_lines(path: Path, text: str) -> Iterator[Line | Problem]:
    kind: type[DataRow] | None = None
    for number, line in enumerate(text.split("\n"), start=1):
        place = f"{path}:{number}"
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except json.JSONDecodeError as error:
            yield Problem(place, f"not JSON: {error.msg} at column {error.colno}")
            continue
        if not isinstance(values, dict):
            yield Problem(place, "not an object with columns")
            continue
        kind = kind or _kind_of(path, values)
        yield _validated(place, kind, values)


def _kind_of(path: Path, values: Mapping[str, Any]) -> type[DataRow]:
    """The kind whose columns a row comes closest to, so that a slip in one of them is told as a slip."""

    def closeness(kind: type[DataRow]) -> float:
        columns = set(kind.model_fields)
        return len(columns & set(values)) / len(columns | set(values))

    best = max(_KINDS, key=closeness)
    if closeness(best) < 0.5:
        raise ConfigurationError(f"{path}: no data of ours has the columns {', '.join(values)}")
    return best


def _validated(place: str, kind: type[DataRow], values: Mapping[str, Any]) -> Line | Problem:
    try:
        return Line(place, kind.model_validate(values))
    except ValidationError as error:
        slips = (f"{'.'.join(map(str, e['loc'])) or 'row'}: {e['msg']}" for e in error.errors(include_url=False))
        return Problem(place, "; ".join(slips))
