"""benchmarks/moderation.py, small: nothing about speed, only that each command does what it should, and a crowd too."""

import json
import subprocess
import sys
from pathlib import Path

from bot.adapters.menu import VERBS

ROOT = Path(__file__).resolve().parents[2]
SMALL = ("--cases", "2000", "-n", "2")


def test_every_command_is_answered_and_fifty_moderators_decide_ten_cases_once_each() -> None:
    command = [sys.executable, "benchmarks/moderation.py", *SMALL]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    figures = json.loads(run.stdout.splitlines()[-1])
    measured = figures["commands"]
    assert {name.removeprefix("everywhere: ").split()[0].rstrip(",") for name in measured} == {*VERBS, "appeal"}
    assert {row["wanted"] for row in measured.values()} == {300}
    assert all(0 < row["median_ms"] <= row["p95_ms"] for row in measured.values())
    assert {row["wanted"] for row in figures["standing"].values()} == {2}
    # those that warn and block open cases of their own
    assert figures["export"]["rows"] == figures["cases"] + 3 * figures["times"]
    decisions = figures["decisions"]
    assert (decisions["moderators"], decisions["presses"]) == (50, 500)
    assert (decisions["made"], decisions["told_who_was_faster"]) == (10, 490)
