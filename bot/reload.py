"""What may change while she serves: her texts, thresholds, ladders, and what places chose. Read again as a whole."""

import asyncio
import logging
import signal
import tomllib
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from bot import config
from bot.config import Settings
from bot.places import Places
from bot.running import Answer, serving
from core import texts
from core.errors import ConfigurationError
from core.ethics import Thresholds

log = logging.getLogger(__name__)

# these hold as soon as they are read
_AT_ONCE = {"texts", "turn.thresholds", "turn.ladders"} | {
    f"moderation.{name}" for name in ("modes", "looser", "harsher", "steps")
}


def use_texts(settings: Settings) -> None:
    """Say what the host wrote instead of her own sentences. Raises ConfigurationError; nothing changes then."""
    texts.use(_overrides(settings.texts))


class Reload:
    """Reads everything again. `own`: the ethics encoder's thresholds.

    Whoever judges takes the `rulebook` from here; `places` are set by whoever has them.
    """

    def __init__(self, settings: Settings, own: Thresholds, places: Places | None = None) -> None:
        self.rulebook = settings.rulebook(own)
        self.places = places
        self._settings = settings
        self._own = own
        self._number = 0

    async def again(self) -> Answer:
        """All of it, or nothing where anything is wrong."""
        self._number += 1
        try:
            settings, overrides = await asyncio.to_thread(_read)
            texts.use(overrides)
        except ConfigurationError as error:
            log.error("nothing was reloaded: %s", error)
            return Answer(self._number, refused=str(error))
        except Exception as error:  # whatever is wrong with a file, she goes on, and can be asked again
            log.exception("nothing was reloaded")
            return Answer(self._number, refused=f"{type(error).__name__}; see its log")
        self.rulebook.become(settings.rulebook(self._own))
        if self.places is not None:
            self.places.read_again()
        log.info("reloaded")
        restart = [name for name in _changed(self._settings, settings) if name not in _AT_ONCE]
        if restart:
            log.warning("changed, and needs a restart: %s", ", ".join(restart))
        return Answer(self._number, restart=restart)


@asynccontextmanager
async def reloading(reload: Reload, data_dir: Path, role: str) -> AsyncIterator[None]:
    """Inside, this process reloads on SIGHUP; `ohlora reload` finds it."""
    asked = asyncio.Event()
    if hasattr(signal, "SIGHUP"):  # Windows has none
        # it stays until the loop is closed: one that comes late must not end the program
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, asked.set)
    with serving(data_dir, role) as process:

        async def answer() -> None:
            while True:
                await asked.wait()
                asked.clear()
                said = await reload.again()
                if process is not None:
                    process.say(said)

        answering = asyncio.create_task(answer())
        try:
            yield
        finally:
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)


def _read() -> tuple[Settings, Mapping[str, Mapping[str, Any]]]:
    settings = config.load()
    return settings, _overrides(settings.texts)


def _overrides(folder: Path | None) -> Mapping[str, Mapping[str, Any]]:
    """language → what its file in the folder holds. Raises ConfigurationError."""
    if folder is None:
        return {}
    if not folder.is_dir():
        raise ConfigurationError(f"texts: there is no folder {folder}")
    return {file.stem: _overrides_in(file) for file in sorted(folder.glob("*.toml"))}


def _overrides_in(file: Path) -> Mapping[str, Any]:
    if file.stem not in texts.LANGUAGES:
        raise ConfigurationError(f"texts: {file} is of no language of hers; those are {', '.join(texts.LANGUAGES)}")
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"texts: {file} cannot be read: {error}") from error


def _changed(old: BaseModel, new: BaseModel, within: str = "") -> Iterator[str]:
    """The names of the settings that differ."""
    for name in type(old).model_fields:
        one, other = getattr(old, name), getattr(new, name)
        if isinstance(one, BaseModel) and isinstance(other, BaseModel):
            yield from _changed(one, other, f"{within}{name}.")
        elif one != other:
            yield f"{within}{name}"
