"""Discord: direct messages, mentions, her own channels, slash commands."""

from bot.adapters.discord.adapter import DiscordAdapter
from bot.adapters.discord.permissions import invite_link

__all__ = ["DiscordAdapter", "invite_link"]
