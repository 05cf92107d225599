"""benchmarks/crash.py, small: kill -9 at each point of the turn."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
POINTS = 8
TIMES = 2


@pytest.mark.timeout(600)
def test_a_killed_service_loses_and_doubles_nothing() -> None:
    command = [sys.executable, "benchmarks/crash.py", "-n", str(TIMES)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    figures = json.loads(run.stdout.splitlines()[-1])
    assert figures == {"kills": TIMES * POINTS, "lost": 0, "doubled": 0, "integrity_failures": 0, "unfinished": 0}
