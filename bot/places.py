"""Settings of places, kept at hand: every message asks for them."""

import asyncio
import logging

from cachetools import LRUCache

from core.errors import RecordError
from core.messages import ChatKey, PlaceKey
from core.people import PlaceSettings
from core.ports import PlaceStore

log = logging.getLogger(__name__)

_AT_HAND = 10_000


class Places:
    """bot.adapters.base.Places over the record."""

    def __init__(self, store: PlaceStore) -> None:
        self._store = store
        # who asks while they are being read waits in line, so that messages stay in their order
        self._known: LRUCache[PlaceKey, asyncio.Future[PlaceSettings]] = LRUCache(_AT_HAND)

    async def of(self, chat: ChatKey) -> PlaceSettings:
        """The settings that hold in a chat; the defaults while the record cannot be read."""
        try:
            return await self.chosen(chat)
        except RecordError:
            log.exception("the settings of a place cannot be read; the defaults hold")
            return PlaceSettings()

    async def chosen(self, chat: ChatKey) -> PlaceSettings:
        """The settings as they were chosen, to change them. Raises RecordError."""
        place = chat.place
        if (known := self._known.get(place)) is None:
            known = self._known[place] = asyncio.ensure_future(self._store.of(place))
        try:
            return await asyncio.shield(known)
        except RecordError:
            if self._known.get(place) is known:
                del self._known[place]
            raise

    async def change(self, chat: ChatKey, settings: PlaceSettings) -> None:
        """Replace them."""
        await self._store.change(chat.place, settings)
        known = self._known[chat.place] = asyncio.get_running_loop().create_future()
        known.set_result(settings)

    async def moved(self, old: ChatKey, new: ChatKey) -> None:
        """The platform gave a place another id."""
        await self._store.move(old.place, new.place)
        for place in (old.place, new.place):
            self._known.pop(place, None)
