"""What several rooms' tests share: a model folder that is small and real, and a Redis server."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from tests.redis_server import RedisServer, installed, redis_server


@pytest.fixture(scope="session")
def tiny_profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete profile with random weights; read it, copy it, do not change it."""
    root = tmp_path_factory.mktemp("models") / "tiny"
    command = [sys.executable, "-W", "ignore", "-m", "tests.tiny_profile", str(root)]
    done = subprocess.run(command, cwd=Path(__file__).parent.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return root


@pytest.fixture(scope="session")
def _redis() -> Iterator[RedisServer]:
    if not installed():
        assert os.environ.get("CI") != "true", "Redis is not installed; .ci/run installs it"
        pytest.skip("no Redis server is installed")
    with redis_server("--appendonly", "yes") as running:
        yield running


@pytest.fixture
def redis(_redis: RedisServer) -> RedisServer:
    """A running server with nothing in it; a test may do to it whatever it likes."""
    _redis.resume()
    _redis.start()
    with Redis.from_url(_redis.url) as client:
        client.flushall()
    return _redis
