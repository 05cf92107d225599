"""What a whole service writes down: which turn it is about, and nothing that anybody said."""

import asyncio
import json
import logging
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot import logs
from bot.app import assemble
from bot.config import Settings
from bot.service import Service
from core import Models
from core.errors import DeliveryError, DeliveryRefused, GenerationFailed
from core.ethics import Thresholds
from core.messages import PersonKey
from core.ports import Prompt
from core.tasks import EYES_MOUTH_POSE, MEMORY, OUTPUT_MESSAGE, SUMMARY
from models.fakes import FakeClock, plain_rule
from storage.record import Record
from tests.bot.conftest import LOUNGE, PaperAdapter, PuppetModel, handle, say
from tests.bot.test_logs import loggers_as_before as loggers_as_before
from tests.end_to_end.serving import FakeJudge

# part of everything that is said, answered, summed up and remembered here; never in a log
MARK = "비밀의정원"
ANSWERS = {
    OUTPUT_MESSAGE.name: f"{MARK} 좋지!",
    SUMMARY.name: f"{MARK}에 갔다고 했다",
    MEMORY.name: f"[좋아하는 곳: {MARK}]",
}
FORMS = pytest.mark.parametrize("form", ["pretty", "json"])


def marked(prompt: Prompt) -> str:
    """Her side of it."""
    if prompt.task == EYES_MOUTH_POSE.name:
        return plain_rule(prompt)
    return f"{ANSWERS[prompt.task]} {prompt.stop}"


@pytest.fixture
def service(record: Record, thinking: Models, paper: PaperAdapter, language: PuppetModel, clock: FakeClock) -> Service:
    """Everything it handles is marked; whoever says 꺼져 is sanctioned."""
    language.rule = marked
    models = replace(thinking, ethics_encoder=FakeJudge(), ethics_thresholds=Thresholds())
    return assemble(Settings.model_construct(), record, models, [paper], clock).service


def configure(form: str, level: str) -> None:
    logs.configure(Settings.model_validate({"log_format": form, "log_level": level}), "run")


class Healer(logging.Handler):
    """Makes it well when the first line about it is written."""

    def __init__(self, heal: Callable[[], None]) -> None:
        super().__init__()
        self._heal = heal

    def emit(self, record: logging.LogRecord) -> None:
        self._heal()


class Trouble:
    """Whatever goes wrong with a turn."""

    def __init__(self, paper: PaperAdapter, language: PuppetModel, file: Path) -> None:
        self.paper = paper
        self.language = language
        self.file = file

    def nothing(self) -> None:
        """All is well."""

    def answer(self) -> None:
        """The models have no answer."""
        self.language.failing, self.language.error = {OUTPUT_MESSAGE.name}, GenerationFailed("the device is gone")

    def bookkeeping(self) -> None:
        """Nothing is learned."""
        self.language.failing, self.language.error = {MEMORY.name}, GenerationFailed("the device is gone")

    def delivery(self) -> None:
        """The reply may have arrived."""
        self.paper.fault = DeliveryError("cut")

    def refusal(self) -> None:
        """The reply will not arrive."""
        self.paper.fault = DeliveryRefused("closed")

    def commit(self) -> None:
        """The record does not take turns."""
        self._refuse("INSERT ON turns")

    def inbox(self) -> None:
        """The record does not take messages."""
        self._refuse("INSERT ON inbox")

    def memory(self) -> None:
        """The record does not take memories, until somebody writes that down."""
        self._refuse("INSERT ON memories")
        logging.getLogger("bot.turns").addHandler(Healer(self._heal))

    def _heal(self) -> None:
        with sqlite3.connect(self.file) as other:
            other.execute("DROP TRIGGER IF EXISTS refusing")
        other.close()

    def _refuse(self, what: str) -> None:
        with sqlite3.connect(self.file) as other:
            other.execute(f"CREATE TRIGGER refusing BEFORE {what} BEGIN SELECT RAISE(ABORT, 'refused'); END")
        other.close()


TROUBLES: dict[str, Callable[[Trouble], None]] = {
    name: getattr(Trouble, name)
    for name in ("nothing", "answer", "bookkeeping", "delivery", "refusal", "commit", "inbox", "memory")
}


@pytest.fixture
def trouble(paper: PaperAdapter, language: PuppetModel, record: Record, tmp_path: Path) -> Iterator[Trouble]:
    del record  # its file is there
    handlers = logging.getLogger("bot.turns").handlers
    yield Trouble(paper, language, tmp_path / "record.db")
    handlers.clear()


@pytest.mark.usefixtures("loggers_as_before")
@FORMS
@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
@pytest.mark.parametrize("what", TROUBLES)
async def test_nothing_that_was_said_is_written_down_whatever_goes_wrong(
    service: Service, trouble: Trouble, form: str, level: str, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(form, level)
    TROUBLES[what](trouble)
    await handle(service, say(f"나 {MARK} 갔다 왔어", 1))
    await handle(service, say(f"로라야 꺼져 {MARK}", 2, chat=LOUNGE))
    written = capsys.readouterr().err
    assert MARK not in written
    assert json.dumps(MARK)[1:-1] not in written
    assert ("WARNING" in written or "ERROR" in written) == (what != "nothing")


@pytest.mark.usefixtures("loggers_as_before")
async def test_every_line_about_a_turn_names_it_though_many_are_under_way(
    service: Service, trouble: Trouble, capsys: pytest.CaptureFixture[str]
) -> None:
    configure("json", "INFO")
    trouble.bookkeeping()
    trouble.delivery()
    people = [PersonKey("paper", str(number)) for number in range(5)]
    await asyncio.gather(*(handle(service, say("안녕", number, one)) for number, one in enumerate(people)))
    logging.getLogger("bot").warning("nobody's")
    lines: list[dict[str, Any]] = [json.loads(one) for one in capsys.readouterr().err.splitlines()]
    about: dict[str | None, list[str]] = {}
    for one in lines:
        about.setdefault(one.get("turn"), []).append(one["logger"])
    turns = {f"paper:home:m{number}": ["bot.outbox", "bot.turns"] for number in range(5)}
    assert about == {**turns, None: ["bot"]}


@pytest.mark.usefixtures("loggers_as_before")
async def test_what_a_restart_takes_up_is_logged_under_the_message_it_began_with(
    service: Service, trouble: Trouble, record: Record, capsys: pytest.CaptureFixture[str]
) -> None:
    await record.turns.receive(say(f"나 {MARK} 갔다 왔어", 7))
    configure("json", "INFO")
    trouble.refusal()
    await service.recover()
    await asyncio.gather(*service._tasks)
    lines = [json.loads(one) for one in capsys.readouterr().err.splitlines()]
    assert [one["logger"] for one in lines] == ["bot.service", "bot.outbox"]
    assert {one["turn"] for one in lines} == {"paper:home:m7"}
    assert MARK not in str(lines)
