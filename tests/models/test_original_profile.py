"""`original`, scaled down: pulled from a stand-in of the hub, listed, checked, and served from two bases."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from huggingface_hub import constants

from core.messages import PersonKey
from core.ports import Prompt
from core.tasks import TASKS
from models.catalogue import BASES
from models.device import DeviceProcess
from models.engine import Engine
from models.registry import BUNDLED
from models.serving import LANES, models_on, served_here
from tests.bot.model_hub import ModelHub

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROOT = Path(__file__).parents[2]
MINA = PersonKey("console", "mina")
TASKS_OF = {"kanana-1.5-2.1b-base": ("output_message", "summary"), "polyglot-ko-1.3b": ("memory", "eyes_mouth_pose")}


@dataclass(frozen=True)
class Pulled:
    """A host's folders with everything of the original in them."""

    home: Path
    environment: Mapping[str, str]

    async def ohlora(self, *arguments: str, said: str = "") -> str:
        """What a command prints."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-W", "ignore", "-m", "bot.cli", *arguments,
            cwd=ROOT, env=self.environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        out, errors = await process.communicate(said.encode())
        assert process.returncode == 0, errors.decode()
        return out.decode()


def files(folder: Path, below: str = "") -> dict[str, bytes]:
    return {f"{below}{path.name}": path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def host(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pulled]:
    home = tmp_path_factory.mktemp("host")
    command = [sys.executable, "-W", "ignore", "-m", "tests.models.scaled_down", str(home / "made")]
    await asyncio.to_thread(subprocess.run, command, cwd=ROOT, check=True, capture_output=True)
    hub = ModelHub()
    for name, tasks in TASKS_OF.items():
        hub.publish(BASES[name].repository, files(home / "made" / name / "base"))
        for task in tasks:
            hub.publish(f"owner/{task}", files(home / "made" / name / "adapters" / task, "lora/"))
    async with hub.serve() as address:
        own = {name: value for name, value in os.environ.items() if not name.startswith("OHLORA_")}
        environment = {
            **own, "HF_HOME": str(home / "hf"), "HF_ENDPOINT": address, "OHLORA_DATA_DIR": str(home / "data"),
            "OHLORA_CACHE_DIR": str(home / "cache"), "OHLORA_MODELS__PROFILE": "original", "COLUMNS": "200",
        }  # fmt: skip
        pulled = Pulled(home, environment)
        for name, tasks in TASKS_OF.items():
            await pulled.ohlora("models", "pull", name)
            for task in tasks:
                await pulled.ohlora("models", "pull", f"original-{task}", "--from", f"owner/{task}/lora")
    yield Pulled(home, {**environment, "HF_HUB_OFFLINE": "1"})  # from here on without the hub


async def test_it_is_listed_and_checked(host: Pulled) -> None:
    listed = await host.ohlora("models", "list")
    assert listed.count("at ") >= 6
    for name, tasks in TASKS_OF.items():
        for model in (name, *(f"original-{task}" for task in tasks)):
            assert "as pulled, commit" in await host.ohlora("models", "verify", model)


async def test_a_person_gets_a_reply(host: Pulled) -> None:
    """Random weights say nothing that anybody would read; that they are asked, gated and answered for is the point."""
    assert "complete" in await host.ohlora("doctor")
    assert "오로라" in await host.ohlora("chat", said="안녕\n")


async def test_each_task_writes_on_its_own_base_in_batches(host: Pulled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(host.home / "hf" / "hub"))
    profile, weights = served_here(Path("original"), {}, host.home / "data" / "models")
    assert profile.root == BUNDLED
    shared = [tuple(sorted(tasks)) for tasks in weights.by_base().values()]
    assert sorted(shared) == sorted(tuple(sorted(tasks)) for tasks in TASKS_OF.values())
    engine = Engine(DeviceProcess(weights, threads=1, seed=1), LANES)
    try:
        models = models_on(engine, profile, weights, recall=True)
        assert models.recall is None  # its own models know who they are
        for task in TASKS:
            asked = [
                Prompt(task.name, f"{text} (답변 시작)", task.stop, 6, 0.0, MINA) for text in ("안녕", "오늘 뭐 했어")
            ]
            written = await asyncio.gather(*map(models.language.complete, asked))
            assert [completion.tokens for completion in written] == [6, 6]
    finally:
        await engine.close()


async def test_a_single_task_is_served_from_it_beside_the_bundled_ones(
    host: Pulled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(host.home / "hf" / "hub"))
    profile, weights = served_here(BUNDLED, {"memory": "original"}, host.home / "data" / "models", ["summary"])
    assert set(weights.tasks) == {"output_message", "memory", "eyes_mouth_pose"}
    assert weights.tasks["output_message"].base == BUNDLED / "base"
    assert weights.tasks["memory"].base != BUNDLED / "base"
    profile.verify(weights)
