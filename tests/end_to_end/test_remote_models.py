"""Her models on a model server: `ohlora run` on a machine without torch, and tasks shared out between two places."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import constants
from pydantic import SecretStr
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from bot.app import build
from bot.config import RemoteSettings, Settings
from bot.doctor import examine
from core.errors import ConfigurationError
from core.messages import PersonKey
from core.ports import Prompt
from core.tasks import ANSWER_END, EYES_MOUTH_POSE, MEMORY, OUTPUT_MESSAGE, SUMMARY, TASKS
from models.engine import Engine, Json
from models.fakes import FakeEncoder, FakeLanguageModel, plain_rule
from models.registry import Profile
from models.serving import LANES, Parts, models_on
from tests.end_to_end import telegram_house
from tests.model_server import ModelServer

house = telegram_house.house

ROOT = Path(__file__).resolve().parents[2]
KEY = "hush-hush-4711"
PROMPT = Prompt("", "안녕", ANSWER_END, 32, 0.6, PersonKey("test", "mina"))
# task → its adapter on the server
ADAPTERS = {task.name: f"aurora-{task.name.replace('_', '-')}" for task in TASKS}
ENCODERS = {"memory_encoder": "aurora-recall", "ethics_encoder": "aurora-judge"}
WITHOUT_TORCH = """
import sys

class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "transformers", "peft", "sentence_transformers"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Nothing())
sys.argv = ["ohlora", "run"]
import bot.cli
bot.cli.main()
"""


def server() -> ModelServer:
    """Every adapter answers as the fakes do, the base says something else."""
    tasks = {ADAPTERS[task.name]: replace(PROMPT, task=task.name, stop=task.stop) for task in TASKS}
    answers = {name: lambda _, asked=asked: plain_rule(asked) for name, asked in tasks.items()}
    everything = {"base": lambda _: "음", **answers, **{name: lambda _: "" for name in ENCODERS.values()}}
    return ModelServer(everything, dict.fromkeys(ADAPTERS.values(), "base"), KEY)


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """All that is left of a profile when its models are elsewhere: a tokenizer and thresholds."""
    folder = tmp_path / "profile"
    (folder / "base").mkdir(parents=True)
    tokenizer = Tokenizer(WordLevel({"?": 0}, "?"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(folder / "base" / "tokenizer.json"))
    acts = dict.fromkeys(("love", "politics", "insult", "hate"), 2.0)
    thresholds = {"memory": 0.6, "ethics": {"acts": acts, "veto": 0.5}, "version": "far-away"}
    (folder / "thresholds.json").write_text(json.dumps(thresholds), encoding="utf-8")
    return folder


def settings_file(folder: Path, house: telegram_house.House, profile: Path, url: str) -> None:
    """As the README shows it."""
    text = f"""
        telegram_token = "{house.server.token}"
        data_dir = "{folder / "data"}"
        cache_dir = "{house.faces}"
        [telegram]
        api_url = "{house.server.url}"
        [models]
        profile = "{profile}"
        [models.remote]
        urls = ["{url}"]
        api_key = "{KEY}"
        [models.remote.tasks]
        {chr(10).join(f'{task} = "{name}"' for task, name in ADAPTERS.items())}
        [models.remote.encoders]
        {chr(10).join(f'{encoder} = "{name}"' for encoder, name in ENCODERS.items())}
    """
    (folder / "ohlora.toml").write_text(text, encoding="utf-8")


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """`ohlora run` in `folder`, with nothing to import that computes."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("OHLORA_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "ignore", "-c", WITHOUT_TORCH),
        cwd=folder, env={**env, "PYTHONPATH": str(ROOT)}, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_whole_turn_needs_no_torch_where_the_models_are_elsewhere(
    house: telegram_house.House, profile: Path, tmp_path: Path
) -> None:
    async with server() as models:
        settings_file(tmp_path, house, profile, models.url)
        async with running(tmp_path) as process:
            await house.server.say(house.person, house.private, "로라야 안녕")
            remembering = asyncio.create_task(asked(models, {*ADAPTERS.values(), *ENCODERS.values()}))
            said, _ = await asyncio.wait(
                [remembering, asyncio.create_task(process.wait())], return_when=asyncio.FIRST_COMPLETED
            )
            if remembering in said:
                [reply] = await house.spoken(house.private)
                process.send_signal(signal.SIGTERM)
            remembering.cancel()
            _, errors = await process.communicate()
    assert (process.returncode, errors.decode()) == (0, "")
    assert "응, 듣고 있어!" in reply.words


async def asked(models: ModelServer, names: set[str]) -> None:
    """Until each of these models was asked for what a turn needs, and not only at the start."""
    while names:
        request = await models.arrived.get()
        if request.get("temperature") != 0.0:
            names.discard(request["model"])


class Echo:
    """A models.engine.Device that answers each request with the name of its lane."""

    async def run(self, lane: str, requests: Sequence[Json]) -> list[Json]:
        return [{"text": lane, "ended": True, "tokens": 1} for _ in requests]

    def cancel(self, row: int) -> None:
        pass

    async def close(self) -> None:
        pass


async def test_tasks_that_are_not_named_stay_on_this_machine(profile: Path) -> None:
    engine, far = Engine(Echo(), LANES), FakeLanguageModel()
    remote = Parts(far, [SUMMARY.name], {"ethics_encoder": FakeEncoder()}, "aurora-judge")
    models = models_on(engine, Profile(profile), recall=True, remote=remote)
    written = {
        task.name: (await models.language.complete(replace(PROMPT, task=task.name))).text
        for task in (OUTPUT_MESSAGE, SUMMARY, MEMORY, EYES_MOUTH_POSE)
    }
    await engine.close()
    assert written.pop(SUMMARY.name).strip() == "듣고 있다고 했다"
    assert written == {name: name for name in written}
    assert models.ethics_encoder is remote.encoders["ethics_encoder"]
    assert models.memory_encoder is not models.ethics_encoder
    assert models.language.count_tokens(SUMMARY.name, "네 글자") == far.count_tokens(SUMMARY.name, "네 글자")
    assert models.language.count_tokens(MEMORY.name, "네 글자") == 2
    assert models.version == "far-away, aurora-judge"


def elsewhere(folder: Path, profile: Path, url: str) -> Settings:
    """Everything on one server."""
    remote = RemoteSettings(urls=[url], api_key=SecretStr(KEY), tasks=ADAPTERS, encoders=ENCODERS)
    return Settings.model_validate({"data_dir": folder, "models": {"profile": profile, "remote": remote}})


async def test_a_model_the_servers_lack_stops_the_start_in_one_sentence(profile: Path, tmp_path: Path) -> None:
    async with server() as models:
        del models.models[ADAPTERS["memory"]]
        with pytest.raises(ConfigurationError, match="no model server has aurora-memory") as failure:
            async with build(elsewhere(tmp_path / "data", profile, models.url), []):
                pass
    assert "\n" not in str(failure.value)
    assert KEY not in str(failure.value)


async def test_without_the_originals_models_one_sentence_says_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    settings = Settings.model_validate({"data_dir": tmp_path / "data", "models": {"profile": "original"}})
    with pytest.raises(ConfigurationError, match="ohlora models pull kanana"):
        async with build(settings, []):
            pass


async def test_doctor_asks_the_servers_and_wants_no_torch(profile: Path, tmp_path: Path) -> None:
    async with server() as models:
        settings = elsewhere(tmp_path / "data", profile, models.url)
        there = {finding.name: finding for finding in await asyncio.to_thread(examine, settings)}
        del models.models[ADAPTERS["memory"]]
        lacking = {finding.name: finding for finding in await asyncio.to_thread(examine, settings)}
    assert "memory: aurora-memory" in there["Model servers"].found
    assert there["Model servers"].todo == ""
    assert "Models" not in there
    assert "torch" not in there["Packages"].found
    assert "no model server has aurora-memory" in lacking["Model servers"].found
    assert lacking["Model servers"].todo
