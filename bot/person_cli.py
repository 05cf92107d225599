"""`ohlora person …`: everything kept about somebody, for whoever hosts her."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from bot import config, logs, privacy
from bot.observing.metrics import Metrics
from core.messages import PersonKey

person = typer.Typer(help="See or delete everything kept about a person.", no_args_is_help=True)


def _key(written: str) -> PersonKey:
    platform, _, user_id = written.partition(":")
    if not (platform and user_id):
        raise typer.BadParameter("write the platform and the account's number there, like discord:123456789012345678")
    return PersonKey(platform, user_id)


Who = Annotated[PersonKey, typer.Argument(metavar="PLATFORM:USER_ID", parser=_key, show_default=False)]


@person.command("export")
def export_person(
    who: Who,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The file; standard output without it.")] = None,
) -> None:
    """Everything kept about a person, as one JSON file."""
    content = asyncio.run(_export(who, _settings()))
    if output is None:
        typer.echo(content)
        return
    with open(output, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        file.write(content)


@person.command("delete")
def delete_person(
    who: Who, yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether this is meant.")] = False
) -> None:
    """Delete everything kept about a person; of sanctions number, category, times and state stay.

    The service may go on meanwhile. Nothing reaches backups that were made before.
    """
    asyncio.run(_delete(who, _settings(), yes))


async def _export(who: PersonKey, settings: config.Settings) -> bytes:
    from bot.app import SystemClock, opened

    async with opened(settings, Metrics()) as record:
        return privacy.export(await record.people.export(who), SystemClock().now())


async def _delete(who: PersonKey, settings: config.Settings, yes: bool) -> None:
    from bot.app import opened

    async with opened(settings, Metrics()) as record:
        if not yes:
            Console(stderr=True).print(_counted(await record.people.export(who)))
            typer.confirm(f"Delete everything kept about {who.platform}:{who.user_id}?", abort=True, err=True)
        cases = await record.erase(who)
    stays = f"; without their words these cases stay: {', '.join(map(str, cases))}" if cases else ""
    typer.echo(f"Everything kept about {who.platform}:{who.user_id} is deleted{stays}.")


def _counted(kept: Mapping[str, Any]) -> Table:
    table = Table("kept", "how many")
    for name, found in kept.items():
        if isinstance(found, list):
            table.add_row(name.replace("_", " "), str(len(found)))
    return table


def _settings() -> config.Settings:
    settings = config.load()
    logs.configure(settings, "person")
    return settings
