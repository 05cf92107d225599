"""The record in one file, taken while the service runs, and put back. Each happens as a whole or not at all."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import psutil
from sqlalchemy import URL, Connection, delete, exists, inspect, select, table
from sqlalchemy.exc import DBAPIError

from core.errors import RecordError
from storage import dialect
from storage.copy import copy
from storage.database import Database
from storage.dialect import sqlite_file
from storage.incarnation import begin_anew
from storage.record import LOCK_WAIT_S
from storage.schema import fences, metadata, notes
from storage.schema_version import migrate

# a service that nobody talked to has written there, too
_NEVER_MISSED = {"alembic_version", fences.name, notes.name}


@dataclass(frozen=True, slots=True)
class Restored:
    """`rows`: table → how many. `kept`: the record before; None where that was nothing, or on a server."""

    rows: Mapping[str, int]
    kept: Path | None


async def backup(url: str, file: Path, *, force: bool = False) -> Mapping[str, int]:
    """Everything that is in the record at this moment, in one SQLite file; table → how many rows.

    Others may read and write the record meanwhile. What was deleted is not in it. `force`: a file that is there may go.
    Raises RecordError; `file` is then as it was.
    """
    location = dialect.locate(url)
    here, name = dialect.file_of(location), dialect.name_of(location)
    with dialect.readable_errors(str(file)):
        _require_free(file, here, force)
    with dialect.readable_errors(str(file.parent)), _workshop(file) as folder:
        made = folder / "record.db"
        if here is None:
            await copy(url, _url_of(made), lambda *_: None, partial(_clear, force=True))
        else:
            with dialect.readable_errors(f"{name}, or its copy {file},"):
                await sqlite_file.carry_out(here, "rw", partial(sqlite_file.copy_to, made))
        made.chmod(0o600)
        rows = await _finish(made, file)
        _require_free(file, here, force)
        _put(made, file)
    return rows


async def restore(file: Path, url: str, *, force: bool = False) -> Restored:
    """What is in a backup takes the place of the record, which nobody may have open; older schemas are migrated.

    `force`: also when the record is not empty. In an SQLite file it is kept beside, on a server it is gone. Raises
    RecordError; the record is then as it was.
    """
    location = dialect.locate(url)
    here = dialect.file_of(location)
    beside = here or file
    if here is not None:
        with dialect.readable_errors(str(here)):
            here.parent.mkdir(parents=True, exist_ok=True)  # on a new machine nothing is there yet
    with dialect.readable_errors(str(beside.parent)), _workshop(beside) as folder:
        made = folder / "record.db"
        with dialect.readable_errors(str(file)):
            await sqlite_file.carry_out(file, "ro", sqlite_file.require_sound)
        with dialect.readable_errors(f"{file}, or its copy {made},"):
            await sqlite_file.carry_out(file, "ro", partial(sqlite_file.copy_to, made))
        await _migrate(made, file)
        rows = await _finish(made, file)
        if here is None:
            await copy(_url_of(made), url, lambda *_: None, partial(_clear, force=force))
            return Restored(rows, None)
        with dialect.readable_errors(str(here)):
            return Restored(rows, _replace(made, here, force))


async def _migrate(made: Path, file: Path) -> None:
    """To the newest schema, as a record that was not there before. Raises RecordError for what is none."""

    def to_newest(connection: Connection) -> None:
        if not inspect(connection).has_table("inbox"):
            raise RecordError(f"There is no record in {file}; nothing was changed.")
        migrate(connection, str(file))
        begin_anew(connection)

    with dialect.readable_errors(str(made)):
        backend = await dialect.open_backend(dialect.locate(_url_of(made)), LOCK_WAIT_S)
    database = Database(str(made), backend)
    try:
        await database.write(to_newest)
    finally:
        await database.close()


async def _finish(made: Path, file: Path) -> Mapping[str, int]:
    """A file that is complete, sound, and on the disk; table → its rows."""
    with dialect.readable_errors(str(file)):
        rows = await sqlite_file.carry_out(made, "rw", sqlite_file.finish)
        _sync(made)
    return {known.name: rows[known.name] for known in metadata.sorted_tables if known.name in rows}


def _clear(connection: Connection, place: str, *, force: bool) -> None:
    """storage.copy.Clear: the record on a server is emptied in the transaction that fills it."""
    if dialect.others(connection):
        raise _in_use(place)
    dialect.one_at_a_time(connection, "schema")  # whoever starts now waits with opening it
    if not force and _holds_something(connection):
        raise _not_empty(place)
    for one in reversed(metadata.sorted_tables):
        connection.execute(delete(one))


def _replace(made: Path, place: Path, force: bool) -> Path | None:
    """The file becomes the record; where the old one is now, if anything of it would be missed."""
    if not place.exists():
        _put(made, place)
        return None
    try:
        with sqlite_file.alone(place) as old:
            missed = _holds_something(old)
            if missed and not force:
                raise _not_empty(str(place))
            _go_on_from(old, made)
            return _exchange(made, place, missed)
    except DBAPIError as error:
        if sqlite_file.is_in_use(error):
            raise _in_use(str(place)) from error
        if not (force and sqlite_file.is_unreadable(error)):
            raise
    return _exchange(made, place, True)


def _go_on_from(old: Connection, made: Path) -> None:
    """No id that a row of either had comes back: people know numbers of cases and memories."""
    if not inspect(old).has_table("sqlite_sequence"):
        return
    with sqlite_file.alone(made) as new:
        for known in metadata.sorted_tables:
            if known.autoincrement_column is not None:
                dialect.go_on_from(new, known, max(dialect.last_id(one, known) for one in (old, new)))
        new.commit()


def _exchange(made: Path, place: Path, keep: bool) -> Path | None:
    """There is a record at every moment: the old one, then the new one."""
    prefix = f"{place.name}.before-restore-"
    kept = place.with_name(f"{prefix}{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}") if keep else None
    shutil.copymode(place, made)
    if os.geteuid() == 0:  # who repairs it is seldom who runs the service
        os.chown(made, place.stat().st_uid, place.stat().st_gid)
    if kept is not None:
        for other in place.parent.iterdir():
            if other.name.startswith(prefix) and other.samefile(place):
                other.unlink()  # a restore was killed right here
        os.link(place, kept)
    for left in sqlite_file.beside(place):
        left.unlink(missing_ok=True)  # none of them may be read with the new one
    _put(made, place)
    return kept


def _holds_something(connection: Connection) -> bool:
    """Whether anything would be missed."""
    names = set(inspect(connection).get_table_names()) - _NEVER_MISSED
    return any(connection.scalar(select(exists(select(1).select_from(table(name))))) for name in names)


def _require_free(file: Path, record: Path | None, force: bool) -> None:
    if file.exists() and (not force or file.is_dir() or (record is not None and file.samefile(record))):
        hint = "name another one" if file.is_dir() or force else "name another one, or use --force"
        raise RecordError(f"{file} is there already; {hint}.")


def _put(made: Path, place: Path) -> None:
    """In one step, and on the disk."""
    made.replace(place)
    _sync(place.parent)


def _sync(path: Path) -> None:
    if os.name == "posix" or path.is_file():  # elsewhere folders cannot be opened
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def _workshop(place: Path) -> Iterator[Path]:
    """A folder beside `place` that nobody else may look into; gone afterwards, with those of programs that died."""
    prefix, suffix = f".{place.name}.", ".part"
    for left in place.parent.iterdir():
        if left.name.startswith(prefix) and left.name.endswith(suffix):
            owner = left.name.removeprefix(prefix).removesuffix(suffix)
            if owner.isdecimal() and (int(owner) == os.getpid() or not psutil.pid_exists(int(owner))):
                shutil.rmtree(left)
    folder = place.parent / f"{prefix}{os.getpid()}{suffix}"
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _url_of(file: Path) -> str:
    return URL.create("sqlite+aiosqlite", database=str(file)).render_as_string(hide_password=False)


def _in_use(place: str) -> RecordError:
    return RecordError(f"The record at {place} is in use; stop the service first. Nothing was changed.")


def _not_empty(place: str) -> RecordError:
    return RecordError(f"The record at {place} is not empty; with --force the backup takes its place.")
