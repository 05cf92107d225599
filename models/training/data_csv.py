"""Tables in the columns of the original Oh-LoRA ↔ our rows.

persona  data_type, input_data, output_message, memory, summary, eyes_mouth_pose, eyes, mouth, pose
ethics   type, user_prompt, category                     categories by their Korean names
memory   memory_0, user_prompt_1, similarity_score       one table a split: none of its columns names it
tutor    data_type, user_question, rag_retrieved_data, similarity_score

A leading index column may stand before them. A persona table may end on a column `intent`; without one every row is an
intent of its own, since nothing says which rows answer the same question. Empty cells are empty texts.
"""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core import tasks
from core.errors import ConfigurationError
from core.ethics import CATEGORIES
from core.expression import Expression
from models.datasets.schema import DataRow, EthicsRow, MemoryPair, PersonaRow, TutorQuestion

_INDEX = ("", "index", "Unnamed: 0")
_INTENT, _FACE = "intent", "eyes_mouth_pose"
_LABELS = ("eyes", "mouth", "pose")
_CATEGORY_OF = {name: category for category, name in CATEGORIES.items()}
Cells = Mapping[str, str]
Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a table: the line it starts on and the values of a row of `kind`, or what is wrong with it."""

    line: int
    kind: type[DataRow]
    values: Values
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Table:
    """A kind of table; `names` pairs its columns with the fields of a row that hold the same text."""

    kind: type[DataRow]
    columns: tuple[str, ...]
    names: Mapping[str, str]
    to_values: Callable[[Cells], Values]
    to_cells: Callable[[Any], dict[str, str]]


def read_table(text: str, split: str | None) -> Iterator[Record]:
    """The records of a table. `split` becomes the `data_type` of a table without one; `train` where it is None.

    Raises ConfigurationError for columns that belong to no kind of table.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header = [name.strip() for name in next(reader, [])]
    skipped = 1 if header and header[0] in _INDEX else 0
    table, columns = _table_of(header[skipped:]), header[skipped:]
    line, number = reader.line_num + 1, 0
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Record(line, table.kind, {}, f"{error}; is a quotation mark left open?")
            return
        if cells:
            number += 1
            yield _record(table, columns, cells[skipped:], line, {_INTENT: own_intent(number), "data_type": split})
        line = reader.line_num + 1


def write_table(rows: Sequence[DataRow]) -> str:
    """Rows of one kind in the original's columns. Raises ConfigurationError for rows that have none."""
    kinds = {type(row) for row in rows}
    table = next((table for table in _TABLES if kinds == {table.kind}), None)
    if table is None:
        names = ", ".join(sorted(kind.__name__ for kind in kinds)) or "no rows"
        raise ConfigurationError(f"no table for {names}; one kind of {', '.join(t.kind.__name__ for t in _TABLES)}")
    grouped = any(isinstance(row, PersonaRow) and row.intent != own_intent(n) for n, row in enumerate(rows, start=1))
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, (*table.columns, _INTENT) if grouped else table.columns, extrasaction="ignore")
    writer.writeheader()
    for row in rows:
        same = {column: getattr(row, name) for column, name in table.names.items()}
        writer.writerow(same | table.to_cells(row))
    return out.getvalue()


def own_intent(number: int) -> str:
    """The intent of the record with this number, counted from 1, in a table that names none."""
    return f"row_{number}"


def _table_of(columns: Sequence[str]) -> _Table:
    for table in _TABLES:
        optional = {_FACE, _INTENT} if table.kind is PersonaRow else set()
        if set(table.columns) - optional <= set(columns) <= set(table.columns) | optional:
            return table
    known = "; ".join(", ".join(table.columns) for table in _TABLES)
    raise ConfigurationError(f"unknown columns: {', '.join(columns) or 'none'}; the tables known are {known}")


def _record(table: _Table, columns: Sequence[str], cells: Sequence[str], line: int, defaults: Values) -> Record:
    if len(cells) != len(columns):
        return Record(line, table.kind, {}, f"{len(cells)} cells under {len(columns)} columns")
    named = dict(zip(columns, cells, strict=True))
    values = {name: named[column] for column, name in table.names.items()}
    values |= table.to_values(named)
    if "data_type" not in values:
        values["data_type"] = defaults["data_type"] or "train"
    if table.kind is PersonaRow:
        values[_INTENT] = named.get(_INTENT) or defaults[_INTENT]
    return Record(line, table.kind, values, _contradiction(named))


def _contradiction(cells: Cells) -> str:
    face = _face(cells)
    told = face and tuple(getattr(face, label) for label in _LABELS)
    return (
        f"{_FACE} says {told}, the columns beside it something else"
        if told and any(cells[label] not in ("", labelled) for label, labelled in zip(_LABELS, told, strict=True))
        else ""
    )


def _face(cells: Cells) -> Expression | None:
    parsed = tasks.parse_expression(cells.get(_FACE, ""), ended=True)
    return parsed if isinstance(parsed, Expression) else None


def _persona_values(cells: Cells) -> Values:
    """Labels from their own columns or, where those are empty, from the one that has all three."""
    face = _face(cells)
    labels = {label: cells[label] or (face and getattr(face, label)) or "" for label in _LABELS}
    return labels | {"memory": _item(cells["memory"])}


def _item(cell: str) -> str:
    """`( )`, `{ }` and ` : ` around a memory item are folded to `[key: value]`, as at serving time."""
    item = tasks.parse_memory(cell, ended=True)
    return f"[{item[0]}: {item[1]}]" if isinstance(item, tuple) and not cell.startswith("[") else cell.strip()


def _persona_cells(row: PersonaRow) -> dict[str, str]:
    return {_FACE: tasks.face_text(Expression(row.eyes, row.mouth, row.pose)), _INTENT: row.intent}


def _score(cell: str) -> float | str | None:
    try:
        return float(cell) if cell.strip() else None
    except ValueError:
        return cell


def _scored(cells: Cells) -> Values:
    return {"score": _score(cells["similarity_score"])}


def _score_cells(row: MemoryPair | TutorQuestion) -> dict[str, str]:
    return {"similarity_score": "" if row.score is None else repr(row.score)}


_TABLES = (
    _Table(
        PersonaRow,
        ("data_type", "input_data", "output_message", "memory", "summary", _FACE, *_LABELS),
        {name: name for name in ("data_type", "input_data", "output_message", "memory", "summary", *_LABELS)},
        _persona_values,
        _persona_cells,
    ),
    _Table(
        EthicsRow,
        ("type", "user_prompt", "category"),
        {"type": "data_type", "user_prompt": "text"},
        lambda cells: {"category": _CATEGORY_OF.get(cells["category"].strip(), cells["category"].strip())},
        lambda row: {"category": CATEGORIES[row.category]},
    ),
    _Table(
        MemoryPair,
        ("memory_0", "user_prompt_1", "similarity_score"),
        {"memory_0": "memory", "user_prompt_1": "message"},
        _scored,
        _score_cells,
    ),
    _Table(
        TutorQuestion,
        ("data_type", "user_question", "rag_retrieved_data", "similarity_score"),
        {"data_type": "data_type", "user_question": "question", "rag_retrieved_data": "text"},
        _scored,
        _score_cells,
    ),
)
