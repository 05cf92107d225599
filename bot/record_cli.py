"""`ohlora record …`: the record as a whole."""

import asyncio
from collections.abc import Mapping
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

record = typer.Typer(help="Move the record.", no_args_is_help=True)


@record.callback()
def _group() -> None:
    """Without it typer would take the only command for the group itself."""


@record.command("copy")
def copy_record(
    source: Annotated[str, typer.Argument(metavar="FROM", help="URL of the record to copy; it stays as it is.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="URL of an empty database, or of a file that is made.")],
) -> None:
    """Everything from one record to another, all or nothing: sqlite+aiosqlite:///… or postgresql+asyncpg://…

    What is written to FROM after the copy began is not in it: stop the service first.
    """
    columns = (TextColumn("{task.description:<14}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        rows = asyncio.run(_copy(source, target, progress))
    table = Table("table", "rows")
    for name, count in rows.items():
        table.add_row(name, str(count))
    Console().print(table)


async def _copy(source: str, target: str, progress: Progress) -> Mapping[str, int]:
    from storage.copy import copy

    bars: dict[str, TaskID] = {}

    def told(table: str, done: int, rows: int) -> None:
        if table not in bars:
            bars[table] = progress.add_task(table, total=rows)
        progress.update(bars[table], completed=done)

    return await copy(source, target, told)
