"""Every command of docker-compose.yml on this machine: the arguments, the environment and the healthcheck of the file.

Other than there: hosts, ports and folders, a Telegram stand-in, a tiny profile, and a stand-in for vLLM.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp.test_utils import unused_port

from tests import composed
from tests.composed import OURS, ROOT
from tests.end_to_end import telegram_house
from tests.end_to_end.test_remote_models import ADAPTERS, server
from tests.model_server import ModelServer
from tests.postgres_server import PostgresServer, postgres_server

house = telegram_house.house

GIVEN = {"POSTGRES_PASSWORD": "a" * 48, "REDIS_PASSWORD": "b" * 48, "OHLORA_MODELS__REMOTE__API_KEY": "hush-hush-4711"}
SERVICES = composed.filled(composed.services(), GIVEN)
_INTERVAL_S, _PATIENCE_S = 2.0, 100.0
# whose image has no torch
LIGHT = """
import sys

class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "transformers", "peft", "sentence_transformers"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Nothing())
"""
START = """
import sys

sys.argv[0] = "ohlora"
import bot.cli
bot.cli.main()
"""


@dataclass
class Running:
    """A service under way. `ask`: its healthcheck."""

    name: str
    process: asyncio.subprocess.Process
    ask: Sequence[str]
    env: Mapping[str, str]
    log: Path

    async def healthy(self) -> None:
        """Asked as Docker asks, until the answer is yes; an end before that is an error."""
        while self.process.returncode is None:
            quiet = asyncio.subprocess.DEVNULL
            asking = await asyncio.create_subprocess_exec(*self.ask, env=self.env, stdout=quiet, stderr=quiet)
            if await asking.wait() == 0:
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self.process.wait(), _INTERVAL_S)
        raise AssertionError(f"{self.name} ended ({self.process.returncode}): {self.log.read_text()}")

    async def stop(self) -> int:
        """As `docker compose stop` does; the exit status."""
        name = SERVICES[self.name].get("stop_signal", "SIGTERM")
        self.process.send_signal(signal.Signals[name])
        return await self.process.wait()


@dataclass
class Machine:
    """What containers would have of their own: a folder each, addresses, and whom they talk to."""

    folder: Path
    profile: Path
    house: telegram_house.House
    record: str
    vllm: ModelServer
    redis_port: int

    def environment(self, name: str, port: int) -> dict[str, str]:
        """Of a service of ours, with hosts and folders of this machine."""
        own = self.folder / name
        replaced = {
            "HOME": str(own), "OHLORA_DATA_DIR": str(own / "data"), "OHLORA_CACHE_DIR": str(self.house.faces),
            "OHLORA_HTTP__PORT": str(port), "OHLORA_TELEGRAM_TOKEN": self.house.server.token,
            "OHLORA_RECORD_URL": self.record, "OHLORA_MODELS__REMOTE__URLS": f'["{self.vllm.url}"]',
        }  # fmt: skip
        composed_env = {
            **composed.image_environment(SERVICES[name]["build"]["target"]),
            **SERVICES[name]["environment"],
        }
        environment = {
            key: replaced.get(key, value).replace("@redis:6379", f"@127.0.0.1:{self.redis_port}")
            for key, value in composed_env.items()
        }
        # the stand-in, and models that load in a second
        more = {"OHLORA_TELEGRAM__API_URL": self.house.server.url, "OHLORA_MODELS__PROFILE": str(self.profile)}
        return {**environment, **more, "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}

    @asynccontextmanager
    async def running(self, name: str) -> AsyncIterator[Running]:
        """Started, and killed at the end if it is still there."""
        folder = self.folder / name
        folder.mkdir(parents=True)
        service = SERVICES[name]
        ask = list(service["healthcheck"]["test"][1:])
        if name == "redis":
            where = ("--bind", "127.0.0.1", "--port", str(self.redis_port), "--dir", str(folder))
            command, env = [*service["command"], *where], {**os.environ, **service["environment"]}
            ask = [str(self.redis_port) if word == "6379" else word for word in ask]
        else:
            port = unused_port()
            env = self.environment(name, port)
            light = LIGHT if service["build"]["target"] == "gateway" else ""
            command = [sys.executable, "-W", "ignore", "-c", light + START, *service["command"]]
            ask = [sys.executable, *(word.replace("9464", str(port)) for word in ask[1:])]
        with (folder / "log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(*command, cwd=folder, env=env, stdout=log, stderr=log)
        try:
            yield Running(name, process, ask, env, folder / "log")
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


def options() -> list[str]:
    """Of PostgreSQL, as the file has them."""
    program, *words = SERVICES["postgres"]["command"]
    assert program == "postgres"
    assert words[::2] == ["-c"] * (len(words) // 2)
    return words[1::2]


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with postgres_server(*options()) as running:
        yield running


@pytest.fixture
def database(postgres: PostgresServer, request: pytest.FixtureRequest) -> Iterator[str]:
    """A new database; the server answers the healthcheck of the file."""
    name = f"record_{abs(hash(request.node.name))}"
    postgres.sql(f"CREATE DATABASE {name}")
    yield postgres.url(name)
    postgres.sql(f"DROP DATABASE {name} WITH (FORCE)")


async def test_postgres_answers_its_healthcheck(postgres: PostgresServer) -> None:
    ask = [
        f"--host={postgres.folder}" if word.startswith("--host") else word.replace("dbname=ohlora", "dbname=postgres")
        for word in SERVICES["postgres"]["healthcheck"]["test"][1:]
    ]
    assert await (await asyncio.create_subprocess_exec(*ask)).wait() == 0
    for option in options():
        name, value = option.split("=")
        assert postgres.sql(f"SHOW {name}") == value


@pytest.mark.parametrize("profile", ["single", "full", pytest.param("gpu", marks=pytest.mark.slow)])
async def test_a_profile_becomes_ready_answers_and_stops(
    profile: str, house: telegram_house.House, database: str, tiny_profile: Path, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        vllm = await stack.enter_async_context(server())
        vllm.models |= {name: vllm.models[ADAPTERS[task]] for task, name in served().items()}
        vllm.parents |= dict.fromkeys(served().values(), "base")
        machine = Machine(tmp_path, tiny_profile, house, database, vllm, unused_port())
        names = [name for name, one in SERVICES.items() if profile in one["profiles"]]
        redis = [await stack.enter_async_context(machine.running(name)) for name in names if name == "redis"]
        for one in redis:
            await one.healthy()
        ours = [await stack.enter_async_context(machine.running(name)) for name in names if name in OURS]
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await asyncio.gather(*(one.healthy() for one in ours))
                await house.server.say(house.person, house.private, "로라야 안녕")
                await house.server.until(lambda: house.private.replies, timeout=_PATIENCE_S)
                ended = {one.name: await one.stop() for one in (*ours, *redis)}
        except TimeoutError:
            raise AssertionError(said(ours)) from None
    assert ended == dict.fromkeys(ended, 0), said(ours)


def said(services: Sequence[Running]) -> str:
    """What stands in their logs."""
    return "\n".join(f"{one.name}: {one.log.read_text()}" for one in services)


def served() -> dict[str, str]:
    """Task → its name at vLLM."""
    names = json.loads(SERVICES["worker-gpu"]["environment"]["OHLORA_MODELS__REMOTE__TASKS"])
    return dict(names)
