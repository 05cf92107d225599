"""Things as the JSON that Discord sends for them."""

import re
from typing import Any, Protocol

from .permissions import EVERYBODY, Permission
from .snowflakes import stamp
from .things import DM, PUBLIC_THREAD, Attachment, Channel, Guild, Interaction, Message, User

Json = dict[str, Any]
EVERYONE = re.compile("@(everyone|here)")
ROLE = re.compile(r"<@&(\d+)>")


def user(one: User) -> Json:
    return {
        "id": str(one.id), "username": one.name, "discriminator": "0", "global_name": None if one.bot else one.name,
        "avatar": None, "bot": one.bot, "system": False, "public_flags": 0, "flags": 0, "primary_guild": None,
    }  # fmt: skip


def member(guild: Guild, one: User, *, bot: User) -> Json:
    roles = [guild.bot_role_id] if one is bot else [guild.manager_role_id] if one.id in guild.managers else []
    roles += [role.id for role in guild.roles_of(one)]
    return {
        "roles": [str(role) for role in roles], "nick": None, "avatar": None, "joined_at": stamp(guild.id),
        "deaf": False, "mute": False, "pending": False, "flags": 0, "premium_since": None, "banner": None,
        "communication_disabled_until": None,
    }  # fmt: skip


def full_member(guild: Guild, one: User, *, bot: User) -> Json:
    return {**member(guild, one, bot=bot), "user": user(one)}


def role(id: int, name: str, permissions: Permission, *, position: int, bot_id: int | None = None) -> Json:
    payload: Json = {
        "id": str(id), "name": name, "permissions": str(int(permissions)), "position": position, "color": 0,
        "hoist": False, "managed": bot_id is not None, "mentionable": False, "flags": 0,
        "icon": None, "unicode_emoji": None,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
    }  # fmt: skip
    return payload if bot_id is None else {**payload, "tags": {"bot_id": str(bot_id)}}


def roles(guild: Guild, bot: User) -> list[Json]:
    return [
        role(guild.id, "@everyone", guild.everyone, position=0),
        role(guild.manager_role_id, "manager", EVERYBODY | Permission.MANAGE_GUILD, position=1),
        role(guild.bot_role_id, bot.name, guild.bot_role, position=2, bot_id=bot.id),
        *(role(one.id, one.name, one.permissions, position=place) for place, one in enumerate(guild.roles, 3)),
    ]


def channel(one: Channel, bot: User) -> Json:
    """A guild channel, a thread or a direct chat."""
    last = None if one.last_id is None else str(one.last_id)
    base: Json = {"id": str(one.id), "type": one.kind, "last_message_id": last, "flags": 0}
    if one.guild is None:
        assert one.recipient is not None
        return {**base, "recipients": [user(one.recipient)]}
    base |= {"guild_id": str(one.guild.id), "name": one.name, "rate_limit_per_user": 0}
    if one.parent is not None:
        return {
            **base, "parent_id": str(one.parent.id), "owner_id": str(one.guild.owner.id), "message_count": 0,
            "member_count": 1, "total_message_sent": 0,
            "thread_metadata": {
                "archived": False, "auto_archive_duration": 1440, "archive_timestamp": stamp(one.id), "locked": False,
                "create_timestamp": stamp(one.id),
            },
        }  # fmt: skip
    overwrites = [overwrite(id, Permission.NONE, denied) for id, denied in ((bot.id, one.denied),) if denied]
    overwrites += [overwrite(id, given, Permission.NONE) for id, given in one.given.items()]
    return {
        **base, "position": one.guild.channels.index(one), "permission_overwrites": overwrites,
        "nsfw": False, "topic": None, "parent_id": None,
    }  # fmt: skip


def overwrite(user_id: int, allow: Permission, deny: Permission) -> Json:
    return {"id": str(user_id), "type": 1, "allow": str(int(allow)), "deny": str(int(deny))}


def guild(one: Guild, bot: User) -> Json:
    """GUILD_CREATE: as Discord does, of the members the bot and the owner at least."""
    known = {bot.id: bot, one.owner.id: one.owner, **{id: one.members[id] for id in one.managers}}
    return {
        "id": str(one.id), "name": one.name, "icon": None, "owner_id": str(one.owner.id), "unavailable": False,
        "joined_at": stamp(one.id), "large": False, "member_count": len(one.members), "preferred_locale": one.locale,
        "roles": roles(one, bot), "emojis": [], "stickers": [], "features": [], "voice_states": [], "presences": [],
        "members": [full_member(one, person, bot=bot) for person in known.values()],
        "channels": [channel(place, bot) for place in one.channels if place.kind != PUBLIC_THREAD],
        "threads": [channel(place, bot) for place in one.channels if place.kind == PUBLIC_THREAD],
        "system_channel_id": _id(one.system_channel), "public_updates_channel_id": _id(one.updates_channel),
        "system_channel_flags": 0, "rules_channel_id": None, "afk_channel_id": None, "afk_timeout": 300,
        "verification_level": 0, "default_message_notifications": 0, "explicit_content_filter": 0, "mfa_level": 0,
        "nsfw_level": 0, "premium_tier": 0, "stage_instances": [], "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }  # fmt: skip


def _id(place: Channel | None) -> str | None:
    return None if place is None else str(place.id)


def attachment(one: Attachment) -> Json:
    payload: Json = {
        "id": str(one.id), "filename": one.filename, "size": one.size, "url": one.url, "proxy_url": one.url, "flags": 0,
    }  # fmt: skip
    if one.description is not None:
        payload["description"] = one.description
    if one.content_type is not None:
        payload["content_type"] = one.content_type
    if one.dimensions is not None:
        payload["width"], payload["height"] = one.dimensions
    return payload


class View(Protocol):
    """Through whose eyes messages are shown."""

    def mentions(self, message: Message) -> list[User]:
        """Whom it mentions."""

    def hides(self, message: Message) -> bool:
        """Whether the message content intent is missing for it."""


def message(one: Message, view: View, *, nested: bool = False) -> Json:
    """A message; `nested` leaves out the one that it replies to."""
    hidden = view.hides(one)
    payload: Json = {
        "id": str(one.id), "channel_id": str(one.channel.id), "type": one.kind,
        "author": {**user(one.author), "bot": one.author.bot or one.webhook},
        "timestamp": stamp(one.id), "edited_timestamp": one.edited, "tts": False, "pinned": False, "flags": one.flags,
        "mentions": [user(person) for person in view.mentions(one)],
        "mention_everyone": not one.author.bot and bool(EVERYONE.search(one.content)),
        "mention_roles": [] if one.author.bot else ROLE.findall(one.content),
        "content": "" if hidden else one.content,
        "attachments": [] if hidden else [attachment(file) for file in one.attachments],
        "embeds": [] if hidden else one.embeds,
        "components": [] if hidden else one.components,
    }  # fmt: skip
    if one.nonce is not None:
        payload["nonce"] = one.nonce
    if one.webhook:
        payload["webhook_id"] = str(one.author.id)
    if one.interaction is not None:
        payload["webhook_id"] = payload["application_id"] = str(one.author.id)
        payload["interaction_metadata"] = {
            "id": str(one.interaction.id), "type": one.interaction.kind, "user": user(one.interaction.user),
            "authorizing_integration_owners": {},
        }  # fmt: skip
    if one.forward_of is not None:
        payload["message_reference"] = {**_reference(one.forward_of), "type": 1}
        payload["message_snapshots"] = [] if hidden else [{"message": message(one.forward_of, view, nested=True)}]
    elif one.reference is not None:
        payload["message_reference"] = _reference(one.reference)
        if not nested:
            gone = one.reference.deleted
            payload["referenced_message"] = None if gone else message(one.reference, view, nested=True)
    return payload


def _reference(target: Message) -> Json:
    reference: Json = {"type": 0, "message_id": str(target.id), "channel_id": str(target.channel.id)}
    return reference if target.channel.guild is None else {**reference, "guild_id": str(target.channel.guild.id)}


def place(one: Channel) -> Json:
    """What an event adds to a message about where it stands."""
    if one.kind == DM:
        return {"channel_type": DM}
    assert one.guild is not None
    return {"channel_type": one.kind, "guild_id": str(one.guild.id)}


def interaction(one: Interaction, bot: User, view: View) -> Json:
    guild_of = one.channel.guild
    payload: Json = {
        "id": str(one.id), "application_id": str(bot.id), "type": one.kind, "token": one.token, "version": 1,
        "data": one.data, "channel_id": str(one.channel.id), "locale": one.locale, "entitlements": [],
        "authorizing_integration_owners": {"0": "0" if guild_of is None else str(guild_of.id)},
        "attachment_size_limit": 10 * 1024 * 1024, "app_permissions": str(int(one.channel.permissions)),
        "channel": channel(one.channel, bot), "context": 1 if guild_of is None else 0,
    }  # fmt: skip
    if one.message is not None:
        payload["message"] = message(one.message, view)
    if guild_of is None:
        return {**payload, "user": user(one.user)}
    may = str(int(one.channel.permissions_of(one.user)))
    return {
        **payload, "guild_id": str(guild_of.id), "guild_locale": guild_of.locale,
        "guild": {"id": str(guild_of.id), "locale": guild_of.locale, "features": []},
        "member": {**full_member(guild_of, one.user, bot=bot), "permissions": may},
    }  # fmt: skip
