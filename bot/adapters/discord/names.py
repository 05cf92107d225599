"""What commands and their options are called in Discord: English by default, Korean where Discord is Korean."""

import discord
from discord import app_commands
from discord.app_commands import locale_str

from core import texts


class Korean(app_commands.Translator):
    """Names and descriptions from core.texts; English ones are the default."""

    async def translate(
        self, string: locale_str, locale: discord.Locale, context: app_commands.TranslationContextTypes
    ) -> str | None:
        """The Korean text of a key."""
        key = string.extras.get("key")
        return texts.text("ko", *key) if key and locale is discord.Locale.korean else None


def said(section: str, key: str) -> locale_str:
    """A text in both languages."""
    return locale_str(texts.text("en", section, key), key=(section, key))


def name(command: str) -> locale_str:
    """A command's name."""
    return said("command_name", command)


def option(option: str) -> locale_str:
    """An option's name."""
    return said("option_name", option)


def choice(section: str, value: str) -> app_commands.Choice[str]:
    """One thing to choose from; `section`: where what it is called stands."""
    return app_commands.Choice(name=said(section, value), value=value)
