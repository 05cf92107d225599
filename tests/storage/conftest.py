"""The SQLite record that the contracts run on: a real file in a new folder."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest
import pytest_asyncio

from storage.record import Record

CONTRACTS = ("turns", "memories", "cases", "people")
pytest.register_assert_rewrite(*(f"tests.storage.{part}_contract" for part in CONTRACTS))

LOCK_WAIT = 0.2


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "오로라 %20 folder" / "record.db"


@pytest.fixture
def url(path: Path) -> str:
    return f"sqlite+aiosqlite:///{quote(str(path))}"


@pytest_asyncio.fixture
async def record(url: str) -> AsyncIterator[Record]:
    async with await Record.open(url, lock_wait=LOCK_WAIT) as opened:
        yield opened
