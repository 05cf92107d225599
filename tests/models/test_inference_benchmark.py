"""benchmarks/inference.py, small, with random weights: nothing about speed, only that it measures what it says."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SMALL = ("--quick", "--people", "2", "--memories", "10", "--threads", "1")
WANTED = {
    "turns_16": 10, "turns_1": 2, "reply_time_1": 3, "memory": 0.45, "memory_whole": 1, "flood_p99": 1.5,
}  # fmt: skip


@pytest.mark.timeout(300)
def test_both_ways_answer_everything_and_every_figure_is_there(tiny_profile: Path) -> None:
    command = [sys.executable, "benchmarks/inference.py", *SMALL, "--profile", str(tiny_profile)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    figures = json.loads(run.stdout.splitlines()[-1])
    assert {name: figures[name]["wanted"] for name in WANTED} == WANTED
    # the tiny tasks take less than memory varies
    assert all(figures[name]["reached"] > 0 for name in WANTED if name != "memory")
    assert figures["cores"] >= 1
    for side in ("original", "ours"):
        counts = figures["sides"][side]
        assert counts["replied"] == counts["turns"] == 2 + 4
        assert counts["tokens"] > 0
