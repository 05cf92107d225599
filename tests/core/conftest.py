"""A real record for conversations: an SQLite file in a new folder."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from storage.record import Record


@pytest_asyncio.fixture
async def record(tmp_path: Path) -> AsyncIterator[Record]:
    async with await Record.open(f"sqlite+aiosqlite:///{tmp_path}/record.db") as opened:
        yield opened
