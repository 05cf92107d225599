"""Weights from a model hub: pinned to a commit, whole, unaltered, and in no format that can run code.

They lie in the hub's own cache (HF_HOME moves it). Beside them a lock names the commit that the revision stood for
when it was first pulled; later pulls take the same one. To move on, pull `owner/model@commit` or delete the lock.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Self

import httpx2
from huggingface_hub import HfApi, constants, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.file_download import repo_folder_name
from huggingface_hub.hf_api import RepoSibling

from core.errors import ConfigurationError
from models.catalogue import BUNDLED, known
from models.locks import Lock, Stored
from models.registry import BUNDLED as BUNDLED_PROFILE

_WANTED = ("*.safetensors", "*.json", "*.md", "tokenizer*", "*/tokenizer*", "*vocab.txt", "*merges.txt")
_PICKLES = {".bin", ".pt", ".pth", ".ckpt", ".pkl"}


@dataclass(frozen=True)
class Source:
    """Where weights come from; `folder` is one inside the repository, "" for all of it."""

    repository: str
    revision: str
    folder: str = ""

    @classmethod
    def of(cls, text: str) -> Self:
        """From a name of the catalogue or `owner/model[/folder][@revision]`."""
        place, _, revision = text.partition("@")
        if base := known(place):
            return cls(base.repository, revision or base.revision)
        owner, model, folder = (*place.strip("/").split("/", 2), "", "")[:3]
        return cls(f"{owner}/{model}".rstrip("/"), revision or constants.DEFAULT_REVISION, folder)

    def __str__(self) -> str:
        return f"{self.repository}{'/' * bool(self.folder)}{self.folder}@{self.revision}"

    @property
    def cache(self) -> Path:
        """The hub's folder for this repository."""
        return Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=self.repository, repo_type="model")

    @property
    def lock(self) -> Path:
        """Where the commit and the files of this source are written down."""
        name = "-".join(filter(None, ["ohlora", self.revision, self.folder])).replace("/", "--")
        return self.cache / f"{name}.lock.json"


def located(name: str) -> Path:
    """The folder with a base's weights: bundled, a folder, or downloaded. Downloads nothing.

    Raises ConfigurationError that says how to get what is missing.
    """
    if name == BUNDLED:
        return BUNDLED_PROFILE / "base"
    if Path(name).is_dir():
        return Path(name)
    source = Source.of(name)
    try:
        lock = Lock.load(source.lock)
        folder = _snapshot(source, lock.commit if lock else source.revision, lock.files if lock else _WANTED)
    except (LocalEntryNotFoundError, HFValidationError) as error:
        raise ConfigurationError(f"no weights of {name} on this machine; {_how_to_get(name)}") from error
    if not any(folder.glob("*.safetensors")):
        raise ConfigurationError(f"no safetensors in {folder}, and weights load in no other format")
    return folder


def pull(source: Source, agree: Callable[[str], None]) -> Path:
    """Download what is missing or damaged; returns the folder, at once and without a network where all is there.

    `agree` gets the licence before anything is downloaded, and raises when its terms were not accepted. Raises
    ConfigurationError when the hub cannot be reached, refuses, or has no safetensors.
    """
    base = known(source.repository)
    if base is not None:
        agree(base.licence)
    with _hub(source):
        lock = Lock.load(source.lock)
        if lock is not None:
            folder = source.cache / "snapshots" / lock.commit
            damaged = lock.damaged(folder)
            if not damaged:
                return folder / source.folder
            _forget(damaged)
        revision = lock.commit if lock else source.revision
        info = HfApi().model_info(source.repository, revision=revision, files_metadata=True)
        if base is None:
            agree(str(info.card_data.license) if info.card_data else "")
        wanted = _wanted(source, info.siblings or [])
        folder = _snapshot(source, str(info.sha), [file.rfilename for file in wanted], offline=False)
        files = _received(folder, wanted)
        (lock or Lock(source.repository, source.revision, str(info.sha), files)).save(source.lock)
    return folder / source.folder


def _how_to_get(name: str) -> str:
    base = known(name)
    if base and base.terms:
        return (
            f"accept the terms at {base.terms}, then run `ohlora models pull {name} --accept-license {base.licence}`, "
            "or give the folder they are in"
        )
    repository = Source.of(name).repository
    return f"run `ohlora models pull {name}` or `hf download {repository}`, or give the folder they are in"


def _snapshot(source: Source, revision: str, names: Iterable[str], *, offline: bool = True) -> Path:
    folder = snapshot_download(
        source.repository, revision=revision, allow_patterns=list(names), local_files_only=offline
    )
    return Path(folder)


def _wanted(source: Source, files: Sequence[RepoSibling]) -> list[RepoSibling]:
    inside = [file for file in files if not source.folder or file.rfilename.startswith(f"{source.folder}/")]
    names = [file.rfilename for file in inside]
    if not any(name.endswith(".safetensors") for name in names):
        pickled = next((name for name in names if PurePosixPath(name).suffix in _PICKLES), None)
        why = f"its weights are pickled ({pickled}), which can run code when read" if pickled else "it has no weights"
        raise ConfigurationError(f"{source} is refused: {why}; choose a repository with safetensors")
    return [file for file in inside if any(fnmatch(file.rfilename, pattern) for pattern in _WANTED)]


def _received(folder: Path, wanted: Sequence[RepoSibling]) -> dict[str, Stored]:
    """Every file as it came. Raises ConfigurationError naming the first that is not what the hub says it has."""
    files = {}
    for file in wanted:
        path = folder / file.rfilename
        came = Stored.of(path) if path.is_file() else None
        if came is None or came.size != file.size or (file.lfs is not None and came.sha256 != file.lfs.sha256):
            _forget([path])
            raise ConfigurationError(f"{path} did not come as the hub has it; pull again")
        files[file.rfilename] = came
    return files


def _forget(paths: Iterable[Path]) -> None:
    """With the content that a link of the cache leads to, which would be linked again instead of downloaded."""
    for path in paths:
        for one in {path.resolve(), path}:
            one.unlink(missing_ok=True)


@contextmanager
def _hub(source: Source) -> Iterator[None]:
    """Whatever goes wrong with the hub becomes a ConfigurationError that says what to do."""
    page = f"{constants.ENDPOINT}/{source.repository}"
    try:
        yield
    except GatedRepoError as error:
        raise ConfigurationError(f"{page} asks for consent: give it there, then `hf auth login` and repeat") from error
    except RepositoryNotFoundError as error:
        raise ConfigurationError(f"there is no {page}, or it is private: then `hf auth login` and repeat") from error
    except RevisionNotFoundError as error:
        raise ConfigurationError(f"{page} has no revision {source.revision}") from error
    except HFValidationError as error:
        raise ConfigurationError(f"{source.repository!r} is no repository; one is written owner/model") from error
    except (OSError, httpx2.HTTPError) as error:
        cause = " ".join(f"{type(error).__name__}: {error}".split())
        raise ConfigurationError(
            f"{source} could not be downloaded from {constants.ENDPOINT} ({cause}); what came whole is kept: repeat "
            f"with a connection, or pull where there is one and copy {source.cache.name} to {source.cache.parent}"
        ) from error
