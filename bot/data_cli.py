"""`ohlora data …`: our training data checked, and converted from the original's tables and back."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from core.errors import ConfigurationError

data = typer.Typer(help="Check and convert training data.", no_args_is_help=True)
# a file with a thousand mistakes has the same one a thousand times
SHOWN = 50


@data.command("check")
def check_files(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Files or folders, checked together; all our own where none is given.", exists=True),
    ] = None,
) -> None:
    """Schema, duplicates, leakage between splits, lengths and label balance; exit code 1 when something is wrong."""
    from models.datasets.schema import ROOT
    from models.registry import BUNDLED, Profile
    from models.training.data_check import check
    from models.training.data_files import files_in

    tokenizer = Profile(BUNDLED).tokenizer()
    paths = files_in(files or [ROOT])
    found = check(paths, lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids))
    console = Console(soft_wrap=True, highlight=False, markup=False)
    for (family, label), splits in found.balance.items():
        table = Table("split", *sorted({value for split in splits.values() for value in split}), title_justify="left")
        table.title = f"{family}: {label}"
        for split, values in splits.items():
            table.add_row(split, *(_share(values[str(c.header)], values.total()) for c in table.columns[1:]))
        console.print(table)
    _tell(console, [str(problem) for problem in found.problems])
    rows = "; ".join(f"{name}: {count}" for name, count in sorted(found.rows.items())) or "no rows"
    console.print(f"{len(paths)} files, {rows}. Problems: {len(found.problems)}")
    if found.problems:
        raise typer.Exit(1)


@data.command("convert")
def convert_file(
    source: Annotated[Path, typer.Argument(help="A .csv of the original or a .jsonl of ours.", exists=True)],
    target: Annotated[Path, typer.Argument(help="The other of the two.")],
    split: Annotated[str | None, typer.Option(help="train or valid, for memory tables, which do not say.")] = None,
    bom: Annotated[bool, typer.Option("--bom", help="Begin a .csv with a mark that spreadsheets want.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the target.")] = False,
) -> None:
    """The original's CSV columns to our JSON Lines, or back."""
    from models.training.data_convert import convert

    if split not in (None, "train", "valid"):
        raise ConfigurationError(f"no such split: {split}; train or valid")
    if target.exists() and not force:
        raise ConfigurationError(f"{target} exists; give another name or --force")
    rows, problems = convert(source, target, split=split, bom=bom)
    console = Console(soft_wrap=True, highlight=False, markup=False)
    if problems:
        _tell(console, [str(problem) for problem in problems])
        raise ConfigurationError(f"{len(problems)} lines of {source} are wrong; nothing was written")
    console.print(f"{rows} rows → {target}")


def _tell(console: Console, problems: list[str]) -> None:
    for problem in problems[:SHOWN]:
        console.print(problem)
    if len(problems) > SHOWN:
        console.print(f"… and {len(problems) - SHOWN} more")


def _share(count: int, total: int) -> str:
    return f"{count} ({count / total:.1%})"
