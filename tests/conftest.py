"""What several rooms' tests share: a model folder that is small and real."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tiny_profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete profile with random weights; read it, copy it, do not change it."""
    root = tmp_path_factory.mktemp("models") / "tiny"
    command = [sys.executable, "-W", "ignore", "-m", "tests.tiny_profile", str(root)]
    done = subprocess.run(command, cwd=Path(__file__).parent.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return root
