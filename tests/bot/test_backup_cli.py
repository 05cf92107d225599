"""`ohlora backup` and `ohlora restore`, and the service before, meanwhile and afterwards."""

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.adapters.base import Host
from bot.app import assemble
from bot.cli import app as ohlora
from bot.config import Settings
from bot.service import Service
from core import Models
from core.errors import RecordError
from core.messages import PersonKey
from models.fakes import FakeClock
from storage.backup import backup, restore
from storage.record import Record
from tests.bot.conftest import JUN, MINA, PaperAdapter, handle, nothing_is_left, say


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """Whoever types commands about the record in this folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OHLORA_RECORD_URL", url(tmp_path, "record.db"))
    return CliRunner()


def url(folder: Path, name: str) -> str:
    return f"sqlite+aiosqlite:///{folder / name}"


async def receive(url: str, *numbers: int) -> list[str]:
    """Put messages into a record; the ids of all that wait there."""
    async with await Record.open(url) as record:
        for number in numbers:
            await record.turns.receive(say("안녕", number))
        return [waiting.message_id for waiting in await record.turns.unanswered()]


def test_what_was_kept_comes_back_and_the_record_before_is_kept(host: CliRunner, tmp_path: Path) -> None:
    record = url(tmp_path, "record.db")
    asyncio.run(receive(record, 1, 2))
    done = host.invoke(ohlora, ["backup", "kept.db"], catch_exceptions=False)
    assert done.exit_code == 0
    assert "│ inbox         │ 2    │" in done.stdout
    assert "kept.db: 0." in done.stdout
    asyncio.run(receive(record, 3))
    done = host.invoke(ohlora, ["restore", "kept.db", "--force"], catch_exceptions=False)
    assert asyncio.run(receive(record)) == ["m1", "m2"]
    assert "│ inbox         │ 2    │" in done.stdout
    (kept,) = tmp_path.glob("*.before-restore-*")
    assert f"The record of before is kept: {kept}" in done.stdout
    assert asyncio.run(receive(url(tmp_path, kept.name))) == ["m1", "m2", "m3"]


async def test_while_the_service_runs_a_backup_is_taken_and_none_is_restored(
    service: Service, record: Record, host: CliRunner, tmp_path: Path
) -> None:
    await handle(service, say("안녕", 1))
    done = await asyncio.to_thread(host.invoke, ohlora, ["backup", "kept.db"], catch_exceptions=False)
    assert done.exit_code == 0
    with pytest.raises(RecordError, match=r"is in use; stop the service first\. Nothing was changed\."):
        await asyncio.to_thread(host.invoke, ohlora, ["restore", "kept.db", "--force"], catch_exceptions=False)
    await handle(service, say("또 안녕", 2))
    assert await nothing_is_left(record)
    await record.close()
    await asyncio.to_thread(host.invoke, ohlora, ["restore", "kept.db", "--force"], catch_exceptions=False)
    async with await Record.open(url(tmp_path, "record.db")) as restored:
        exported = await restored.people.export(MINA)
        assert [row["message_id"] for row in exported["messages"]] == ["m1"]


async def test_from_a_backup_of_a_busy_service_another_one_goes_on(
    service: Service, tmp_path: Path, thinking: Models, clock: FakeClock
) -> None:
    """Whatever was under way at that moment is taken up, and whoever comes then is answered."""
    heard = asyncio.Event()

    async def talk(person: PersonKey, offset: int) -> None:
        for number in range(offset, offset + 10_000):
            await handle(service, say("안녕", number, person))
            heard.set()

    talking = [asyncio.create_task(talk(MINA, 0)), asyncio.create_task(talk(JUN, 10_000))]
    for name in ("one.db", "two.db"):
        heard.clear()
        await heard.wait()
        await backup(url(tmp_path, "record.db"), tmp_path / name)
    for task in talking:
        task.cancel()
    await asyncio.gather(*talking, return_exceptions=True)
    for name in ("one.db", "two.db"):
        there = url(tmp_path, f"of {name}")
        await restore(tmp_path / name, there)
        async with await Record.open(there) as restored:
            paper = PaperAdapter()
            paper.heard = asks
            await assemble(Settings.model_construct(), restored, thinking, [paper], clock).run()
            assert "m99999" in paper.answered
            assert await nothing_is_left(restored)


async def asks(host: Host) -> None:
    """Somebody, once the service runs; until the end of their turn."""
    await (await host.messages.receive(say("나야", 99_999)))
