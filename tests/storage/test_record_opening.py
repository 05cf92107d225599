"""Bad places: opening fails with one readable sentence, and what was there stays as it was."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.errors import RecordError
from storage.record import Record
from tests.storage.samples import content, replace_content

pytestmark = pytest.mark.asyncio

NOBODY = 65534


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that accounts other than this one can reach: pytest's own folders are closed to them."""
    folder = Path(tempfile.mkdtemp(prefix="ohlora-test-"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


@contextmanager
def read_only(path: Path) -> Iterator[None]:
    """`path` may not be written inside. Root may write everywhere; so nobody runs the test meanwhile."""
    before, root = path.stat().st_mode, os.geteuid() == 0
    path.chmod(0o555 if path.is_dir() else 0o444)
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        path.chmod(before)


async def test_a_file_locked_at_the_start_cannot_be_opened_until_it_is_free(url: str, path: Path) -> None:
    await (await Record.open(url)).close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(RecordError, match="is locked by another program"):
        await Record.open(url, lock_wait=0.1)
    other.close()
    await (await Record.open(url)).close()


async def test_a_read_only_file_cannot_be_opened_until_it_is_writable(public_folder: Path) -> None:
    path = public_folder / "record.db"
    url = f"sqlite+aiosqlite:///{path}"
    await (await Record.open(url)).close()
    before = content(path)
    with read_only(path), pytest.raises(RecordError, match=r"record\.db may only be read; allow this account to write"):
        await Record.open(url)
    assert content(path) == before
    await (await Record.open(url)).close()


async def test_a_file_in_a_read_only_folder_cannot_be_opened_until_it_is_writable(public_folder: Path) -> None:
    url = f"sqlite+aiosqlite:///{public_folder}/record.db"
    await (await Record.open(url)).close()
    with read_only(public_folder), pytest.raises(RecordError, match=r"record\.db (may only be read|cannot be opened)"):
        await Record.open(url)
    await (await Record.open(url)).close()


async def test_a_folder_that_cannot_be_made_is_an_error(public_folder: Path) -> None:
    with read_only(public_folder), pytest.raises(RecordError, match=r"cannot be used \(Permission denied\); choose"):
        await Record.open(f"sqlite+aiosqlite:///{public_folder}/new/record.db")


async def test_a_file_that_is_no_database_is_left_alone(url: str, path: Path) -> None:
    path.parent.mkdir()
    replace_content(path, b"dear diary, " * 1000)
    with pytest.raises(RecordError, match="is not a database; name another file"):
        await Record.open(url)
    assert content(path) == b"dear diary, " * 1000


async def test_a_folder_in_the_place_of_the_file_is_an_error(url: str, path: Path) -> None:
    (path / "inside").parent.mkdir(parents=True)
    with pytest.raises(RecordError, match="cannot be opened; name a file, not a folder"):
        await Record.open(url)


async def test_a_file_in_the_place_of_the_folder_is_an_error(url: str, path: Path) -> None:
    path.parent.write_text("not a folder")
    with pytest.raises(RecordError, match="cannot be used"):
        await Record.open(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "record.db",
        "sqlite:///record.db",
        "sqlite+aiosqlite://",
        "sqlite+aiosqlite:///:memory:",
        "oracle://host/record",
        "postgresql+psycopg://user:secret@host/record",
        "postgresql+asyncpg://user:secret@host",
        "sqlite+aiosqlite://host:port/record.db",
    ],
)
async def test_a_url_that_names_no_database_is_an_error_that_shows_how_and_hides_secrets(url: str) -> None:
    with pytest.raises(RecordError, match=r"write .* like sqlite\+aiosqlite:///folder/ohlora.db") as caught:
        await Record.open(url)
    assert "secret" not in str(caught.value)
