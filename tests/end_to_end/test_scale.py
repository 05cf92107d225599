"""benchmarks/scale.py, small: nothing about speed, only that every turn of every part comes to its end."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.postgres_server import binaries
from tests.redis_server import installed

ROOT = Path(__file__).resolve().parents[2]
PEOPLE, TURNS_EACH, PACED = 64, 2, 300


@pytest.mark.skipif(binaries() is None or not installed(), reason="no PostgreSQL or no Redis server")
@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("one", {"sqlite_turns": PEOPLE * TURNS_EACH, "postgres_turns": PEOPLE * TURNS_EACH}),
        pytest.param("full", {"people": 1000, "memories": 10_000, "cases": 1000}, marks=pytest.mark.slow),
        ("dispatched", {"dispatched_turns": 2 * PEOPLE * TURNS_EACH, "paced_replies": PACED}),
    ],
)
def test_every_turn_comes_to_its_end(part: str, expected: dict[str, int]) -> None:
    command = [sys.executable, "benchmarks/scale.py", "--quick", part]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    figures = json.loads(run.stdout.splitlines()[-1])
    assert {name: figures[name] for name in expected} == expected
