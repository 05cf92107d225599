"""What a download is held to: a lock with the commit it stands at and the size and SHA-256 of every file."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from safetensors import SafetensorError, safe_open

from core.errors import ConfigurationError


@dataclass(frozen=True)
class Stored:
    """One file as it came."""

    size: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> Self:
        """Reads the whole file."""
        with path.open("rb") as file:
            return cls(path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())


@dataclass(frozen=True)
class Lock:
    """`files`: path inside the downloaded folder → what came."""

    repository: str
    revision: str
    commit: str
    files: Mapping[str, Stored]

    @classmethod
    def load(cls, path: Path) -> Self | None:
        """None where there is none. Raises ConfigurationError for one that cannot be read."""
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            files = {str(name): Stored(**file) for name, file in stored.pop("files").items()}
            return cls(**stored, files=files)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise ConfigurationError(f"{path} is no lock ({error!r}); delete it and pull again") from error

    def save(self, path: Path) -> None:
        """Whole or not at all."""
        write_json(path, asdict(self))

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files.values())

    def damaged(self, folder: Path) -> dict[Path, str]:
        """Files that are not as they came → what is wrong with each."""
        found = {}
        for name, expected in self.files.items():
            path = folder / name
            if not path.is_file():
                found[path] = "is missing"
            elif path.stat().st_size != expected.size:
                found[path] = f"has {path.stat().st_size} bytes instead of {expected.size}"
            elif Stored.of(path) != expected:
                found[path] = "was altered: its SHA-256 is not that of the lock"
        return found


def verify(folder: Path, lock: Lock | None) -> int:
    """How many files were looked at: all of the lock, or the headers of the weights where nothing was locked.

    Raises ConfigurationError naming the first file that is missing, altered or unreadable.
    """
    for path, what in (lock.damaged(folder) if lock else {}).items():
        raise ConfigurationError(f"{path} {what}; pull it again")
    weights = sorted(folder.rglob("*.safetensors"))
    if not weights:
        raise ConfigurationError(f"no safetensors in {folder}, and weights load in no other format")
    for path in weights:
        try:
            with safe_open(path, framework="numpy") as file:
                file.keys()
        except (OSError, SafetensorError) as error:
            raise ConfigurationError(f"{path} is damaged ({error}); restore it or pull it again") from error
    return len(lock.files if lock else weights)


def write_json(path: Path, value: object) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    new.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
    os.replace(new, path)
