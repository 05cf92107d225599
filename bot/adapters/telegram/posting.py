"""From our replies to Telegram's messages: the answer with her face, notices for everybody, notices for one."""

import asyncio
import logging
from dataclasses import dataclass
from pathlib import Path

import telegram
from cachetools import LRUCache, TTLCache
from telegram.error import BadRequest, Forbidden, TelegramError

from bot.adapters import wording
from bot.adapters.base import Begin, Faces
from bot.adapters.desk import File
from bot.adapters.pieces import pieces, units
from bot.adapters.telegram.chats import Place, answer_to
from bot.adapters.telegram.client import delivery_error
from bot.adapters.telegram.pictures import Pictures
from bot.adapters.telegram.sending import Sender, Showing
from bot.adapters.telegram.writing import CAPTION, TEXT, Writer
from core import texts
from core.messages import IncomingMessage, Notice, Reply

log = logging.getLogger(__name__)

_NOTHING_VISIBLE = "…"
# a chat that allows no photos is asked again after this long
_NO_PHOTOS_S = 3600.0
_CHATS = 10_000
_ANSWERED = 10_000


@dataclass(frozen=True, slots=True)
class _Shown:
    """What everybody in the chat sees of a reply. `caption`: the text, where it fits under the picture."""

    place: Place
    text: list[str]
    picture: Path | None
    caption: str

    @property
    def without_picture(self) -> list[str]:
        return self.text or [_NOTHING_VISIBLE]

    @property
    def below_picture(self) -> list[str]:
        return [] if self.caption else self.text


class Poster:
    """Posts replies, each once: Telegram cannot recognise a repetition."""

    def __init__(self, sender: Sender, writer: Writer, faces: Faces, pictures: Pictures) -> None:
        self._sender = sender
        self._write = writer
        self._faces = faces
        self._pictures = pictures
        self._held: dict[Place, asyncio.Task[telegram.Message]] = {}
        self._answered: LRUCache[Place, bool] = LRUCache(_ANSWERED)  # who has the reply need not be told to wait
        self._no_photos: TTLCache[int, bool] = TTLCache(_CHATS, _NO_PHOTOS_S)

    async def hold(self, message: IncomingMessage, notice: Notice) -> None:
        """Show the notice where the reply will be, unless it would delay a reply."""
        place, key = answer_to(message), _key(message)
        if key in self._answered or not self._sender.idle(place.chat_id):
            return
        writing = self._held[key] = asyncio.create_task(self._write.text(place, notice.text, Showing()))
        await asyncio.shield(writing)  # also when nobody waits any more: its number is needed to replace it

    async def post(self, reply: Reply, begin: Begin) -> None:
        """Raises DeliveryError, DeliveryRefused."""
        showing = Showing(begin)
        self._answered[_key(reply.to)] = True
        failed: TelegramError | None = None
        try:
            await self._show(reply, showing)
        except TelegramError as error:
            failed = error
        if told := wording.for_one(reply):  # whatever happened in the chat
            try:
                await self._tell(reply, told, showing)
            except TelegramError as error:
                failed = failed or error
        if failed is not None:
            raise delivery_error(failed) from failed

    async def close(self) -> None:
        """Nothing is held any more."""
        for writing in self._held.values():
            writing.cancel()
        await asyncio.gather(*self._held.values(), return_exceptions=True)

    async def _show(self, reply: Reply, showing: Showing) -> None:
        held = await self._shown_for(reply.to)
        place, text = answer_to(reply.to), wording.for_all(reply)
        if text:
            parts = pieces(text, TEXT)
            fits = len(parts) == 1 and units(parts[0]) <= CAPTION
            shown = _Shown(place, parts, await self._faces.of(reply), parts[0] if fits else "")
            if held is None or not await self._replaced(held, shown, showing):
                await self._said(shown, showing)
        elif held is not None:
            await self._gone(place, held)

    async def _replaced(self, held: int, shown: _Shown, showing: Showing) -> bool:
        """Whether what was held became the reply; it is gone otherwise."""
        try:
            if shown.picture is not None and shown.place.chat_id not in self._no_photos:
                await self._edit_photo(held, shown, shown.picture, showing)
                rest = shown.below_picture
            else:
                first, *rest = shown.without_picture
                await self._write.edit_text(shown.place, held, first, showing)
        except (BadRequest, OSError) as error:
            log.info("chat %d: a held message could not be replaced: %s", shown.place.chat_id, error)
            await self._gone(shown.place, held)
            return False
        await self._say(shown.place, rest, showing)
        return True

    async def _edit_photo(self, held: int, shown: _Shown, picture: Path, showing: Showing) -> None:
        file_id = await self._pictures.file_id(picture)
        photo: str | bytes = file_id or await _content(picture)
        message = await self._write.edit_photo(shown.place, held, photo, shown.caption, showing)
        await self._keep(picture, message)

    async def _said(self, shown: _Shown, showing: Showing) -> None:
        """In messages of its own."""
        if shown.picture is not None and await self._pictured(shown, shown.picture, showing):
            await self._say(shown.place, shown.below_picture, showing)
        else:
            first, *rest = shown.without_picture
            await self._write.text(shown.place, first, showing)
            await self._say(shown.place, rest, showing)

    async def _say(self, place: Place, parts: list[str], showing: Showing) -> None:
        """More of the same reply; only its first message shows what it answers."""
        for part in parts:
            await self._write.text(Place(place.chat_id, place.thread), part, showing)

    async def _pictured(self, shown: _Shown, picture: Path, showing: Showing) -> bool:
        """Whether her face was taken: as the photo Telegram has, as a new one, or as a file."""
        place, caption = shown.place, shown.caption
        if place.chat_id in self._no_photos:
            return False
        try:
            if file_id := await self._pictures.file_id(picture):
                try:
                    await self._write.photo(place, file_id, caption, showing)
                    return True
                except BadRequest as error:
                    if self._forbidden(place, error):
                        return False
            content = await _content(picture)
            try:
                await self._keep(picture, await self._write.photo(place, content, caption, showing))
            except BadRequest as error:
                if self._forbidden(place, error):
                    return False
                await self._write.document(place, File(f"aurora_{picture.name}", content), caption, showing)
        except (BadRequest, OSError) as error:
            log.warning("chat %d: her face is left out: %s", place.chat_id, error)
            return False
        return True

    async def _keep(self, picture: Path, message: telegram.Message | None) -> None:
        if message is not None and message.photo:
            await self._pictures.keep(picture, message.photo[-1].file_id)

    def _forbidden(self, place: Place, error: BadRequest) -> bool:
        """Whether this chat wants no photos at all; a file in their place would not be wanted either."""
        if "not enough rights" not in error.message.lower():
            return False
        self._no_photos[place.chat_id] = True
        return True

    async def _tell(self, reply: Reply, told: str, showing: Showing) -> None:
        """Privately; where the person never started the bot, a hint without details where they spoke."""
        message = reply.to
        try:
            await self._say(Place(int(message.person.user_id)), pieces(told, TEXT), showing)
        except (BadRequest, Forbidden):
            await self._write.text(answer_to(message), texts.text(message.language, "platform", "elsewhere"), showing)

    async def _shown_for(self, message: IncomingMessage) -> int | None:
        """What `hold` showed for it."""
        writing = self._held.pop(_key(message), None)
        if writing is None:
            return None
        try:
            return (await writing).message_id
        except TelegramError as error:
            log.info("message %s: nothing stands for its reply: %s", message.message_id, error)
            return None

    async def _gone(self, place: Place, held: int) -> None:
        try:
            await self._write.delete(place, held, Showing())
        except TelegramError as error:
            log.info("chat %d: a held message stays: %s", place.chat_id, error)


async def _content(picture: Path) -> bytes:
    return await asyncio.to_thread(picture.read_bytes)


def _key(message: IncomingMessage) -> Place:
    place = answer_to(message)
    return Place(place.chat_id, place.thread, int(message.message_id))
