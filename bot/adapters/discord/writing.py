"""Messages that answer nobody: news for one person, and the moderators' review queue."""

import secrets
from functools import partial

import discord

from bot.adapters.desk import Rows
from bot.adapters.discord.answers import buttons
from bot.adapters.discord.delivery import Attempt
from bot.adapters.discord.markup import messages, one_message
from core.messages import PersonKey


class Writer:
    """Every text is plain, and pings nobody."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client

    async def tell(self, person: PersonKey, text: str) -> None:
        """In their private chat. Raises DeliveryError, DeliveryRefused."""
        attempt = Attempt(_unnoted)
        whom = discord.Object(int(person.user_id))
        chat = await attempt.make(lambda: self._client.create_dm(whom))
        for part in messages(text):
            await attempt.make(partial(chat.send, part, nonce=_nonce()))

    async def write(self, chat_id: str, text: str, rows: Rows, message_id: str) -> str:
        """To a whole channel, or into the message of ours with that id. Raises DeliveryError, DeliveryRefused."""
        attempt = Attempt(_unnoted)
        chat = self._client.get_partial_messageable(int(chat_id))
        content, view = one_message(text), buttons(rows)
        if message_id:
            edit = chat.get_partial_message(int(message_id)).edit
            await attempt.make(partial(edit, content=content, view=view))
            return message_id
        written = await attempt.make(partial(chat.send, content, view=view, nonce=_nonce()))
        return str(written.id)


def _nonce() -> str:
    """By which Discord knows a repetition of the same request."""
    return secrets.token_hex(12)


async def _unnoted(*, left: bool = True) -> None:
    """Nobody has to know when it left."""
