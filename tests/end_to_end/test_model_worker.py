"""`ohlora chat` on a machine without torch, whose models two workers serve: one writes, one encodes."""

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Collection
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest
from aiohttp.test_utils import unused_port
from prometheus_client import CollectorRegistry

from bot.config import Settings
from bot.model_service.run import build_model_service
from bot.observing.metrics import Metrics
from core.errors import ConfigurationError
from core.tasks import TASKS
from models.serving import LANES

ROOT = Path(__file__).resolve().parents[2]
KEY = "hush-hush-4711"
WRITTEN = [task.name for task in TASKS]
ENCODED = ["memory_encoder", "ethics_encoder"]
WITHOUT_TORCH = """
import sys

class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "transformers", "peft", "sentence_transformers"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Nothing())
sys.argv = ["ohlora", "chat"]
import bot.cli
bot.cli.main()
"""


def settings(folder: Path, profile: Path) -> Settings:
    serve = {"port": unused_port(), "api_key": KEY}
    models = {"profile": profile, "threads": 1, "seed": 7}
    return Settings.model_validate({"data_dir": folder, "models": models, "serve": serve})


async def test_two_workers_serve_a_third_that_has_no_torch(tiny_profile: Path, tmp_path: Path) -> None:
    workers = {tuple(names): Metrics() for names in (WRITTEN, ENCODED)}
    async with AsyncExitStack() as stack:
        opened = [
            await stack.enter_async_context(build_model_service(settings(tmp_path, tiny_profile), names, metrics))
            for names, metrics in workers.items()
        ]
        for worker in opened:
            await worker.checks["models"]()
        before = [computed(metrics.registry) for metrics in workers.values()]
        said, errors, code = await chat(tmp_path, tiny_profile, [worker.url for worker in opened])
    assert (errors, code) == ("", 0)
    assert said.count("오로라") == 2
    for (names, metrics), count in zip(workers.items(), before, strict=True):
        asked = computed(metrics.registry) - count
        assert asked.keys() == {*names, *(["base"] if names == tuple(WRITTEN) else [])}


def computed(registry: CollectorRegistry) -> Counter[str]:
    """Lane → how often it has answered."""
    samples = [sample for metric in registry.collect() for sample in metric.samples]
    done = [one for one in samples if one.name == "ohlora_engine_requests_total" and one.labels["outcome"] == "done"]
    return Counter({one.labels["task"]: int(one.value) for one in done})


async def chat(folder: Path, profile: Path, urls: Collection[str]) -> tuple[str, str, int]:
    """(output, errors, code) of two messages in a terminal."""
    remote = {
        "URLS": json.dumps([*urls]),
        "API_KEY": KEY,
        "TASKS": json.dumps({name: name for name in WRITTEN}),
        "ENCODERS": json.dumps({name: name for name in ENCODED}),
    }
    own = {"DATA_DIR": str(folder / "data"), "MODELS__PROFILE": str(profile), "MODELS__RECALL": "false"}
    env = {name: value for name, value in os.environ.items() if not name.startswith("OHLORA_")}
    env |= {f"OHLORA_{name}": value for name, value in own.items()}
    env |= {f"OHLORA_MODELS__REMOTE__{name}": value for name, value in remote.items()}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "ignore", "-c", WITHOUT_TORCH),
        cwd=folder, env={**env, "PYTHONPATH": str(ROOT)}, stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        output, errors = await process.communicate("로라야 안녕\n오늘 뭐 했어?\n".encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return output.decode(), errors.decode(), process.returncode


async def test_a_worker_whose_models_do_not_load_stops_before_anybody_waits(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="model file missing"):
        async with build_model_service(settings(tmp_path, tmp_path / "nowhere"), LANES, Metrics()):
            pass


async def test_the_command_is_ready_once_its_models_answer_and_stops_when_asked(
    tiny_profile: Path, tmp_path: Path
) -> None:
    ready, models = unused_port(), unused_port()
    own = {"MODELS__PROFILE": str(tiny_profile), "HTTP__PORT": str(ready), "SERVE__PORT": str(models)}
    env = {name: value for name, value in os.environ.items() if not name.startswith("OHLORA_")}
    env |= {f"OHLORA_{name}": value for name, value in own.items()}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "ignore", "-m", "bot.cli", "worker", "--tasks", "summary,ethics_encoder"),
        cwd=tmp_path, env={**env, "PYTHONPATH": str(ROOT)}, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with httpx.AsyncClient(trust_env=False) as http:
            while process.returncode is None and not await is_ready(http, ready):
                pass
            listed = (await http.get(f"http://127.0.0.1:{models}/v1/models")).json()
        process.send_signal(signal.SIGTERM)
        _, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert {card["id"] for card in listed["data"]} == {"summary", "base", "ethics_encoder"}
    assert (errors.decode(), process.returncode) == ("", 0)


async def is_ready(http: httpx.AsyncClient, port: int) -> bool:
    """As an orchestrator asks."""
    try:
        return (await http.get(f"http://127.0.0.1:{port}/readyz")).is_success
    except httpx.ConnectError:
        return False
