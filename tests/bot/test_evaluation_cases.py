"""`ohlora evaluate ethics --from-cases` over a real record: what it prints, writes and refuses."""

import asyncio
import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app
from core import moderation
from core.cases import Kind
from core.errors import ConfigurationError
from core.messages import ChatKey, IncomingMessage, PersonKey, Reply, Turn
from core.moderation import Moderator
from core.sanctions import WARNING, Evidence, Sanction
from models.datasets.schema import EthicsRow, read_rows
from storage.record import Record

NOON = datetime(2025, 11, 21, 3, tzinfo=UTC)
MINA = PersonKey("discord", "1")
GUILD = ChatKey("discord", "lounge", private=False, place_id="guild")
SCORES = {"love": 0.8, "politics": 0.1, "insult": 0.1, "hate": 0.1, "normal": 0.1}
LIMITS = {"love": 0.7, "politics": 0.7, "insult": 0.7, "hate": 0.7, "normal": 0.5}
Evaluate = Callable[..., Result]


async def _two_confessions(url: str) -> None:
    """A warning that was overturned, and one that was upheld."""
    by = Moderator(PersonKey("discord", "9"), GUILD.place)
    async with await Record.open(url) as record:
        for number, (text, kind) in enumerate([("노래 가사", Kind.OVERTURNED), ("사귀자", Kind.UPHELD)], start=1):
            asked = IncomingMessage(MINA, GUILD, f"m{number}", text, NOON)
            await record.turns.receive(asked)
            evidence = Evidence(text, "미안!", SCORES, LIMITS, "old")
            sanction = Sanction("love", number, NOON, WARNING, evidence=evidence)
            await record.turns.commit(Turn(Reply(asked, "미안!"), text, (sanction,), SCORES))
            await record.cases.append(number, partial(moderation.decided, by=by, kind=kind, now=NOON))


@pytest.fixture
def evaluate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Evaluate]:
    url = f"sqlite+aiosqlite:///{tmp_path / 'record.db'}"
    asyncio.run(_two_confessions(url))
    monkeypatch.setenv("OHLORA_RECORD_URL", url)
    monkeypatch.chdir(tmp_path)
    root = logging.getLogger()
    others, level = root.handlers[:], root.level
    yield lambda *words: CliRunner().invoke(app, ["evaluate", "ethics", *map(str, words)])
    for handler in [handler for handler in root.handlers if handler not in others]:
        root.removeHandler(handler)  # it writes to where the runner looked, and that is closed
    root.setLevel(level)


def test_other_thresholds_are_tried_on_the_scores_as_they_were(evaluate: Evaluate, tmp_path: Path) -> None:
    (tmp_path / "limits.json").write_text(json.dumps({"acts": {"love": 0.75, "hate": 0.9}}), encoding="utf-8")
    done = evaluate(
        "--from-cases", "--thresholds", "limits.json", "--threshold", "love=0.9", "--export-rows", "r.jsonl"
    )
    assert done.exit_code == 0, done.output
    figures = json.loads(done.output.splitlines()[-1])
    assert figures["thresholds"] == "as then, but love 0.9, hate 0.9"
    assert (figures["cases"], figures["cases_would_not_arise"], figures["upheld_would_arise"]) == (2, 2, 0)
    assert "discord:1" in done.output
    assert {row.text: row.category for row in read_rows(tmp_path / "r.jsonl", EthicsRow)} == {
        "노래 가사": "normal",
        "사귀자": "love",
    }
    stored = json.loads((tmp_path / "build" / "evaluation" / "cases.json").read_text(encoding="utf-8"))
    assert stored["figures"]["cases_would_not_arise"] == 2
    assert (tmp_path / "build" / "evaluation" / "cases.html").is_file()


def test_another_encoder_judges_the_prompts_anew(evaluate: Evaluate, tiny_profile: Path) -> None:
    done = evaluate("--from-cases", "--model", tiny_profile / "ethics_encoder")
    assert done.exit_code == 0, done.output
    figures = json.loads(done.output.splitlines()[-1])
    assert (figures["cases_replayed"], figures["model"]) == (2, str(tiny_profile / "ethics_encoder"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--from-cases", "--threshold", "insults=0.9"), "no such category: insults"),
        (("--from-cases", "--threshold", "insult=high"), "a threshold is a number from 0 to 1"),
        (("--from-cases", "--threshold", "insult"), "a threshold is a number from 0 to 1"),
        (("--from-cases", "--threshold", "insult=nan"), "a threshold is a number from 0 to 1"),
        (("--from-cases", "--thresholds", "record.db"), "no thresholds: record.db"),
        (("--from-cases", "--model", "nowhere"), "neither a profile nor an encoder"),
        (("--from-cases", "--threshold", "insult=1", "--export-rows", "record.db"), "record.db exists"),
        (("--from-cases", "--data", "record.db"), "leave out --data"),
        (("--threshold", "insult=0.9"), "belong to --from-cases"),
    ],
)
def test_what_makes_no_sense_is_said_before_anything_is_written(
    evaluate: Evaluate, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    done = evaluate(*words)
    assert isinstance(done.exception, ConfigurationError)
    assert said in str(done.exception)
    assert not (tmp_path / "build").exists()
