"""Settings of places, kept at hand: every message asks for them."""

import asyncio
import logging
from collections.abc import Callable

from cachetools import LRUCache

from core.errors import RecordError
from core.messages import ChatKey, PlaceKey
from core.people import PlaceSettings
from core.ports import PlaceStore

log = logging.getLogger(__name__)

_AT_HAND = 10_000


class Places:
    """bot.adapters.base.Places over the record."""

    def __init__(self, store: PlaceStore, when_moved: Callable[[], None] = lambda: None) -> None:
        self._store = store
        self._when_moved = when_moved
        # who asks while they are being read waits in line, so that messages stay in their order
        self._known: LRUCache[PlaceKey, asyncio.Future[PlaceSettings]] = LRUCache(_AT_HAND)

    async def of(self, chat: ChatKey) -> PlaceSettings:
        """The settings that hold in a chat; the defaults while the record cannot be read."""
        try:
            return await self.chosen(chat.place)
        except RecordError:
            log.exception("the settings of a place cannot be read; the defaults hold")
            return PlaceSettings()

    async def chosen(self, place: PlaceKey) -> PlaceSettings:
        """The settings as they were chosen, to change them. Raises RecordError."""
        if (known := self._known.get(place)) is None:
            known = self._known[place] = asyncio.ensure_future(self._store.of(place))
        try:
            return await asyncio.shield(known)
        except RecordError:
            if self._known.get(place) is known:
                del self._known[place]
            raise

    async def change(self, place: PlaceKey, settings: PlaceSettings) -> None:
        """Replace them."""
        await self._store.change(place, settings)
        known = self._known[place] = asyncio.get_running_loop().create_future()
        known.set_result(settings)

    def read_again(self) -> None:
        """Somebody else may have changed them."""
        self._known.clear()

    async def moved(self, old: ChatKey, new: ChatKey) -> None:
        """The platform gave a place another id."""
        await self._store.move(old.place, new.place)
        self.read_again()  # other places may have announced their cases there
        self._when_moved()
