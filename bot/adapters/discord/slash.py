"""Slash commands, buttons and forms: acknowledged at once, answered when there is an answer."""

import hashlib
import json
import logging

import discord
from discord import app_commands

from bot.adapters.base import Host
from bot.adapters.desk import Asked, Command, Press
from bot.adapters.discord import names
from bot.adapters.discord.answers import Interaction, acknowledged, ask_for, data_of, filled_in, show
from bot.adapters.discord.inbound import PLATFORM, chat_of
from bot.adapters.discord.missed import Spot
from bot.adapters.discord.moderation import add_moderation
from bot.adapters.discord.rights import permissions, rights_of
from core import texts
from core.messages import IncomingMessage, PersonKey

log = logging.getLogger(__name__)

Text = app_commands.Range[str, 1, 1000]


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
        self._add_plain("forget-me", "forget_me")
        self._add_plain("standing")
        self._add_plain("about")
        self._add_settings()
        add_moderation(self._tree, self._answer)

    async def sync(self, application_id: int) -> None:
        """Tell Discord the commands if they changed since they were told last. Raises discord.HTTPException."""
        translator = names.Korean()
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
        data = data_of(interaction)
        form = self._host.commands.form(data, _language_of(interaction))
        if form is not None:  # Discord takes it as the very first answer only
            await ask_for(interaction, form, data)
        else:
            await self._press(interaction, data, ())

    async def filled_in(self, interaction: Interaction) -> None:
        """A form that a button asked for."""
        await self._press(interaction, data_of(interaction), filled_in(interaction))

    async def _press(self, interaction: Interaction, data: str, filled: tuple[str, ...]) -> None:
        if not await acknowledged(interaction):
            return
        press = Press(data, "" if interaction.message is None else str(interaction.message.id), filled)
        answer = await self._host.commands.pressed(await self._asked(interaction, Command("")), press)
        await show(interaction, answer, aside=answer.aside or bool(answer.files))

    def _add_chat(self) -> None:
        @self._tree.command(name=names.name("chat"), description=names.said("command", "chat"))
        @app_commands.rename(text=names.option("text"))
        @app_commands.describe(text=names.said("option", "text"))
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
        group = app_commands.Group(name=names.name("memory"), description=names.said("command", "memory"))

        def add(verb: str) -> None:
            @group.command(name=names.name(f"memory_{verb}"), description=names.said("command", f"memory_{verb}"))
            async def plain(interaction: Interaction) -> None:
                await self._answer(interaction, Command("memory", verb))

        for verb in ("list", "pause", "export"):
            add(verb)

        @group.command(name=names.name("memory_forget"), description=names.said("command", "memory_forget"))
        @app_commands.rename(item=names.option("item"))
        @app_commands.describe(item=names.said("option", "item"))
        async def forget(interaction: Interaction, item: Text) -> None:
            await self._answer(interaction, Command("memory", f"forget {item}"))

        self._tree.add_command(group)

    def _add_plain(self, name: str, key: str = "") -> None:
        """`key`: what core.texts has it under."""

        @self._tree.command(name=names.name(key or name), description=names.said("command", key or name))
        async def plain(interaction: Interaction) -> None:
            await self._answer(interaction, Command(name))

    def _add_settings(self) -> None:
        given_by = ("channel", "name_call", "images", "language")

        @self._tree.command(name=names.name("settings"), description=names.said("command", "settings"))
        @app_commands.default_permissions(manage_guild=True)
        @app_commands.rename(**{name: names.option(name) for name in given_by})
        @app_commands.describe(**{name: names.said("option", name) for name in given_by})
        @app_commands.choices(images=[names.choice("settings", kind) for kind in ("always", "change", "off")])
        @app_commands.choices(language=[names.choice("settings", code) for code in texts.LANGUAGES])
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
        if await acknowledged(interaction, thinking=True):
            await show(interaction, await self._host.commands.run(await self._asked(interaction, command)))

    async def _asked(self, interaction: Interaction, command: Command) -> Asked:
        chat = chat_of(interaction.channel_id or 0, interaction.guild_id)
        settings = await self._host.places.of(chat)
        return Asked(
            person=PersonKey(PLATFORM, str(interaction.user.id)),
            chat=chat,
            command=command,
            language=settings.language or _language_of(interaction),
            manager=chat.private or permissions(interaction).manage_guild,
            rights=rights_of(interaction),
            event=str(interaction.id),
        )


def _language_of(interaction: Interaction) -> str:
    """Of the person's own Discord."""
    return "ko" if interaction.locale is discord.Locale.korean else "en"


async def _log_error(interaction: Interaction, error: app_commands.AppCommandError) -> None:
    log.error("a command failed", exc_info=error)
