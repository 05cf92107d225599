"""`ohlora dead …` as a host types it."""

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.dead_cli import dead
from storage.record import Record
from tests.storage.samples import message

REASON = "5 workers had it, and none came to its end"


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Of a record with two dead letters."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'record.db'}"
    monkeypatch.setenv("OHLORA_RECORD_URL", url)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    asyncio.run(bury(url))
    return url


async def bury(url: str) -> None:
    async with await Record.open(url) as record:
        for number in (1, 2):
            await record.turns.receive(message(number))
            await record.dead.bury(message(number).key, REASON)


async def left(url: str) -> tuple[list[str], list[str]]:
    """Ids of the messages that wait, and of the dead ones."""
    async with await Record.open(url) as record:
        waiting = [one.message_id for one in await record.turns.unanswered()]
        return waiting, [letter.key.message_id for letter in await record.dead.oldest()]


def run(*words: str) -> str:
    done = CliRunner().invoke(dead, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_list_says_whose_they_are_and_why_but_not_what_they_say(url: str) -> None:
    shown = run("list")
    assert f"{message(1).person.platform}:{message(1).person.user_id}" in shown
    assert REASON in shown
    assert "2 in all" in shown
    assert message(1).text not in shown


def test_one_is_shown_with_what_it_says(url: str) -> None:
    shown = run("show", "1")
    assert message(1).text in shown
    assert REASON in shown


def test_one_that_is_not_there_is_said_in_one_sentence(url: str) -> None:
    done = CliRunner().invoke(dead, ["show", "99"])
    assert done.exit_code == 2
    assert "there is no dead letter 99" in done.output


@pytest.mark.parametrize(
    ("command", "said", "waiting"), [("retry", "1 wait again", ["m2"]), ("drop", "1 are dropped", [])]
)
def test_they_are_retried_or_dropped_by_number(url: str, command: str, said: str, waiting: list[str]) -> None:
    assert said in run(command, "2", "99")
    assert asyncio.run(left(url)) == (waiting, ["m1"])
