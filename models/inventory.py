"""What of all that is known is on this machine: where it lies, and whether it is as it came."""

from dataclasses import dataclass
from pathlib import Path

from core.errors import ConfigurationError
from models import adapters, locks
from models.adapters import checked_config
from models.catalogue import ADAPTERS, BUNDLED
from models.downloads import Source, located
from models.locks import Lock
from models.registry import BUNDLED as BUNDLED_PROFILE
from models.registry import Profile


@dataclass(frozen=True)
class Checked:
    """`files` were found sound; `lock` is what they were held to, None where none was pulled."""

    folder: Path
    files: int
    lock: Lock | None


def folder_of(name: str, models: Path) -> Path:
    """Where a profile, base or adapter lies; `models` holds what was pulled or trained besides the hub's cache.

    Raises ConfigurationError that says how to get what is missing.
    """
    if name == BUNDLED:
        return BUNDLED_PROFILE
    if (adapter := ADAPTERS.get(name)) is None:
        return located(name)
    folder = adapters.place(adapter.task, adapter.base, models)
    if not (folder / adapters.WEIGHTS).is_file():
        raise ConfigurationError(
            f"no {name} in {folder}; run `ohlora models pull {name} --from owner/model`, "
            f"or train one: `ohlora train llm --task {adapter.task} --base {adapter.base}`"
        )
    return folder


def lock_of(name: str, folder: Path) -> Lock | None:
    """What the files of `folder` are held to."""
    if (folder / adapters.CONFIG).is_file():
        return Lock.load(adapters.lock_of(folder))
    return None if name == BUNDLED or Path(name).is_dir() else Lock.load(Source.of(name).lock)


def verify(name: str, base: str | None, models: Path) -> Checked:
    """Every file of a profile, base or adapter; adapters must fit their base (`base`, or as models.adapters finds it).

    Raises ConfigurationError naming the first thing that is wrong.
    """
    folder = folder_of(name, models)
    lock = lock_of(name, folder)
    checked = Checked(folder, locks.verify(folder, lock), lock)
    if (folder / "thresholds.json").is_file():
        profile = Profile(folder)
        profile.verify()
        for adapter in profile.adapters.values():
            checked_config(adapter, profile.base)
    elif (folder / adapters.CONFIG).is_file():
        checked_config(folder, located(adapters.base_of(folder, base)))
    return checked
