"""The original's tables to our JSON Lines and back, by the endings of the two files."""

from pathlib import Path

from core.errors import ConfigurationError
from models.datasets.schema import DataRow, MemoryPair
from models.training.data_csv import write_table
from models.training.data_files import Problem, read_lines, to_json_lines


def convert(source: Path, target: Path, *, split: str | None = None, bom: bool = False) -> tuple[int, list[Problem]]:
    """(rows written, problems); with a problem nothing is written.

    `split`: of a memory table what its rows become, of memory pairs which of them make the table. Raises
    ConfigurationError for other endings, and for pairs of both splits that would lose theirs in one table.
    """
    if {source.suffix, target.suffix} != {".csv", ".jsonl"}:
        raise ConfigurationError(f"one of {source.name} and {target.name} has to be a .csv, the other a .jsonl")
    lines = list(read_lines(source, split))
    problems = [line for line in lines if isinstance(line, Problem)]
    if problems:
        return 0, problems
    rows = [line.row for line in lines if not isinstance(line, Problem)]
    if target.suffix == ".jsonl":
        target.write_text(to_json_lines(rows), encoding="utf-8", newline="")
    else:
        rows = _of_one_split(rows, split)
        target.write_text(write_table(rows), encoding="utf-8-sig" if bom else "utf-8", newline="")
    return len(rows), []


def _of_one_split(rows: list[DataRow], split: str | None) -> list[DataRow]:
    splits = {row.data_type for row in rows if isinstance(row, MemoryPair)}
    if split is None and len(splits) > 1:
        raise ConfigurationError("a memory table holds one split; give --split train or --split valid")
    return [row for row in rows if not isinstance(row, MemoryPair) or split in (None, row.data_type)]
