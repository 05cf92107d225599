"""What may change while she serves: read again as a whole, or not at all, in every process that serves."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import typer
from typer.testing import CliRunner

from bot import config, running
from bot.places import Places
from bot.reload import Reload, reloading, use_texts
from bot.reload_cli import reload as reload_command
from core import Conversation, Models, texts
from core.errors import ConfigurationError
from core.ethics import Thresholds
from core.messages import PlaceKey
from core.people import PlaceSettings
from core.rules import Rulebook
from models.fakes import FakeClock
from storage.record import Record
from tests.bot.conftest import LOUNGE, PuppetModel, say

OWN = Thresholds({"love": 0.8, "politics": 0.7, "insult": 0.6, "hate": 0.5}, 0.4)

app = typer.Typer()
app.command()(reload_command)

# serves until its input ends; for each line it says what holds
SCRIPT = """
import asyncio, sys
from bot import config
from bot.reload import Reload, reloading, use_texts
from core import texts
from core.ethics import Thresholds

async def main():
    settings = config.load()
    use_texts(settings)
    reload = Reload(settings, Thresholds())
    async with reloading(reload, settings.data_dir, "worker"):
        print("ready", flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            print(texts.text("en", "notice", "empty"), reload.rulebook.thresholds.acts["love"], flush=True)

asyncio.run(main())
"""


# a whole service without weights, in the terminal
SERVICE = """
import asyncio
from contextlib import asynccontextmanager
from bot.adapters.console import ConsoleAdapter
from bot.app import SystemClock, assemble, opened
from bot.config import load
from bot.serving import serve
from core import Models
from core.ethics import Thresholds
from models.fakes import FakeEncoder, FakeLanguageModel

settings = load()
models = Models(FakeLanguageModel(), FakeEncoder(), 0.3, FakeEncoder(), Thresholds(), None, "fakes")

@asynccontextmanager
async def build(metrics):
    async with opened(settings, metrics) as record:
        yield assemble(settings, record, models, [ConsoleAdapter()], SystemClock(), metrics)

asyncio.run(serve("chat", settings, build))
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the host's files lie; nothing of this machine's own settings."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("OHLORA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OHLORA_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "texts").mkdir()
    yield tmp_path
    texts.use({})


def write(settings: str, english: str = "") -> None:
    Path("ohlora.toml").write_text(f'texts = "texts"\n{settings}', encoding="utf-8")
    Path("texts/en.toml").write_text(english, encoding="utf-8")


def empty() -> str:
    return texts.text("en", "notice", "empty")


def fresh() -> tuple[Reload, Rulebook]:
    settings = config.load()
    use_texts(settings)
    reload = Reload(settings, OWN)
    return reload, reload.rulebook


def started(script: str) -> "subprocess.Popen[str]":
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", script], env=_environment(), stdin=pipe, stdout=pipe, text=True)


@contextmanager
def served(*, times: int = 1) -> Iterator[list["subprocess.Popen[str]"]]:
    """Processes that serve, gone afterwards."""
    begun = [started(SCRIPT) for _ in range(times)]
    try:
        for process in begun:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        yield begun
    finally:
        for process in begun:
            process.kill()
            process.communicate()


@contextmanager
def serving_elsewhere(data_dir: Path, script: str, *, says: bool = False) -> Iterator[int]:
    """The number of a process that is registered as if it served."""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", script], stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        if says:
            process.stdout.readline()
        with running.serving(data_dir, "run") as here:
            assert here is not None
            started = psutil.Process(process.pid).create_time()
            file = here.file.with_name(f"run-{process.pid}.pid")
            file.write_text(json.dumps({"started": started}), encoding="utf-8")
        yield process.pid
        process.kill()


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}


def ask(process: "subprocess.Popen[str]", line: str = "") -> str:
    """What it answers, in one line."""
    assert process.stdin is not None
    assert process.stdout is not None
    print(line, file=process.stdin, flush=True)
    return process.stdout.readline().strip()


class TestSettings:
    def test_thresholds_of_the_host_win_over_the_encoders(self) -> None:
        write("[turn.thresholds]\nlove = 0.9\nnormal = 0.3")
        rulebook = config.load().rulebook(OWN)
        assert rulebook.thresholds == Thresholds({**OWN.acts, "love": 0.9}, 0.3)
        assert config.Settings().model_copy(update={"turn": config.TurnSettings()}).rulebook(OWN).thresholds == OWN

    @pytest.mark.parametrize("line", ["love = 1.1", "love = -0.1", "love = nan", "rude = 0.5", 'love = "high"'])
    def test_a_threshold_that_is_none_is_refused(self, line: str) -> None:
        write(f"[turn.thresholds]\n{line}")
        with pytest.raises(ConfigurationError, match=r"turn\.thresholds"):
            config.load()

    def test_a_start_with_bad_texts_fails(self) -> None:
        write("", '[notice]\nempty = "{gap}"')
        with pytest.raises(ConfigurationError, match=r"en\.toml: notice\.empty"):
            use_texts(config.load())


class TestAgain:
    async def test_all_that_may_change_holds_at_once(self) -> None:
        write("")
        reload, rulebook = fresh()
        write(
            "[turn.thresholds]\nlove = 0.9\n[turn.ladders]\nhate = [1]\n[moderation]\nlooser = 0.25",
            '[notice]\nempty = "What?"',
        )
        answer = await reload.again()
        assert (answer.refused, list(answer.restart)) == ("", [])
        assert rulebook == config.load().rulebook(OWN)
        assert (rulebook.thresholds.acts["love"], rulebook.bounds.looser) == (0.9, 0.25)
        assert empty() == "What?"

    @pytest.mark.parametrize(
        ("settings", "english", "said"),
        [
            ("[turn.thresholds]\nlove = 2", '[notice]\nempty = "No"', "turn.thresholds.love"),
            ("[turn.thresholds]\nlove = ", "", "ohlora.toml cannot be read"),
            ("[turn.thresholds]\nlove = 0.1", '[notice]\nempty = "{x}"', "en.toml: notice.empty"),
            ("[turn.thresholds]\nlove = 0.1", "[notice", "en.toml cannot be read"),
            ("[turn.thresholds]\nlove = 0.1", 'notice = "x"', "en.toml: there is no section [notice]"),
            ("[turn.ladders]\nlove = [-1]", "", "turn.ladders.love"),
        ],
    )
    async def test_anything_wrong_refuses_everything_and_is_named_in_one_line(
        self, settings: str, english: str, said: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        write("[turn.thresholds]\nlove = 0.75", '[notice]\nempty = "Yes"')
        reload, rulebook = fresh()
        before = replace(rulebook)
        write(settings, english)
        answer = await reload.again()
        assert said in answer.refused
        assert (rulebook, empty()) == (before, "Yes")
        (line,) = [record.getMessage() for record in caplog.records if record.name == "bot.reload"]
        assert said in line
        assert "\n" not in line

    @pytest.mark.parametrize(
        ("make", "said"),
        [
            (lambda: Path("texts/kr.toml").write_text(""), "kr.toml is of no language of hers; those are ko, en"),
            (lambda: Path("texts").rename("gone"), "there is no folder texts"),
            (lambda: Path("texts/ko.toml").write_bytes(b"\xff"), "ko.toml cannot be read"),
        ],
    )
    async def test_a_folder_that_cannot_be_meant_is_refused(self, make: object, said: str) -> None:
        write("")
        reload, _ = fresh()
        assert callable(make)
        make()
        assert said in (await reload.again()).refused

    async def test_what_holds_from_the_next_start_only_is_named_each_time(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        write('discord_token = "hush-1"')
        reload, rulebook = fresh()
        write(
            'discord_token = "hush-2"\nlanguage = "en"\n[models.remote]\ntimeout_s = 9\n[turn.thresholds]\nlove = 0.1'
        )
        for number in (1, 2):
            answer = await reload.again()
            assert answer == running.Answer(number, "", ["language", "discord_token", "models.remote.timeout_s"])
        assert rulebook.thresholds.acts["love"] == 0.1
        assert "needs a restart: language, discord_token, models.remote.timeout_s" in caplog.text
        assert "hush" not in caplog.text

    async def test_what_another_process_changed_about_a_place_holds(self, record: Record) -> None:
        places, guild = Places(record.places), PlaceKey("paper", "guild")
        await places.chosen(guild)
        await record.places.change(guild, PlaceSettings(name_call=False))
        assert (await places.chosen(guild)).name_call
        await Reload(config.load(), OWN, places).again()
        assert not (await places.chosen(guild)).name_call


async def test_a_turn_under_way_is_judged_by_what_it_began_with(
    record: Record, thinking: Models, language: PuppetModel, clock: FakeClock
) -> None:
    """Everything acts from −1 on, but not before the rules are read again."""
    never, always = (Thresholds(dict.fromkeys(OWN.acts, cosine), 2.0) for cosine in (1.5, -1.0))
    policy = config.Settings.model_construct().policy
    rulebook = Rulebook(never, policy.ladders, policy.bounds)
    conversation = Conversation(thinking, record.turns, clock, policy, rulebook=rulebook)
    language.gated.add("output_message")
    under_way = asyncio.create_task(conversation.reply(say("안녕", 1, chat=LOUNGE)))
    await language.arrived.get()
    rulebook.become(replace(rulebook, thresholds=always))
    language.gate.set()
    assert (await under_way).sanctions == ()
    assert (await conversation.reply(say("안녕", 2, chat=LOUNGE))).sanctions


class TestProcesses:
    def test_each_reads_again_and_says_so_and_a_bad_file_changes_nothing(self) -> None:
        write("", '[notice]\nempty = "One"')
        with served(times=2) as begun:
            assert [ask(process) for process in begun] == ["One 0.98"] * 2
            write("[turn.thresholds]\nlove = 0.5", '[notice]\nempty = "Two"')
            done = CliRunner().invoke(app)
            assert (done.exit_code, sorted(done.stdout.splitlines())) == (
                0,
                sorted(f"worker ({process.pid}): reloaded" for process in begun),
            )
            assert [ask(process) for process in begun] == ["Two 0.5"] * 2
            write("[turn.thresholds]\nlove = 0.1", '[notice]\nempty = "{gap}"')
            done = CliRunner().invoke(app)
            assert done.exit_code == 1
            said = "refused, and goes on as before: en.toml: notice.empty has to have the gaps none, not {gap}"
            assert done.stdout.count(said) == 2
            assert [ask(process) for process in begun] == ["Two 0.5"] * 2
            write('log_level = "ERROR"', '[notice]\nempty = "Three"')
            assert CliRunner().invoke(app).stdout.count("reloaded; needs a restart: log_level") == 2

    def test_a_whole_service_says_the_new_sentences(self) -> None:
        write('language = "en"', '[about]\ntext = "One"')
        with started(SERVICE) as process:
            assert ask(process, "/about") == "One"
            write('language = "en"', '[about]\ntext = "Two"')
            done = CliRunner().invoke(app)
            assert (done.exit_code, done.stdout) == (0, f"chat ({process.pid}): reloaded\n")
            assert ask(process, "/about") == "Two"
            process.communicate()
        assert process.returncode == 0
        assert CliRunner().invoke(app).exit_code == 1

    def test_where_nobody_serves_that_is_said(self) -> None:
        done = CliRunner().invoke(app)
        assert (done.exit_code, "Nobody is serving" in done.stdout) == (1, True)

    def test_whoever_was_killed_is_not_asked_and_leaves_nothing(self, folder: Path) -> None:
        write("")
        with served():
            pass
        (left,) = (folder / "data" / "run").rglob("*.pid")
        assert CliRunner().invoke(app).exit_code == 1
        assert not left.exists()

    def test_another_program_with_the_same_number_is_never_sent_a_signal(self, folder: Path) -> None:
        with running.serving(folder / "data", "worker") as process:
            assert process is not None
            started = psutil.Process().create_time() - 60
            process.file.write_text(json.dumps({"started": started}), encoding="utf-8")
            assert CliRunner().invoke(app).exit_code == 1

    def test_whoever_ends_without_an_answer_is_named(self, folder: Path) -> None:
        with serving_elsewhere(folder / "data", "import time; time.sleep(60)") as pid:  # SIGHUP ends it
            done = CliRunner().invoke(app)
        assert (done.exit_code, done.stdout) == (1, f"run ({pid}): has ended\n")

    def test_whoever_does_not_answer_in_time_is_named(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("bot.reload_cli._WAIT_S", 0.1)
        deaf = "import signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); print(flush=True); sys.stdin.read()"
        with serving_elsewhere(folder / "data", deaf, says=True) as pid:
            done = CliRunner().invoke(app)
        assert (done.exit_code, done.stdout) == (1, f"run ({pid}): did not answer; see its log\n")

    async def test_whoever_may_write_nothing_still_hears_signals(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write("")
        (folder / "data").write_text("no folder")
        reload, told = fresh()[0], asyncio.Event()

        async def heard() -> running.Answer:
            told.set()
            return running.Answer()

        monkeypatch.setattr(reload, "again", heard)
        async with reloading(reload, folder / "data", "worker"):
            os.kill(os.getpid(), signal.SIGHUP)
            await told.wait()

    async def test_each_signal_is_heard_and_the_end_leaves_nothing(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write("")
        reload, rulebook = fresh()
        told: asyncio.Queue[float] = asyncio.Queue()
        again = reload.again

        async def heard() -> running.Answer:
            answer = await again()
            told.put_nowait(rulebook.thresholds.acts["love"])
            return answer

        monkeypatch.setattr(reload, "again", heard)
        async with reloading(reload, folder / "data", "run"):
            assert [process.pid for process in running.processes(folder / "data")] == [os.getpid()]
            for cosine in (0.11, 0.22, 0.33):
                write(f"[turn.thresholds]\nlove = {cosine}")
                os.kill(os.getpid(), signal.SIGHUP)
                assert await told.get() == cosine
        assert running.processes(folder / "data") == []
