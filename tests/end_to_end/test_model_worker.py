"""`ohlora chat` on a machine without torch, whose models two workers serve: one writes, one encodes."""

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from aiohttp.test_utils import unused_port
from prometheus_client.parser import text_string_to_metric_families

from bot.config import Settings
from bot.model_service.run import build_model_service
from bot.observing.metrics import Metrics
from core.errors import ConfigurationError
from core.tasks import TASKS
from models.serving import LANES

ROOT = Path(__file__).resolve().parents[2]
KEY = "hush-hush-4711"
WRITTEN = [task.name for task in TASKS]
REQUESTS = "ohlora_engine_requests_total"
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


@dataclass(frozen=True)
class ModelWorker:
    """`ohlora worker --tasks …` of its own: where it serves, and where it tells how it is."""

    names: Sequence[str]
    profile: Path
    port: int = field(default_factory=unused_port)
    health: int = field(default_factory=unused_port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @asynccontextmanager
    async def running(self, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
        """Entered once it serves; asked to stop at the end."""
        own = {"MODELS__PROFILE": str(self.profile), "HTTP__PORT": str(self.health), "SERVE__PORT": str(self.port)}
        command = ["worker", "--tasks", ",".join(self.names)]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-W", "ignore", "-m", "bot.cli", *command), stderr=asyncio.subprocess.PIPE,
            cwd=folder, env=environment(**own, SERVE__API_KEY=KEY, MODELS__THREADS="1", LOG_LEVEL="INFO"),
        )  # fmt: skip
        assert process.stderr is not None
        said = b""
        try:
            while b" are served at " not in said:
                line = await process.stderr.readline()
                assert line, said.decode()
                said += line
            yield process
            process.send_signal(signal.SIGTERM)
            _, rest = await process.communicate()
            assert process.returncode == 0, rest.decode()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def asked(self) -> Counter[str]:
        """Lane → how often it has answered, as /metrics says; ready it is, too."""
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.health}", trust_env=False) as http:
            assert (await http.get("/readyz")).json()["checks"]["models"]["state"] == "ok"
            metrics = text_string_to_metric_families((await http.get("/metrics")).text)
        samples = [sample for metric in metrics for sample in metric.samples]
        done = [one for one in samples if one.name == REQUESTS and one.labels["outcome"] == "done"]
        return Counter({one.labels["task"]: int(one.value) for one in done})


def environment(**settings: str) -> dict[str, str]:
    """Of a process with these settings and no others."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("OHLORA_")}
    return {**env, **{f"OHLORA_{name}": value for name, value in settings.items()}, "PYTHONPATH": str(ROOT)}


async def test_two_workers_serve_a_third_that_has_no_torch(tiny_profile: Path, tmp_path: Path) -> None:
    writer, encoder = ModelWorker(WRITTEN, tiny_profile), ModelWorker(ENCODED, tiny_profile)
    async with writer.running(tmp_path), encoder.running(tmp_path):
        before = [await one.asked() for one in (writer, encoder)]
        said, errors, code = await chat(tmp_path, tiny_profile, [writer.url, encoder.url])
        written, encoded = [await one.asked() - was for one, was in zip((writer, encoder), before, strict=True)]
    assert (errors, code) == ("", 0)
    assert said.count("오로라") == 2
    assert written.keys() == {*WRITTEN, "base"}
    assert encoded.keys() == {*ENCODED}


async def chat(folder: Path, profile: Path, urls: Collection[str]) -> tuple[str, str, int]:
    """(output, errors, code) of two messages in a terminal."""
    env = environment(
        DATA_DIR=str(folder / "data"),
        MODELS__PROFILE=str(profile),
        MODELS__RECALL="false",  # its persona rows were embedded by nobody
        MODELS__REMOTE__URLS=json.dumps([*urls]),
        MODELS__REMOTE__API_KEY=KEY,
        MODELS__REMOTE__TASKS=json.dumps({name: name for name in WRITTEN}),
        MODELS__REMOTE__ENCODERS=json.dumps({name: name for name in ENCODED}),
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "ignore", "-c", WITHOUT_TORCH),
        cwd=folder, env=env, stdin=asyncio.subprocess.PIPE,
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
    settings = Settings.model_validate({"data_dir": tmp_path, "models": {"profile": tmp_path / "nowhere"}})
    with pytest.raises(ConfigurationError, match="model file missing"):
        async with build_model_service(settings, LANES, Metrics()):
            pass
