"""`ohlora person …` as a host types it."""

import asyncio
import json
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot import logs
from bot.person_cli import person as person_commands
from core.messages import PersonKey
from storage.record import Record
from tests.storage.samples import JUN, MINA, item, learn, message, sanction, turn

WHO = f"{MINA.platform}:{MINA.user_id}"


@pytest.fixture(autouse=True)
def _hosted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of a host whose record has Mina and Jun in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OHLORA_RECORD_URL", url(tmp_path))
    monkeypatch.setattr(logs, "configure", lambda *_: None)
    asyncio.run(fill(tmp_path))


def url(folder: Path) -> str:
    return f"sqlite+aiosqlite:///{folder / 'record.db'}"


async def fill(folder: Path) -> None:
    async with await Record.open(url(folder)) as record:
        await learn(record, 1, item())
        await learn(record, 2, item(), JUN)
        await record.turns.receive(message(3))
        await record.turns.commit(turn(message(3), sanction()))


async def kept(folder: Path, who: PersonKey) -> int:
    async with await Record.open(url(folder)) as record:
        return len((await record.people.export(who))["messages"])


def run(*arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(person_commands, list(arguments), input=typed)


def test_the_export_is_a_file_that_only_its_owner_may_read(tmp_path: Path) -> None:
    done = run("export", WHO, "-o", "mina.json")
    assert (done.exit_code, done.output) == (0, "")
    file = tmp_path / "mina.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    written = json.loads(file.read_text())
    assert (written["platform"], written["user_id"]) == (MINA.platform, MINA.user_id)
    assert {"made_at", "version"} < written.keys()
    assert [one["value"] for one in written["memories"]] == ["에스파"]


def test_without_a_file_the_export_goes_to_standard_output() -> None:
    assert len(json.loads(run("export", WHO).stdout)["messages"]) == 2


def test_deleting_asks_first_and_says_how_much_it_is(tmp_path: Path) -> None:
    done = run("delete", WHO, typed="n\n")
    assert done.exit_code == 1
    assert "│ messages         │ 2        │" in done.stderr
    assert f"Delete everything kept about {WHO}?" in done.stderr
    assert asyncio.run(kept(tmp_path, MINA)) == 2


@pytest.mark.parametrize(("options", "typed"), [((), "y\n"), (("--yes",), "")])
def test_deleting_takes_one_person_and_says_what_stays(tmp_path: Path, options: tuple[str, ...], typed: str) -> None:
    done = run("delete", WHO, *options, typed=typed)
    assert done.exit_code == 0
    told = f"Everything kept about {WHO} is deleted; without their words these cases stay: 1."
    assert done.stdout.splitlines()[-1] == told
    assert asyncio.run(kept(tmp_path, MINA)) == 0
    assert asyncio.run(kept(tmp_path, JUN)) == 1


@pytest.mark.parametrize("who", ["mina", ":mina", "discord:"])
def test_a_person_is_a_platform_and_a_number(who: str) -> None:
    done = run("delete", "--yes", who)
    assert done.exit_code == 2
    assert "discord:123456789012345678" in done.stderr
