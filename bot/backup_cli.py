"""`ohlora backup` and `ohlora restore`: parse and delegate."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bot import config

File = Annotated[Path, typer.Argument(metavar="FILE", help="One SQLite file, whatever database the record is in.")]


def backup(
    file: File, force: Annotated[bool, typer.Option("--force", help="A file that is there already may go.")] = False
) -> None:
    """Everything in the record at this moment, in one file that only this account may read. She may go on talking."""
    from storage.backup import backup

    rows = asyncio.run(backup(config.load().record, file, force=force))
    _print(rows, f"{file}: {file.stat().st_size / 1e6:.1f} MB")


def restore(
    file: File, force: Annotated[bool, typer.Option("--force", help="A record that is not empty may go.")] = False
) -> None:
    """Put a backup in the place of the record; nobody may use that meanwhile. The file stays as it is.

    In SQLite the old record is kept beside the new one; on a server it is gone: back it up first.
    """
    from storage.backup import restore

    restored = asyncio.run(restore(file, config.load().record, force=force))
    _print(restored.rows, f"The record of before is kept: {restored.kept}" if restored.kept else "")


def _print(rows: Mapping[str, int], said: str) -> None:
    table = Table("table", "rows")
    for name, count in rows.items():
        table.add_row(name, str(count))
    console = Console(highlight=False, soft_wrap=True)
    console.print(table)
    console.print(said, markup=False)
