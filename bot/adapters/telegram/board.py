"""What she writes without being asked there: news for one person, and the messages of the review queue."""

from telegram.error import TelegramError

from bot.adapters.desk import Rows
from bot.adapters.pieces import pieces
from bot.adapters.telegram.answers import keyboard, plain
from bot.adapters.telegram.chats import Place, place_named
from bot.adapters.telegram.client import delivery_error
from bot.adapters.telegram.sending import Showing
from bot.adapters.telegram.writing import TEXT, Writer
from core.errors import DeliveryRefused
from core.messages import PersonKey


class Board:
    """Raises DeliveryError, DeliveryRefused."""

    def __init__(self, writer: Writer) -> None:
        self._write = writer

    async def tell(self, person: PersonKey, text: str) -> None:
        """In the person's private chat with her, which they have to have opened."""
        if not (person.user_id.isascii() and person.user_id.isdecimal()):
            raise DeliveryRefused(f"Telegram has no account {person.user_id!r}")
        try:
            for part in pieces(plain(text), TEXT):
                await self._write.text(Place(int(person.user_id)), part, Showing())
        except TelegramError as error:
            raise delivery_error(error) from error

    async def write(self, chat_id: str, text: str, buttons: Rows, message_id: str) -> str:
        """A new message, or another text in the one with this id; its id. It is of that chat and no other."""
        place, said = place_named(chat_id), pieces(plain(text), TEXT)[0]
        try:
            if message_id:
                await self._write.edit_text(place, int(message_id), said, Showing(), keyboard(buttons))
                return message_id
            message = await self._write.text(place, said, Showing(), keyboard(buttons), follows=False)
        except TelegramError as error:
            raise delivery_error(error) from error
        return str(message.message_id)
