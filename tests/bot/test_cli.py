"""The command line around its commands: what is missing or wrong ends with one sentence."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        ("datasets", ["evaluate", "ethics"]),
        ("trl", ["train", "llm", "--task", "memory", "--base", "random:llama", "--output", "{tmp}"]),
    ],
)
def test_without_the_extra_for_training_one_sentence_says_how_to_get_it(
    module: str, arguments: list[str], tmp_path: Path
) -> None:
    asked = [argument.format(tmp=tmp_path / "adapter") for argument in arguments]
    program = (
        f"import sys; sys.modules[{module!r}] = None; sys.argv = ['ohlora', *{asked!r}]; import bot.cli; bot.cli.main()"
    )
    command = [sys.executable, "-W", "ignore", "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"ohlora: {module} is not installed; for this run pip install -e '.[train]'" in done.stderr.splitlines()
