"""What she needs to be allowed in a channel, and telling the managers once when she is not."""

import base64
import binascii
import json
import logging

import discord
from cachetools import LRUCache

from bot.adapters.discord.delivery import UNREACHABLE
from core import texts
from core.errors import RecordError
from core.ports import Notes

log = logging.getLogger(__name__)

# all she uses: see, talk, talk in threads, show her face, and quote what she answers
_USED = ("view_channel", "send_messages", "send_messages_in_threads", "attach_files", "read_message_history")
PERMISSIONS = discord.Permissions(**dict.fromkeys(_USED, True))
_CHANNELS = 10_000

Channel = discord.abc.GuildChannel | discord.Thread


def invite_link(token: str) -> str | None:
    """The address that adds her to a server with what she uses; None when the token tells no account."""
    account = token.partition(".")[0]
    try:
        client_id = int(base64.urlsafe_b64decode(account + "=" * (-len(account) % 4)))
    except (binascii.Error, ValueError):
        return None
    return discord.utils.oauth_url(client_id, permissions=PERMISSIONS, scopes=("bot", "applications.commands"))


def missing(channel: Channel) -> list[str]:
    """Names of what she is not allowed in a channel."""
    speak = "send_messages_in_threads" if isinstance(channel, discord.Thread) else "send_messages"
    allowed = channel.permissions_for(channel.guild.me)
    lacking = [
        name for name in ("view_channel", speak, "attach_files", "read_message_history") if not getattr(allowed, name)
    ]
    # who may not speak has no files to attach either: whether that is allowed shows later
    return [name for name in lacking if mute([name])] or lacking


def mute(lacking: list[str]) -> bool:
    """Whether she cannot say anything without these."""
    return any(name not in ("attach_files", "read_message_history") for name in lacking)


class Managers:
    """Those who manage a server, told once what she lacks in which channel."""

    def __init__(self, client: discord.Client, notes: Notes, language: str) -> None:
        self._client = client
        self._notes = notes
        self._language = language
        self._known: LRUCache[int, str] = LRUCache(_CHANNELS)  # channel → what was lacking when it was last looked at

    async def hear(self, channel: Channel, lacking: list[str]) -> None:
        """Remember what is lacking, and tell it when it was not told before."""
        state = json.dumps(sorted(lacking))
        if self._known.get(channel.id, "[]") == state:
            return
        self._known[channel.id] = state
        name = f"discord:lacking:{channel.id}"
        try:
            if await self._notes.read(name) in (state, "" if not lacking else state):
                return
            await self._notes.write(name, state)  # before telling: rather never than over and over
        except RecordError:
            log.exception("what is lacking in channel %d is not told", channel.id)
            return
        if lacking:
            await self._tell(channel, lacking)

    async def _tell(self, channel: Channel, lacking: list[str]) -> None:
        guild, language = channel.guild, self._language
        names = ", ".join(texts.text(language, "permission", name) for name in lacking)
        said = texts.text(
            language, "platform", "missing", place=guild.name, permissions=names, channels=f"#{channel.name}"
        )
        log.warning("server %d, channel %d: missing permissions: %s", guild.id, channel.id, ", ".join(lacking))
        for reach in (self._owner, self._moderators_channel):
            try:
                if (target := await reach(guild)) is not None:
                    await target.send(said)
                    return
            except UNREACHABLE as error:
                log.info("server %d: its managers are not reached this way: %s", guild.id, error)

    async def _owner(self, guild: discord.Guild) -> discord.abc.Messageable | None:
        return await self._client.create_dm(discord.Object(guild.owner_id)) if guild.owner_id is not None else None

    async def _moderators_channel(self, guild: discord.Guild) -> discord.abc.Messageable | None:
        """Where Discord itself writes to a community's moderators."""
        channel = guild.public_updates_channel
        return channel if channel is not None and not mute(missing(channel)) else None
