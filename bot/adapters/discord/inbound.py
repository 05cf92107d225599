"""From Discord's messages to ours: who calls her, and what they say."""

import re

import discord

from bot.adapters.calls import calls_her
from core.messages import ChatKey, IncomingMessage, PersonKey
from core.people import PlaceSettings

PLATFORM = "discord"

_SPOKEN = (discord.MessageType.default, discord.MessageType.reply)
_MENTION = re.compile(r"<(@!?|@&|#)(\d+)>")
_EMOJI = re.compile(r"<a?:(\w+):\d+>")


def chat_of(channel_id: int, guild_id: int | None) -> ChatKey:
    """A channel, thread or private chat; threads are chats of their own."""
    return ChatKey(PLATFORM, str(channel_id), guild_id is None, "" if guild_id is None else str(guild_id))


def is_spoken(message: discord.Message) -> bool:
    """Whether a person said it: not a bot, a webhook, the system, and not somebody else's words passed on."""
    person = not message.author.bot and message.webhook_id is None
    return person and message.type in _SPOKEN and not message.message_snapshots


def heard(
    message: discord.Message, me: discord.ClientUser, settings: PlaceSettings, language: str
) -> IncomingMessage | None:
    """What she is told, if a message by a person is meant for her. `language`: where the place has none."""
    text = said(message, me)
    if not (_directed(message, me) or (text and _overheard(message, settings))):
        return None
    guild_id = message.guild.id if message.guild is not None else None
    return IncomingMessage(
        person=PersonKey(PLATFORM, str(message.author.id)),
        chat=chat_of(message.channel.id, guild_id),
        message_id=str(message.id),
        text=text,
        sent_at=message.created_at,
        language=settings.language or language,
    )


def said(message: discord.Message, me: discord.ClientUser) -> str:
    """The text without her own mention; other mentions and emojis as people read them."""
    users = {user.id: f"@{user.display_name}" for user in message.mentions} | {me.id: ""}
    roles = {role.id: f"@{role.name}" for role in message.role_mentions}
    roles |= dict.fromkeys(_own_roles(message), "")
    channels = {channel.id: f"#{channel.name}" for channel in message.channel_mentions}
    names = {"@": users, "@!": users, "@&": roles, "#": channels}
    plain = _MENTION.sub(lambda match: names[match[1]].get(int(match[2]), match[1][0]), message.content)
    return _EMOJI.sub(r":\1:", plain).strip()


def _directed(message: discord.Message, me: discord.ClientUser) -> bool:
    if message.guild is None or any(user.id == me.id for user in message.mentions):
        return True
    if any(role.id in _own_roles(message) for role in message.role_mentions):
        return True
    answered = message.reference.resolved if message.reference is not None else None
    return isinstance(answered, discord.Message) and answered.author.id == me.id


def _overheard(message: discord.Message, settings: PlaceSettings) -> bool:
    chats = {str(message.channel.id)}
    if isinstance(message.channel, discord.Thread):
        chats.add(str(message.channel.parent_id))
    return bool(chats & settings.channels) or (settings.name_call and calls_her(message.content))


def _own_roles(message: discord.Message) -> set[int]:
    """The role that Discord made for her: people pick it instead of her name."""
    role = message.guild.self_role if message.guild is not None else None
    return set() if role is None else {role.id}
