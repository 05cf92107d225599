"""Reading back what was said while nobody listened: her channels and private chats, within bounds."""

import logging
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import discord

from bot.adapters.base import Host
from bot.adapters.discord.delivery import UNREACHABLE
from bot.adapters.discord.inbound import PLATFORM, chat_of

Spot = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread

log = logging.getLogger(__name__)

# what is older has been given up by who asked
LONGEST_SILENCE = timedelta(hours=1)
_MESSAGES_PER_CHAT = 100
_PRIVATE_CHATS = 50
_ACTIVE = timedelta(days=30)


async def missed(client: discord.Client, host: Host, since: datetime) -> AsyncIterator[discord.Message]:
    """Messages sent after `since`, chat by chat, oldest first. Chats that cannot be read are passed over."""
    now = host.clock.now()
    after = max(since, now - LONGEST_SILENCE)
    chats: list[discord.abc.Messageable] = [channel async for channel in _her_channels(client, host, after)]
    for chat in await host.history.private_chats(PLATFORM, now - _ACTIVE, _PRIVATE_CHATS):
        chats.append(client.get_partial_messageable(int(chat.chat_id), type=discord.ChannelType.private))
    for messageable in chats:
        try:
            # the newest ones: in a busy channel the oldest after `since` are those she heard
            read = messageable.history(limit=_MESSAGES_PER_CHAT, after=after, oldest_first=False)
            newest = [message async for message in read]
        except UNREACHABLE as error:
            log.info("what was missed in %s cannot be read: %s", messageable, error)
            continue
        for message in reversed(newest):
            yield message


async def _her_channels(client: discord.Client, host: Host, after: datetime) -> AsyncIterator[Spot]:
    """Channels where she answers everything, and their threads, with something new in them."""
    oldest = discord.utils.time_snowflake(after)
    for guild in client.guilds:
        hers = (await host.places.of(chat_of(guild.id, guild.id))).channels
        if not hers:
            continue
        spots: list[Spot] = [*guild.text_channels, *guild.voice_channels, *guild.stage_channels, *guild.threads]
        for channel in spots:
            parent = channel.parent_id if isinstance(channel, discord.Thread) else channel.id
            if hers & {str(channel.id), str(parent)} and (channel.last_message_id or 0) > oldest:
                yield channel
