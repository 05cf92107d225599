"""Which picture goes with a reply."""

import asyncio
import logging
from pathlib import Path

from cachetools import LRUCache

from bot.adapters.base import Places
from core.messages import ChatKey, Reply
from core.people import Images
from models.avatar import AvatarStudio, RasterError

log = logging.getLogger(__name__)

_CHATS = 10_000


class Faces:
    """bot.adapters.base.Faces: drawn once, and shown as the place wants it."""

    def __init__(self, studio: AvatarStudio, places: Places) -> None:
        self._studio = studio
        self._places = places
        self._shown: LRUCache[ChatKey, str] = LRUCache(_CHATS)

    async def of(self, reply: Reply) -> Path | None:
        """The PNG to show with a reply; None when its place wants none, or it cannot be drawn now."""
        face, chat = reply.expression, reply.to.chat
        if face is None:
            return None
        images = (await self._places.of(chat)).images
        if images is Images.OFF or (images is Images.CHANGE and self._shown.get(chat) == face.tag):
            return None
        try:
            path = await asyncio.to_thread(self._studio.path, face)
        except (OSError, RasterError):  # an answer without a face is better than none
            log.exception("no picture of %s", face.tag)
            return None
        self._shown[chat] = face.tag
        return path
