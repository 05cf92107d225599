"""`ohlora dead …`: messages that were set aside because no worker came to an end with them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bot import config, logs

if TYPE_CHECKING:
    from storage.dead_letters import DeadLetter, DeadLetters

dead = typer.Typer(help="Messages that were given up, and what to do about them.", no_args_is_help=True)
Result = TypeVar("Result")
Numbers = Annotated[list[int], typer.Argument(metavar="N…", help="Their numbers; `ohlora dead list` has them.")]
_SHOWN = 100


@dead.command("list")
def list_letters() -> None:
    """The oldest of them, without what they say."""
    oldest, count = _ask(_oldest)
    table = Table("N", "sent (UTC)", "person", "message", "why")
    for letter in oldest:
        table.add_row(str(letter.number), *map(escape, _cells(letter)))
    console = Console()
    console.print(table)
    console.print(f"{count} in all")


@dead.command("show")
def show_letter(number: Annotated[int, typer.Argument(metavar="N")]) -> None:
    """One of them, with what it says."""
    found = _ask(lambda letters: letters.find(number))
    if found is None:
        raise typer.BadParameter(f"there is no dead letter {number}")
    letter, text = found
    console = Console(soft_wrap=True, markup=False, highlight=False)
    for name, cell in zip(("sent (UTC)", "person", "message", "why"), _cells(letter), strict=True):
        console.print(f"{name}: {cell}")
    console.print(f"\n{text}")


@dead.command("retry")
def retry_letters(numbers: Numbers) -> None:
    """They wait for their turns again: a gateway finds them within half a minute, `ohlora run` when it starts."""
    typer.echo(f"{_ask(lambda letters: letters.revive(numbers))} wait again")


@dead.command("drop")
def drop_letters(numbers: Numbers) -> None:
    """They get no reply any more."""
    typer.echo(f"{_ask(lambda letters: letters.drop(numbers))} are dropped")


async def _oldest(letters: "DeadLetters") -> "tuple[list[DeadLetter], int]":
    return await letters.oldest(_SHOWN), await letters.count()


def _cells(letter: "DeadLetter") -> tuple[str, str, str, str]:
    person, key = letter.person, letter.key
    return (
        f"{letter.sent_at:%Y-%m-%d %H:%M:%S}",
        f"{person.platform}:{person.user_id}",
        f"{key.chat_id}:{key.message_id}",
        letter.reason,
    )


def _ask(question: "Callable[[DeadLetters], Awaitable[Result]]") -> Result:
    from storage.record import Record

    settings = config.load()
    logs.configure(settings)

    async def ask() -> Result:
        async with await Record.open(settings.record) as record:
            return await question(record.dead)

    return asyncio.run(ask())
