"""benchmarks/discord.py and benchmarks/telegram.py, small: load and every fault, against the stand-ins as processes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NEVER = ("lost", "doubled", "disordered", "violations", "strays")
SMALL = ("-n", "1", "--people", "20", "--seconds", "1")
DISCORD_FAULTS = {
    "429", "500", "hang after accepting", "cut after accepting", "resumed", "invalid session", "killed",
}  # fmt: skip
TELEGRAM_FAULTS = {
    "429", "500", "cut before accepting", "cut after accepting", "409",
    "killed before confirm", "killed after confirm", "killed before send",
}  # fmt: skip


@pytest.mark.timeout(300)
@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "faults", "never"),
    [
        (("benchmarks/discord.py", *SMALL, "--quick"), DISCORD_FAULTS, (*NEVER, "late_heartbeats", "unknown")),
        (("benchmarks/telegram.py", *SMALL), TELEGRAM_FAULTS, (*NEVER, "pacing_breaks", "unknown_unlogged")),
    ],
    ids=["discord", "telegram"],
)
def test_load_and_faults_lose_and_double_nothing(
    command: tuple[str, ...], faults: set[str], never: tuple[str, ...]
) -> None:
    run = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    figures = json.loads(run.stdout.splitlines()[-1])
    assert {name: figures[name] for name in never} == dict.fromkeys(never, 0)
    assert set(figures["faults"]) == faults
    assert figures["messages"] > 0
