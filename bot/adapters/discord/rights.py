"""What the platform vouches for: the rights of whoever used a command or a button, from that very interaction."""

import discord

from bot.adapters.desk import FindRights, Rights
from bot.adapters.discord.answers import Interaction
from bot.adapters.discord.inbound import PLATFORM
from core.messages import PlaceKey


def rights_of(interaction: Interaction) -> FindRights:
    """In the server it happened in; nothing in any other, and nothing in a private chat."""

    async def find(place: PlaceKey) -> Rights:
        member = interaction.user
        if place != PlaceKey(PLATFORM, str(interaction.guild_id)) or not isinstance(member, discord.Member):
            return Rights()
        may = permissions(interaction)
        return Rights(
            moderates=may.moderate_members,
            manages=may.manage_guild,
            roles=frozenset(str(role.id) for role in member.roles if not role.is_default()),
        )

    return find


def permissions(interaction: Interaction) -> discord.Permissions:
    """What whoever did it may do in the whole server.

    Discord's own sum counts in what the channel gives, and whoever manages a channel may give there what they like.
    """
    member = interaction.user
    if not isinstance(member, discord.Member) or member.guild.default_role is None:  # a server that is not there now
        return discord.Permissions.none()
    return interaction.permissions & member.guild_permissions
