"""benchmarks/chaos.py, small: a little of every part."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.postgres_server import binaries
from tests.redis_server import installed

ROOT = Path(__file__).resolve().parents[2]
SERVERS = pytest.mark.skipif(binaries() is None or not installed(), reason="no PostgreSQL or no Redis server")
COUNTS = ("lost", "doubled", "disordered", "wrong_turns", "wrong_memories", "wrong_sanctions", "unfinished")
MUST_NOT_BE = (*COUNTS, "missed")


@pytest.mark.parametrize(
    "part",
    [
        pytest.param("kills", marks=SERVERS),
        pytest.param("resume", marks=[SERVERS, pytest.mark.slow]),
        pytest.param("outages", marks=[SERVERS, pytest.mark.slow]),
        pytest.param("sqlite", marks=pytest.mark.slow),
        pytest.param("overload", marks=[SERVERS, pytest.mark.slow]),
        pytest.param("stops", marks=[SERVERS, pytest.mark.slow]),
    ],
)
def test_nothing_is_lost_or_doubled(part: str) -> None:
    command = [sys.executable, "benchmarks/chaos.py", "--quick", part]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    figures = json.loads(run.stdout.splitlines()[-1])
    assert {name: figures[name] for name in MUST_NOT_BE} == dict.fromkeys(MUST_NOT_BE, 0)
