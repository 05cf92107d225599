"""A side of the inference benchmark, seen from the benchmark."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

_ROOT = Path(__file__).resolve().parents[1]
_MEBIBYTE = 1024 * 1024


class Side:
    """Its process, and those that it starts. Raises RuntimeError when it ends too early; why is on standard error."""

    def __init__(self, kind: str, profile: Path, threads: int, seed: int) -> None:
        self.kind = kind
        command = [sys.executable, "-W", "ignore", "-m", "benchmarks._inference_side", kind, str(profile.resolve())]
        self._process = subprocess.Popen(
            [*command, str(threads), str(seed)],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def __enter__(self) -> Self:
        self._answer()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def ask(self, load: str, **given: Any) -> Mapping[str, Any]:
        """Have it carry out a load."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"load": load, **given}, ensure_ascii=False) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def memory(self) -> float:
        """MiB of all its processes that no other process shares; where the system does not tell, all resident."""
        first = psutil.Process(self._process.pid)
        return sum(_resident(process) for process in (first, *first.children(recursive=True))) / _MEBIBYTE

    def _answer(self) -> Mapping[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the process of the side {self.kind!r} ended ({self._process.wait()})")
        answer: Mapping[str, Any] = json.loads(line)
        return answer


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().uss)
    except (psutil.AccessDenied, AttributeError):
        return int(process.memory_info().rss)
