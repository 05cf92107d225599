"""Which processes of this program serve on this machine, and what became of what they were asked."""

import json
import logging
import os
import platform
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

log = logging.getLogger(__name__)

# the system's clock may be set meanwhile
_SAME_START_S = 1.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a process said the `number`th time it was asked to reload. `refused`: why it did not; "" when it did.

    `restart`: settings that changed and hold from its next start only.
    """

    number: int = 0
    refused: str = ""
    restart: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Process:
    """One that serves. `file` lies there as long as it does."""

    role: str
    pid: int
    file: Path

    @property
    def answer(self) -> Answer:
        """The last one it gave."""
        with suppress(FileNotFoundError):
            return Answer(**json.loads(self._answers.read_text(encoding="utf-8")))
        return Answer()

    def say(self, answer: Answer) -> None:
        """Whoever reads it reads it whole."""
        new = self._answers.with_suffix(".new")
        try:
            new.write_text(json.dumps(asdict(answer)), encoding="utf-8")
            new.replace(self._answers)
        except OSError as error:
            log.warning("nobody hears whether this process reloaded: %s", error)

    @property
    def alive(self) -> bool:
        """Whether it is the process that wrote the file, and runs."""
        try:
            started = float(_read(self.file)["started"])
            process = psutil.Process(self.pid)
            same = bool(abs(process.create_time() - started) < _SAME_START_S)
            return same and process.status() != psutil.STATUS_ZOMBIE
        except (psutil.NoSuchProcess, FileNotFoundError, ValueError, LookupError):
            return False

    def gone(self) -> None:
        """Nothing of it is left."""
        for file in (self.file, self._answers):
            file.unlink(missing_ok=True)

    @property
    def _answers(self) -> Path:
        return self.file.with_suffix(".reload")


@contextmanager
def serving(data_dir: Path, role: str) -> Iterator[Process | None]:
    """Inside, others find this process; None where it may write nothing, for some keep nothing on their machine."""
    process = Process(role, os.getpid(), _folder(data_dir) / f"{role}-{os.getpid()}.pid")
    try:
        process.file.parent.mkdir(parents=True, exist_ok=True)
        process.gone()  # of one that had the same number
        process.file.write_text(json.dumps({"started": psutil.Process().create_time()}), encoding="utf-8")
    except OSError as error:
        log.info("`ohlora reload` will not find this process, SIGHUP does: %s", error)
        yield None
        return
    try:
        yield process
    finally:
        with suppress(OSError):  # it is recognised as left behind
            process.gone()


def processes(data_dir: Path) -> list[Process]:
    """All that serve with this data folder on this machine; what those that were killed left behind goes."""
    found = []
    for file in sorted(_folder(data_dir).glob("*-*.pid")):
        role, _, pid = file.stem.rpartition("-")
        process = Process(role, int(pid), file)
        if process.alive:
            found.append(process)
        else:
            process.gone()
    return found


def _folder(data_dir: Path) -> Path:
    # containers count their processes each from 1, and may share a data folder
    return data_dir / "run" / platform.node()


def _read(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return content
