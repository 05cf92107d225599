"""TelegramAdapter: connects, translates, posts."""

from contextlib import AbstractAsyncContextManager
from datetime import timedelta

from cachetools import TLRUCache
from telegram.constants import ChatAction
from telegram.error import RetryAfter

from bot.adapters.base import Begin, Host
from bot.adapters.desk import Rows
from bot.adapters.telegram import startup
from bot.adapters.telegram.board import Board
from bot.adapters.telegram.chats import PLATFORM, place_of
from bot.adapters.telegram.client import make_bot, seconds_of
from bot.adapters.telegram.commands import Desk
from bot.adapters.telegram.hearing import Ear
from bot.adapters.telegram.inbound import Me
from bot.adapters.telegram.menu import tell_commands
from bot.adapters.telegram.pictures import Pictures
from bot.adapters.telegram.polling import Poller
from bot.adapters.telegram.posting import Poster
from bot.adapters.telegram.sending import Sender
from bot.adapters.telegram.webhook import Webhook, WebhookServer
from bot.adapters.telegram.writing import Writer
from bot.adapters.typing import Typing
from core.messages import ChatKey, IncomingMessage, Notice, PersonKey, Reply

# Telegram shows it for five seconds
_TYPING_EVERY_S = 4.0
_CHATS = 10_000


class TelegramAdapter:
    """bot.adapters.base.Adapter over python-telegram-bot. `pace_scale`: how many times faster than Telegram allows."""

    platform = PLATFORM
    recognises_for = timedelta(0)

    def __init__(self, token: str, api_url: str, webhook: Webhook | None = None, *, pace_scale: float = 1.0) -> None:
        self._token = token
        self._api_url = api_url
        self._webhook = webhook
        self._scale = pace_scale
        self._bot = make_bot(token, api_url)
        self._typing = Typing(self._show_typing, _TYPING_EVERY_S)
        self._quiet: TLRUCache[ChatKey, float] = TLRUCache(_CHATS, lambda _, seconds, now: now + seconds)
        self._source: Poller | WebhookServer | None = None
        self._poster: Poster | None = None
        self._board: Board | None = None
        self._ear: Ear | None = None

    async def open(self, host: Host) -> None:
        """Log in and tell Telegram the commands. Raises ConfigurationError."""
        startup.check_token(self._token)
        bot, address = self._bot, self._api_url
        await startup.log_in(bot, address)
        if self._webhook is not None:
            self._source = WebhookServer(bot, self._webhook, address)
        else:
            await startup.check_no_webhook(bot, address)
            self._source = Poller(bot, address, self._scale)
        await tell_commands(bot, host.notes)
        sender = Sender(self._scale)
        writer, me = Writer(bot, sender), Me(bot.id, bot.username)
        self._poster = Poster(sender, writer, host.faces, Pictures(host.notes, bot.id))
        self._board = Board(writer)
        self._ear = Ear(host, Desk(bot, sender, writer, host, me), me)

    @property
    def connected(self) -> bool:
        """Whether Telegram's messages come."""
        return self._source is not None and self._source.connected

    async def run(self) -> None:
        """Receive until cancelled. Raises ConfigurationError."""
        assert self._ear is not None
        assert self._source is not None
        await self._source.run(self._ear.hear)

    async def close(self) -> None:
        """End what is under way, and hang up."""
        if self._ear is not None and self._poster is not None:
            await self._ear.close()
            await self._poster.close()
        await self._bot.shutdown()

    async def post(self, reply: Reply, begin: Begin) -> None:
        """Show a reply once. Raises DeliveryError, DeliveryRefused."""
        assert self._poster is not None
        await self._poster.post(reply, begin)

    async def hold(self, message: IncomingMessage, notice: Notice) -> None:
        """A message that becomes the reply."""
        assert self._poster is not None
        await self._poster.hold(message, notice)

    def typing(self, chat: ChatKey) -> AbstractAsyncContextManager[None]:
        """That she is writing."""
        return self._typing(chat)

    async def tell(self, person: PersonKey, text: str) -> None:
        """In their private chat. Raises DeliveryError, DeliveryRefused."""
        assert self._board is not None
        await self._board.tell(person, text)

    async def write(self, chat_id: str, text: str, buttons: Rows = (), message_id: str = "") -> str:
        """In a chat or a topic. Raises DeliveryError, DeliveryRefused."""
        assert self._board is not None
        return await self._board.write(chat_id, text, buttons, message_id)

    async def _show_typing(self, chat: ChatKey) -> None:
        if chat in self._quiet:
            return
        place = place_of(chat)
        try:
            await self._bot.send_chat_action(place.chat_id, ChatAction.TYPING, place.thread)
        except RetryAfter as error:
            self._quiet[chat] = seconds_of(error)
            raise
