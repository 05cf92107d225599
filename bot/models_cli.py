"""`ohlora models …`: parses and delegates."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bot import config
from bot.training_cli import BASE_HELP
from core.errors import ConfigurationError

models = typer.Typer(help="Base models and adapters.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="As `ohlora models list` names it, owner/model[@revision], or a folder.")]
Base = Annotated[str | None, typer.Option(help="The base an adapter belongs to, where that cannot be told.")]


@models.command("list")
def list_models() -> None:
    """What is known, and what of it is on this machine."""
    from models.catalogue import ADAPTERS, BASES
    from models.registry import BUNDLED

    bases = Table("base model", "family", "size", "licence", "here", box=None)
    for base in BASES.values():
        bases.add_row(base.name, base.family.name, f"{base.parameters / 1e9:.2f} B", base.licence, _here(base.name))
    adapters = Table("adapter", "rank", "base model", "here", box=None)
    for adapter in ADAPTERS.values():
        adapters.add_row(adapter.name, str(adapter.rank), adapter.base, _here(adapter.name))
    console = Console(highlight=False, soft_wrap=True)
    console.print(bases, "", adapters, "")
    for base in BASES.values():
        modules = base.family.modules if isinstance(base.family.modules, str) else " ".join(base.family.modules)
        console.print(f"[bold]{base.name}[/]: {base.repository}@{base.revision}, {base.context} tokens, {base.dtype}")
        console.print(f"    LoRA on {modules}")
    console.print(f"[bold]bundled[/]: {BUNDLED}")


@models.command("pull")
def pull(
    name: Name,
    source: Annotated[
        str | None, typer.Option("--from", help="For an adapter: owner/model[/folder][@revision] that has it.")
    ] = None,
    base: Base = None,
    accept_license: Annotated[
        str | None, typer.Option(help="Accept the terms of a licence that is not free, for example gemma.")
    ] = None,
) -> None:
    """Download what is missing; once pulled, a model stays at its commit. Prints the folder."""
    from models import adapters, downloads
    from models.catalogue import ADAPTERS, BUNDLED, TERMS
    from models.licences import ensure_accepted

    settings = config.load()

    def agree(licence: str) -> None:
        if licence in TERMS and accept_license:
            Console(stderr=True, soft_wrap=True).print(f"Terms of the licence {licence}: {TERMS[licence]}")
        ensure_accepted(licence, accept_license, settings.data_dir / "licences.json")

    if name in ADAPTERS:
        if source is None:
            raise ConfigurationError(f"where {name} is published is not on record; say it: --from owner/model[/folder]")
        belongs = base or ADAPTERS[name].base
        folder = adapters.place(ADAPTERS[name].task, belongs, settings.models_dir)
        adapters.install(downloads.Source.of(source), belongs, folder, agree)
    elif source or base:
        raise ConfigurationError(f"--from and --base are for adapters: {', '.join(ADAPTERS)}")
    else:
        folder = downloads.located(name) if name == BUNDLED else downloads.pull(downloads.Source.of(name), agree)
    print(folder)


@models.command("verify")
def verify(
    name: Annotated[str | None, typer.Argument(help="As in `path`; the profile of the settings by default.")] = None,
    base: Base = None,
) -> None:
    """Check every file: sizes, SHA-256 as locked, weights that can be read, adapters that fit their base."""
    from models import inventory

    settings = config.load()
    checked = inventory.verify(name or str(settings.models.profile), base, settings.models_dir)
    held = f"as pulled, commit {checked.lock.commit}" if checked.lock else "readable; no lock to hold them to"
    print(f"{checked.folder}: {checked.files} files, {held}")


@models.command("path")
def path(name: Name) -> None:
    """Print the folder a model lies in."""
    from models import inventory

    print(inventory.folder_of(name, config.load().models_dir))


@models.command("compare")
def compare_models(
    names: Annotated[list[str], typer.Argument(metavar="MODEL…", help=f"Two or more of: {BASE_HELP}")],
    ranks: Annotated[str, typer.Option(help="LoRA ranks: --ranks 16 32 64, or --ranks 16,32,64.")] = "16,32,64",
    rows: Annotated[int, typer.Option(min=1, help="Rows to tune on.")] = 20,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over them.")] = 3,
    prompts: Annotated[int, typer.Option(min=1, help="Prompts to answer.")] = 25,
    seed: Annotated[int, typer.Option(help="For everything drawn.")] = 11,
    unsloth: Annotated[bool, typer.Option("--unsloth", help="Measure with and without Unsloth.")] = False,
) -> None:
    """Cost and answers of base models side by side, after the same small fine-tuning; last one line of JSON."""
    from models.training.compare import compare
    from models.training.compare_tables import Options

    # an option takes one value; the other ranks arrive among the names, and no model is called by a number
    chosen = [*ranks.replace(",", " ").split(), *(name for name in names if name.isdecimal())]
    if not all(rank.isdecimal() and int(rank) for rank in chosen):
        raise ConfigurationError(f"--ranks are whole numbers from 1, not {' '.join(chosen)}")
    bases = [name for name in names if not name.isdecimal()]
    compare(bases, Options(tuple(map(int, chosen)), rows, epochs, prompts, seed, unsloth))


def _here(name: str) -> str:
    from models import inventory

    try:
        folder = inventory.folder_of(name, config.load().models_dir)
    except ConfigurationError:
        return "–"
    lock = inventory.lock_of(name, folder)
    return f"{lock.size / 2**30:.2f} GB at {lock.commit[:8]}" if lock else "yes, not pulled"
