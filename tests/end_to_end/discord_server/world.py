"""The service's state, and the events that its changes cause."""

import asyncio
import hashlib
import mimetypes
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from . import payloads
from .gateway import Gateway, Greeting
from .multipart import File
from .permissions import EVERYBODY, Intent, Permission
from .settings import Settings
from .snowflakes import Snowflakes
from .things import DM, PUBLIC_THREAD, TEXT, Attachment, Channel, Guild, Interaction, Message, Role, User

MENTION = re.compile(r"<@!?(\d+)>")
PNG = b"\x89PNG\r\n\x1a\n"


class World:
    """Everything that exists. Making or changing something tells the bot, where it is connected and may see it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.snowflakes = Snowflakes()
        self.gateway = Gateway(settings, self._greeting, self.changed, self._members)
        self.users: dict[int, User] = {}
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.interactions: dict[str, Interaction] = {}
        self.files: dict[int, Attachment] = {}
        self.gateway_url = self.api_url = self.files_url = ""
        self.posted = 0
        self._dms: dict[int, Channel] = {}
        self._change = asyncio.Event()
        self.bot = self.user(settings.bot_name, bot=True)

    async def until(self, predicate: Callable[[], object], timeout: float = 10.0) -> None:  # noqa: ASYNC109
        """Wait until `predicate` holds, looked at whenever something changes. TimeoutError after `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                while not predicate():
                    await self._change.wait()
        except TimeoutError as error:
            raise TimeoutError(f"not within {timeout} s; {self.describe()}") from error

    def describe(self) -> str:
        """What a failed wait should say about the state of things."""
        return f"connected: {self.gateway.connected.is_set()}"

    def changed(self) -> None:
        """Wake those who wait; whoever waits for something of their own calls it when that has changed."""
        change, self._change = self._change, asyncio.Event()
        change.set()

    def user(self, name: str, *, bot: bool = False, dms_closed: bool = False) -> User:
        """A new account."""
        user = User(self.snowflakes.next(), name, bot, dms_closed)
        self.users[user.id] = user
        return user

    def guild(
        self, name: str, *, owner: User | None = None, locale: str = "ko",
        bot_role: Permission = Permission.NONE, everyone: Permission = EVERYBODY,
    ) -> Guild:  # fmt: skip
        """A new guild with the bot in it and no channels yet; `bot_role` is what the invite link asked for."""
        owner = owner or self.user(f"{name}-owner")
        ids = [self.snowflakes.next() for _ in range(3)]
        guild = Guild(self, ids[0], name, owner, locale, ids[1], ids[2], everyone, bot_role)
        guild.members = {one.id: one for one in (self.bot, owner)}
        self.guilds[guild.id] = guild
        self.gateway.dispatch("GUILD_CREATE", payloads.guild(guild, self.bot), Intent.GUILDS)
        return guild

    def open_channel(self, guild: Guild, name: str) -> Channel:
        """A new text channel; CHANNEL_CREATE."""
        return self._open(Channel(self, self.snowflakes.next(), TEXT, name, guild), "CHANNEL_CREATE")

    def open_thread(self, parent: Channel, name: str) -> Channel:
        """A new public thread; THREAD_CREATE."""
        thread = Channel(self, self.snowflakes.next(), PUBLIC_THREAD, name, parent.guild, parent)
        return self._open(thread, "THREAD_CREATE")

    def _open(self, channel: Channel, event: str) -> Channel:
        assert channel.guild is not None
        self.channels[channel.id] = channel
        channel.guild.channels.append(channel)
        shown = {**payloads.channel(channel, self.bot), "newly_created": True}
        self.gateway.dispatch(event, shown, Intent.GUILDS)
        return channel

    def channel_changed(self, channel: Channel) -> None:
        """CHANNEL_UPDATE."""
        self.gateway.dispatch("CHANNEL_UPDATE", payloads.channel(channel, self.bot), Intent.GUILDS)

    def close_channel(self, channel: Channel) -> None:
        """A channel is deleted with everything in it; CHANNEL_DELETE."""
        assert channel.guild is not None
        shown = payloads.channel(channel, self.bot)
        del self.channels[channel.id]
        channel.guild.channels.remove(channel)
        self.gateway.dispatch("CHANNEL_DELETE", shown, Intent.GUILDS)

    def new_role(self, guild: Guild, name: str, permissions: Permission) -> Role:
        """GUILD_ROLE_CREATE."""
        role = Role(self.snowflakes.next(), name, permissions)
        guild.roles.append(role)
        shown = payloads.role(role.id, name, permissions, position=len(guild.roles) + 2)
        self.gateway.dispatch("GUILD_ROLE_CREATE", {"guild_id": str(guild.id), "role": shown}, Intent.GUILDS)
        return role

    def dm(self, user: User) -> Channel:
        """The direct chat between a person and the bot; like Discord's v10 it is not announced."""
        channel = self._dms.get(user.id)
        if channel is None:
            channel = Channel(self, self.snowflakes.next(), DM, recipient=user)
            self._dms[user.id] = self.channels[channel.id] = channel
        return channel

    def add(self, message: Message) -> Message:
        """Store a message and tell of it."""
        channel = message.channel
        channel.stored[message.id] = message
        channel.last_id = message.id
        self.posted += message.author is self.bot
        if message.reference is not None:
            message.reference.replies.append(message)
        if message.interaction is not None:
            message.interaction.responses.append(message)
        self.announce(message, "MESSAGE_CREATE")
        self.changed()
        return message

    def rewrite(self, message: Message, **changes: Any) -> Message:
        """Change an existing message and tell of it."""
        message.history.append(message.content)
        for name, value in changes.items():
            setattr(message, name, value)
        message.edited_at, message.edited = time.monotonic(), datetime.now(UTC).isoformat()
        self.announce(message, "MESSAGE_UPDATE")
        self.changed()
        return message

    def remove(self, *messages: Message) -> None:
        """Delete messages of one channel and tell of it, of several in one event."""
        channel = messages[0].channel
        for message in messages:
            del channel.stored[message.id]
            channel.deleted.append(message)
            message.deleted = True
        where = {"channel_id": str(channel.id)} | ({} if channel.guild is None else {"guild_id": str(channel.guild.id)})
        if len(messages) == 1:
            self._tell(messages[0], "MESSAGE_DELETE", {**where, "id": str(messages[0].id)})
        else:
            self._tell(messages[0], "MESSAGE_DELETE_BULK", {**where, "ids": [str(message.id) for message in messages]})
        self.changed()

    def announce(self, message: Message, event: str) -> None:
        """Send a message's event, as often as this is called."""
        payload = payloads.message(message, self) | payloads.place(message.channel)
        if message.channel.guild is not None and not message.webhook:
            payload["member"] = payloads.member(message.channel.guild, message.author, bot=self.bot)
        self._tell(message, event, payload)

    def _tell(self, message: Message, event: str, payload: dict[str, Any]) -> None:
        channel = message.channel
        if message.ephemeral or Permission.VIEW_CHANNEL not in channel.permissions:
            return
        self.gateway.dispatch(
            event, payload, Intent.DIRECT_MESSAGES if channel.guild is None else Intent.GUILD_MESSAGES
        )

    def store(self, channel: Channel, file: File, name: str, description: str | None) -> Attachment:
        """Keep a file, or only its measures."""
        id, data = self.snowflakes.next(), file.data
        size = (int.from_bytes(data[16:20]), int.from_bytes(data[20:24])) if data[:8] == PNG else None
        attachment = Attachment(
            id, name, description, len(data), hashlib.sha256(data).hexdigest(), mimetypes.guess_type(name)[0], size,
            f"{self.files_url}/{channel.id}/{id}/{quote(name)}", bytes(data) if self.settings.keep_files else None,
        )  # fmt: skip
        if attachment.data is not None:
            self.files[id] = attachment
        return attachment

    def mentions(self, message: Message) -> list[User]:
        """Whom a person's message mentions; the bot's own may mention nobody."""
        if message.author is self.bot:
            return []
        named = [self.users[int(id)] for id in MENTION.findall(message.content) if int(id) in self.users]
        if message.reference is not None and message.pings_replied:
            named.append(message.reference.author)
        return list(dict.fromkeys(named))

    def hides(self, message: Message) -> bool:
        """Whether the message content intent is missing for it."""
        session = self.gateway.session
        asked = session is None or Intent.MESSAGE_CONTENT in session.intents
        if (asked and Intent.MESSAGE_CONTENT in self.settings.portal) or message.channel.guild is None:
            return False
        addressed = message.reference is not None and message.reference.author is self.bot
        return message.author is not self.bot and not addressed and self.bot not in self.mentions(message)

    def _greeting(self) -> Greeting:
        guilds = [payloads.guild(guild, self.bot) for guild in self.guilds.values()]
        return Greeting(payloads.user(self.bot), guilds, self.gateway_url)

    def _members(self, asked: dict[str, Any]) -> dict[str, Any]:
        guild = self.guilds[int(asked["guild_id"])]
        ids = asked.get("user_ids")
        wanted = set(guild.members) if not ids else {int(id) for id in (ids if isinstance(ids, list) else [ids])}
        found = [payloads.full_member(guild, guild.members[id], bot=self.bot) for id in wanted if id in guild.members]
        return {
            "guild_id": asked["guild_id"], "members": found, "chunk_index": 0, "chunk_count": 1,
            "not_found": [str(id) for id in wanted - set(guild.members)], "nonce": asked.get("nonce"),
        }  # fmt: skip
