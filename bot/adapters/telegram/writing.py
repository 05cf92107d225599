"""What is written in Telegram. Nothing here has a parse mode: a model's words are no markup."""

from collections.abc import Awaitable, Callable
from typing import TypedDict

import telegram
from telegram import ForceReply, InlineKeyboardMarkup, InputMediaPhoto, LinkPreviewOptions, ReplyParameters
from telegram.error import BadRequest

from bot.adapters.desk import File
from bot.adapters.telegram.chats import Place
from bot.adapters.telegram.sending import Result, Sender, Showing

TEXT, CAPTION = 4096, 1024

_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


class _Where(TypedDict):
    chat_id: int
    message_thread_id: int | None
    reply_parameters: ReplyParameters | None


class Writer:
    """Messages, in Telegram's pace. Errors are the library's."""

    def __init__(self, bot: telegram.Bot, sender: Sender) -> None:
        self._bot = bot
        self._sender = sender

    async def text(
        self,
        place: Place,
        text: str,
        showing: Showing,
        buttons: InlineKeyboardMarkup | ForceReply | None = None,
        *,
        follows: bool = True,
    ) -> telegram.Message:
        """A text of 1 to `TEXT` units. `follows`: also into the supergroup that a group became."""

        async def write(chat_id: int) -> telegram.Message:
            if not follows:
                _check_same(place, chat_id)
            return await self._bot.send_message(
                text=text, reply_markup=buttons, link_preview_options=_NO_PREVIEW, **_where(place, chat_id)
            )

        return await self._sender.send(place.chat_id, write, showing)

    async def photo(self, place: Place, photo: str | bytes, caption: str, showing: Showing) -> telegram.Message:
        """A photo, new or by its file_id, with a caption of at most `CAPTION` units."""
        return await self._sender.send(
            place.chat_id,
            lambda chat_id: self._bot.send_photo(photo=photo, caption=caption or None, **_where(place, chat_id)),
            showing,
        )

    async def document(self, place: Place, file: File, caption: str, showing: Showing) -> telegram.Message:
        """A file, with a caption of at most `CAPTION` units."""
        return await self._sender.send(
            place.chat_id,
            lambda chat_id: self._bot.send_document(
                document=file.content,
                filename=file.name,
                caption=caption or None,
                disable_content_type_detection=True,
                **_where(place, chat_id),
            ),
            showing,
        )

    async def edit_text(
        self, place: Place, message_id: int, text: str, showing: Showing, buttons: InlineKeyboardMarkup | None = None
    ) -> None:
        """Another text in a message."""
        await self._edit(
            place,
            lambda chat_id: self._bot.edit_message_text(
                text, chat_id, message_id, reply_markup=buttons, link_preview_options=_NO_PREVIEW
            ),
            showing,
        )

    async def edit_photo(
        self, place: Place, message_id: int, photo: str | bytes, caption: str, showing: Showing
    ) -> telegram.Message | None:
        """A photo in the place of a message's text; None when it was there already."""
        media = InputMediaPhoto(photo, caption or None)
        edited = await self._edit(
            place, lambda chat_id: self._bot.edit_message_media(media, chat_id, message_id), showing
        )
        return edited if isinstance(edited, telegram.Message) else None

    async def delete(self, place: Place, message_id: int, showing: Showing) -> None:
        """Take a message of ours away."""
        await self._change(place, lambda chat_id: self._bot.delete_message(chat_id, message_id), showing)

    async def _edit(
        self, place: Place, request: Callable[[int], Awaitable[telegram.Message | bool]], showing: Showing
    ) -> telegram.Message | bool:
        try:
            return await self._change(place, request, showing)
        except BadRequest as error:
            if "not modified" in error.message.lower():
                return True
            raise

    async def _change(self, place: Place, request: Callable[[int], Awaitable[Result]], showing: Showing) -> Result:
        async def change(chat_id: int) -> Result:
            _check_same(place, chat_id)
            return await request(chat_id)

        return await self._sender.send(place.chat_id, change, showing, repeatable=True)


def _check_same(place: Place, chat_id: int) -> None:
    """A supergroup counts its messages anew: a number of the group that it was means another message there."""
    if chat_id != place.chat_id:
        raise BadRequest(f"the group is {chat_id} now")


def _where(place: Place, chat_id: int) -> _Where:
    moved = chat_id != place.chat_id  # a supergroup counts its messages anew
    quoted = None if moved or place.quoted is None else ReplyParameters(place.quoted, allow_sending_without_reply=True)
    return {"chat_id": chat_id, "message_thread_id": place.thread, "reply_parameters": quoted}
