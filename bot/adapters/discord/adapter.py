"""DiscordAdapter: connects, translates, posts."""

import asyncio
import logging
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakValueDictionary

import discord
import yarl

from bot.adapters.base import Begin, Host
from bot.adapters.desk import Rows
from bot.adapters.discord import inbound, startup
from bot.adapters.discord.answers import Interaction
from bot.adapters.discord.delivery import NONCE_WINDOW, trace
from bot.adapters.discord.missed import missed
from bot.adapters.discord.permissions import Managers, missing, mute
from bot.adapters.discord.posting import Poster
from bot.adapters.discord.slash import Slash
from bot.adapters.discord.writing import Writer
from bot.adapters.typing import Typing
from core.messages import ChatKey, IncomingMessage, Notice, PersonKey, Reply

log = logging.getLogger(__name__)

# Discord shows it for ten seconds
_TYPING_EVERY_S = 8.0
# a dead line is noticed within the library's minute and one heartbeat; what was said meanwhile was not heard either
_OVERLAP = timedelta(minutes=2)


class DiscordAdapter:
    """bot.adapters.base.Adapter over discord.py."""

    platform = inbound.PLATFORM
    recognises_for = NONCE_WINDOW

    def __init__(self, token: str, api_url: str, gateway_url: str, *, message_content: bool = True) -> None:
        self._token = token
        self._api_url = api_url
        self._gateway_url = gateway_url
        self._intents = discord.Intents(
            guilds=True, guild_messages=True, dm_messages=True, message_content=message_content
        )
        self._client: _Client | None = None

    async def open(self, host: Host) -> None:
        """Log in and tell Discord the commands. Raises ConfigurationError."""
        startup.quieten()
        discord.http.Route.BASE = self._api_url
        discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(self._gateway_url)
        self._client = client = _Client(self._intents)
        self._typing = Typing(client.show_typing, _TYPING_EVERY_S)
        try:
            await client.login(self._token)
            await client.prepare(host)
        except startup.FAILURES as error:
            raise startup.explained(error, self._api_url) from None

    @property
    def connected(self) -> bool:
        """Whether the gateway tells what happens."""
        return self._client is not None and self._client.hears and not self._client.is_closed()

    async def run(self) -> None:
        """Receive until cancelled. Raises ConfigurationError for what no reconnect heals."""
        assert self._client is not None
        try:
            await self._client.connect(reconnect=True)
        except startup.REASONS as error:
            raise startup.explained(error, self._api_url) from None
        except AttributeError:  # the library's own, when the very first connection fails
            if self._client.ws is not None:
                raise
            raise startup.explained(ConnectionError(), self._gateway_url) from None

    async def close(self) -> None:
        """Disconnect."""
        if self._client is not None:
            await self._client.close()

    async def post(self, reply: Reply, begin: Begin) -> None:
        """Show a reply; the same one again within `recognises_for` shows nothing new."""
        assert self._client is not None
        await self._client.poster.post(reply, begin)

    async def hold(self, message: IncomingMessage, notice: Notice) -> None:
        """A message that becomes the reply."""
        assert self._client is not None
        await self._client.poster.hold(message, notice)

    def typing(self, chat: ChatKey) -> AbstractAsyncContextManager[None]:
        """Her name and three dots."""
        return self._typing(chat)

    async def tell(self, person: PersonKey, text: str) -> None:
        """In their private chat."""
        assert self._client is not None
        await self._client.writer.tell(person, text)

    async def write(self, chat_id: str, text: str, buttons: Rows = (), message_id: str = "") -> str:
        """To a channel or thread, or into a message of ours there."""
        assert self._client is not None
        return await self._client.writer.write(chat_id, text, buttons, message_id)


class _Client(discord.Client):
    """Hears what happens. It keeps no messages and no members."""

    def __init__(self, intents: discord.Intents) -> None:
        super().__init__(
            intents=intents,
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            http_trace=trace(),
        )
        self.hears = False
        self._caught_up = asyncio.Event()
        self._hearing: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._coming: dict[int, discord.Message] = {}  # not yet heard: what changes meanwhile counts
        self._deaf_since: datetime | None = None

    async def prepare(self, host: Host) -> None:
        """After the login: everything that needs the service. Raises discord.HTTPException."""
        assert self.application_id is not None
        self._host = host
        self.poster = Poster(self, host.faces)
        self.writer = Writer(self)
        self._managers = Managers(self, host.notes, host.language)
        self._slash = Slash(self, host)
        await self._slash.sync(self.application_id)
        last = await host.history.last_heard(inbound.PLATFORM)
        if last is None:
            self._caught_up.set()
        else:
            self._deaf_since = last - _OVERLAP

    async def show_typing(self, chat: ChatKey) -> None:
        """Once."""
        await self.get_partial_messageable(int(chat.chat_id)).typing()

    async def on_message(self, message: discord.Message) -> None:
        """After whatever was missed, so that everybody is answered in their order."""
        if inbound.is_spoken(message):
            self._coming[message.id] = message
            # one by one for a person: those who wait are no longer first once `_caught_up` is set
            async with self._hearing.setdefault(message.author.id, asyncio.Lock()):
                await self._caught_up.wait()
                await self._hear(message)

    async def on_raw_message_edit(self, event: discord.RawMessageUpdateEvent) -> None:
        """The newest text counts while the message waits."""
        if event.message_id in self._coming:
            self._coming[event.message_id] = event.message
        elif "content" in event.data and self.user is not None:
            chat = inbound.chat_of(event.channel_id, event.guild_id)
            await self._host.messages.amend(chat, str(event.message_id), inbound.said(event.message, self.user))

    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        """A deleted message is dropped while it waits."""
        await self._drop(inbound.chat_of(event.channel_id, event.guild_id), event.message_id)

    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        """So are many at once."""
        chat = inbound.chat_of(event.channel_id, event.guild_id)
        await asyncio.gather(*(self._drop(chat, message_id) for message_id in event.message_ids))

    async def on_interaction(self, interaction: Interaction) -> None:
        """Buttons and forms; the library hands slash commands on by itself."""
        if interaction.type is discord.InteractionType.component:
            await self._slash.pressed(interaction)
        elif interaction.type is discord.InteractionType.modal_submit:
            await self._slash.filled_in(interaction)

    async def on_disconnect(self) -> None:
        """Deaf from here on, unless the session is resumed."""
        self.hears = False
        self._caught_up.clear()
        if self._deaf_since is None:
            self._deaf_since = self._host.clock.now() - _OVERLAP

    async def on_resumed(self) -> None:
        """Discord told everything that was missed."""
        self.hears = True
        self._deaf_since = None
        self._caught_up.set()

    async def on_ready(self) -> None:
        """A new session: Discord tells nothing of before."""
        self.hears = True
        since, self._deaf_since = self._deaf_since, None
        try:
            if since is not None:
                async for message in missed(self, self._host, since):
                    if inbound.is_spoken(message):
                        self._coming.setdefault(message.id, message)
                        await self._hear(message)
        finally:
            self._caught_up.set()

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:
        """One event that failed is no reason to stop; what it said stays out of the log."""
        log.exception("%s failed", event_method)

    async def _drop(self, chat: ChatKey, message_id: int) -> None:
        if self._coming.pop(message_id, None) is None:
            await self._host.messages.withdraw(chat, str(message_id))

    async def _hear(self, message: discord.Message) -> None:
        assert self.user is not None
        guild_id = message.guild.id if message.guild is not None else None
        settings = await self._host.places.of(inbound.chat_of(message.channel.id, guild_id))
        if (newest := self._coming.pop(message.id, None)) is None:
            return  # deleted, or heard already
        incoming = inbound.heard(newest, self.user, settings, self._host.language)
        if incoming is None:
            return
        if isinstance(message.channel, (discord.abc.GuildChannel, discord.Thread)):
            lacking = missing(message.channel)
            if not mute(lacking):
                await self._host.messages.receive(incoming)
            await self._managers.hear(message.channel, lacking)  # takes a while, and may fail
        else:
            await self._host.messages.receive(incoming)
