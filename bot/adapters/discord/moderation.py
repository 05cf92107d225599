"""/mod and /appeal as slash commands, built from the table that every platform has."""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

import discord
from discord import app_commands

from bot.adapters.desk import Command
from bot.adapters.discord import names
from bot.adapters.discord.answers import Interaction
from bot.adapters.menu import APPEAL, VERBS, Kind, Option, appeal_command, mod_command

Run = Callable[[Interaction, Command], Awaitable[None]]
_Given = Mapping[str, str]

_TYPES: Mapping[Kind, Any] = {
    Kind.NUMBER: app_commands.Range[int, 1, 999_999_999_999_999],
    Kind.PERSON: discord.User,
    Kind.ROLE: discord.Role,
    Kind.CHOICE: str,
    Kind.WORD: app_commands.Range[str, 1, 100],
    Kind.WORDS: app_commands.Range[str, 1, 1000],
}


def add_moderation(tree: app_commands.CommandTree[discord.Client], run: Run) -> None:
    """A subcommand for every verb. Who sees them is for the server to say; who may use them is checked at every use."""
    group = app_commands.Group(
        name=names.name("mod"),
        description=names.said("command", "mod"),
        default_permissions=discord.Permissions(moderate_members=True),
    )
    for verb, options in VERBS.items():
        group.add_command(_command(f"mod_{verb}", options, partial(mod_command, verb), run))
    tree.add_command(group)
    tree.add_command(_command("appeal", APPEAL, lambda given: appeal_command(given["case"], given["appeal"]), run))


def _command(
    key: str, options: Sequence[Option], meant: Callable[[_Given], Command], run: Run
) -> app_commands.Command[Any, ..., None]:
    async def used(interaction: Interaction, **given: object) -> None:
        await run(interaction, meant({name: _text(value) for name, value in given.items() if value is not None}))

    # from which the library reads the options
    own = inspect.Parameter("interaction", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    used.__signature__ = inspect.Signature([own, *map(_parameter, options)])  # type: ignore[attr-defined]
    app_commands.rename(**{option.name: names.option(option.name) for option in options})(used)
    app_commands.describe(**{option.name: names.said("option", option.name) for option in options})(used)
    chosen = {option.name: option for option in options if option.kind is Kind.CHOICE}
    app_commands.choices(
        **{name: [names.choice(option.labels, value) for value in option.choices] for name, option in chosen.items()}
    )(used)
    return app_commands.Command(name=names.name(key), description=names.said("command", key), callback=used)


def _parameter(option: Option) -> inspect.Parameter:
    kind = _TYPES[option.kind]
    if option.needed:
        return inspect.Parameter(option.name, inspect.Parameter.KEYWORD_ONLY, annotation=kind)
    return inspect.Parameter(option.name, inspect.Parameter.KEYWORD_ONLY, annotation=kind | None, default=None)


def _text(value: object) -> str:
    """As the commands read it: people and roles by their numbers, never by their names."""
    return str(getattr(value, "id", value))
