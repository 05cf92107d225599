"""Pictures of her that Telegram has already: sent again by their `file_id`, also after a restart."""

import logging
from pathlib import Path

from core.errors import RecordError
from core.ports import Notes

log = logging.getLogger(__name__)


class Pictures:
    """From a picture's file to Telegram's id of it. Ids belong to one bot."""

    def __init__(self, notes: Notes, bot_id: int) -> None:
        self._notes = notes
        self._prefix = f"telegram:{bot_id}:face"
        self._known: dict[str, str] = {}  # at most one for each expression

    async def file_id(self, picture: Path) -> str:
        """ "" where Telegram does not have it."""
        name = self._name(picture)
        if name not in self._known:
            try:
                self._known[name] = await self._notes.read(name)
            except RecordError as error:  # it is uploaded once more, that is all
                log.warning("the file_id of %s cannot be read: %s", picture.name, error)
                return ""
        return self._known[name]

    async def keep(self, picture: Path, file_id: str) -> None:
        """Telegram has it now."""
        name = self._name(picture)
        if self._known.get(name) == file_id:
            return
        self._known[name] = file_id
        try:
            await self._notes.write(name, file_id)
        except RecordError as error:
            log.warning("the file_id of %s cannot be kept: %s", picture.name, error)

    def _name(self, picture: Path) -> str:
        return f"{self._prefix}:{picture.parent.name}/{picture.name}"  # the folder is the version of the drawing
