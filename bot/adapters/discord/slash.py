"""Slash commands and buttons: acknowledged at once, answered when there is an answer."""

import hashlib
import io
import json
import logging
from typing import Any

import discord
from discord import app_commands
from discord.app_commands import locale_str

from bot.adapters.base import Answer, Asked, Command, Host
from bot.adapters.discord.inbound import PLATFORM, chat_of
from bot.adapters.discord.missed import Spot
from bot.adapters.discord.posting import LONGEST
from bot.adapters.pieces import pieces
from core import texts
from core.messages import IncomingMessage, PersonKey

log = logging.getLogger(__name__)

Interaction = discord.Interaction[discord.Client]
Text = app_commands.Range[str, 1, 1000]

_BUTTON = "button:"


class Slash:
    """The commands of one client."""

    def __init__(self, client: discord.Client, host: Host) -> None:
        self._host = host
        self._tree: app_commands.CommandTree[discord.Client] = app_commands.CommandTree(
            client,
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=False),
        )
        self._tree.error(_log_error)
        self._add_chat()
        self._add_memory()
        self._add_plain("standing")
        self._add_plain("about")
        self._add_settings()

    async def sync(self, application_id: int) -> None:
        """Tell Discord the commands if they changed since they were told last. Raises discord.HTTPException."""
        translator = _Korean()
        await self._tree.set_translator(translator)
        commands = self._tree.get_commands()
        payload = [await command.get_translated_payload(self._tree, translator) for command in commands]
        digest = hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()
        name = f"discord:commands:{application_id}"
        if await self._host.notes.read(name) != digest:
            await self._tree.sync()
            await self._host.notes.write(name, digest)

    async def pressed(self, interaction: Interaction) -> None:
        """A button; one that is none of ours is gone like any other."""
        await interaction.response.defer()
        data: Any = interaction.data or {}
        button = str(data.get("custom_id", "")).removeprefix(_BUTTON)
        asked = await self._asked(interaction, Command(""))
        answer = await self._host.commands.pressed(asked, int(button) if button.isdecimal() else 0)
        if answer.refused:
            await interaction.followup.send(answer.text, ephemeral=True)
        elif answer.file is None:
            await _show(interaction, answer)
        else:
            await interaction.followup.send(answer.text, file=_file(answer), ephemeral=True)

    def _add_chat(self) -> None:
        @self._tree.command(name=_name("chat"), description=_said("command", "chat"))
        @app_commands.rename(text=_option("text"))
        @app_commands.describe(text=_said("option", "text"))
        async def chat(interaction: Interaction, text: Text) -> None:
            await interaction.response.defer(thinking=True)
            asked = await self._asked(interaction, Command("chat", text))
            message = IncomingMessage(
                person=asked.person,
                chat=asked.chat,
                message_id=str(interaction.id),
                text=text,
                sent_at=interaction.created_at,
                language=asked.language,
                via=interaction.token,
            )
            await self._host.messages.receive(message)

    def _add_memory(self) -> None:
        group = app_commands.Group(name=_name("memory"), description=_said("command", "memory"))

        def add(verb: str) -> None:
            @group.command(name=_name(f"memory_{verb}"), description=_said("command", f"memory_{verb}"))
            async def plain(interaction: Interaction) -> None:
                await self._answer(interaction, Command("memory", verb))

        for verb in ("list", "pause", "export"):
            add(verb)

        @group.command(name=_name("memory_forget"), description=_said("command", "memory_forget"))
        @app_commands.rename(item=_option("item"))
        @app_commands.describe(item=_said("option", "item"))
        async def forget(interaction: Interaction, item: Text) -> None:
            await self._answer(interaction, Command("memory", f"forget {'all?' if item == 'all' else item}"))

        self._tree.add_command(group)

    def _add_plain(self, name: str) -> None:
        @self._tree.command(name=_name(name), description=_said("command", name))
        async def plain(interaction: Interaction) -> None:
            await self._answer(interaction, Command(name))

    def _add_settings(self) -> None:
        names = ("channel", "name_call", "images", "language")

        @self._tree.command(name=_name("settings"), description=_said("command", "settings"))
        @app_commands.default_permissions(manage_guild=True)
        @app_commands.rename(**{name: _option(name) for name in names})
        @app_commands.describe(**{name: _said("option", name) for name in names})
        @app_commands.choices(images=[_choice(kind) for kind in ("always", "change", "off")])
        @app_commands.choices(language=[_choice(code) for code in texts.LANGUAGES])
        async def settings(
            interaction: Interaction,
            channel: Spot | None = None,
            name_call: bool | None = None,
            images: str | None = None,
            language: str | None = None,
        ) -> None:
            given = {
                "channel": channel and channel.id,
                "name_call": None if name_call is None else ("on" if name_call else "off"),
                "images": images,
                "language": language,
            }
            changes = " ".join(f"{name}={value}" for name, value in given.items() if value is not None)
            await self._answer(interaction, Command("settings", changes))

    async def _answer(self, interaction: Interaction, command: Command) -> None:
        """To nobody but who asked."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await _show(interaction, await self._host.commands.run(await self._asked(interaction, command)))

    async def _asked(self, interaction: Interaction, command: Command) -> Asked:
        chat = chat_of(interaction.channel_id or 0, interaction.guild_id)
        settings = await self._host.places.of(chat)
        locale = "ko" if interaction.locale is discord.Locale.korean else "en"
        return Asked(
            person=PersonKey(PLATFORM, str(interaction.user.id)),
            chat=chat,
            command=command,
            language=settings.language or locale,
            manager=chat.private or interaction.permissions.manage_guild,
        )


class _Korean(app_commands.Translator):
    """Names and descriptions from core.texts; English ones are the default."""

    async def translate(
        self, string: locale_str, locale: discord.Locale, context: app_commands.TranslationContextTypes
    ) -> str | None:
        """The Korean text of a key."""
        key = string.extras.get("key")
        return texts.text("ko", *key) if key and locale is discord.Locale.korean else None


def _said(section: str, key: str) -> locale_str:
    return locale_str(texts.text("en", section, key), key=(section, key))


def _name(command: str) -> locale_str:
    return _said("command_name", command)


def _option(option: str) -> locale_str:
    return _said("option_name", option)


def _choice(value: str) -> app_commands.Choice[str]:
    return app_commands.Choice(name=_said("settings", value), value=value)


async def _show(interaction: Interaction, answer: Answer) -> None:
    """In the place of the acknowledgement; past its 15 minutes as a private message."""
    first, *rest = pieces(answer.text, LONGEST) or ["…"]
    files = [_file(answer)] if answer.file is not None else []
    try:
        await interaction.edit_original_response(content=first, attachments=files, view=_view(answer))
        for part in rest:
            await interaction.followup.send(part, ephemeral=True)
    except discord.HTTPException as error:
        if interaction.is_expired():
            await interaction.user.send(first, files=[_file(answer)] if answer.file is not None else [])
        else:
            log.error("a command's answer was not taken: %s", error)


def _view(answer: Answer) -> discord.ui.View:
    """The buttons; what they do stands in the record, so the library need not listen for them."""
    view = discord.ui.View(timeout=None)
    for number, row in enumerate(answer.buttons):
        for button in row:
            view.add_item(discord.ui.Button(label=button.label, custom_id=f"{_BUTTON}{button.button_id}", row=number))
    view.stop()
    return view


def _file(answer: Answer) -> discord.File:
    assert answer.file is not None
    return discord.File(io.BytesIO(answer.file.content), answer.file.name, description=answer.text)


async def _log_error(interaction: Interaction, error: app_commands.AppCommandError) -> None:
    log.error("a command failed", exc_info=error)
