"""`ohlora record copy` as a host types it."""

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.record_cli import record as record_commands
from core.errors import RecordError
from storage.record import Record
from tests.storage.samples import message


def url(folder: Path, name: str) -> str:
    return f"sqlite+aiosqlite:///{folder / name}"


async def receive(url: str, *numbers: int) -> list[str]:
    """Put messages into a record; the ids of all that wait there."""
    async with await Record.open(url) as record:
        for number in numbers:
            await record.turns.receive(message(number))
        return [waiting.message_id for waiting in await record.turns.unanswered()]


def test_a_copy_says_how_many_rows_arrived(tmp_path: Path) -> None:
    here, there = url(tmp_path, "here.db"), url(tmp_path, "there.db")
    asyncio.run(receive(here, 1, 2, 3))
    done = CliRunner().invoke(record_commands, ["copy", here, there], catch_exceptions=False)
    assert done.exit_code == 0
    assert "│ inbox         │ 3    │" in done.stdout
    assert "inbox" in done.stderr
    assert asyncio.run(receive(there)) == ["m1", "m2", "m3"]


def test_a_copy_onto_another_record_is_refused_in_one_sentence(tmp_path: Path) -> None:
    here, there = url(tmp_path, "here.db"), url(tmp_path, "there.db")
    asyncio.run(receive(here, 1))
    asyncio.run(receive(there, 2))
    with pytest.raises(RecordError, match=r"there\.db is not empty \(inbox\)"):
        CliRunner().invoke(record_commands, ["copy", here, there], catch_exceptions=False)
    assert asyncio.run(receive(there)) == ["m2"]
