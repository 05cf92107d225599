"""What a comparison of base models measured, and the tables that show it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Column, Table


@dataclass(frozen=True)
class Options:
    """How much is measured; the defaults are the original's own."""

    ranks: tuple[int, ...] = (16, 32, 64)
    rows: int = 20
    epochs: int = 3
    prompts: int = 25
    seed: int = 11
    unsloth: bool = False


@dataclass(frozen=True)
class Tuning:
    """One fine-tuning."""

    rank: int
    seconds: float
    peak_memory_mb: float


@dataclass(frozen=True)
class Asking:
    """The prompts, one after the other, to the model as it was tuned last. Shares are of all answers.

    `memory_read`: of the answers to prompts with a memory item, those that say a word of it; None without such prompts.
    """

    seconds: float
    peak_memory_mb: float
    empty: float
    repeated: float
    foreign: float
    memory_read: float | None


@dataclass(frozen=True)
class Compared:
    """One row of the table; `missing` says why nothing was measured, or nothing more."""

    name: str
    family: str = ""
    licence: str = ""
    parameters: int | None = None
    tuned: list[Tuning] = field(default_factory=list)
    asked: Asking | None = None
    with_unsloth: list[Tuning] = field(default_factory=list)
    missing: str = ""


def show(results: Sequence[Compared], options: Options, device: str, lacking: str) -> None:
    """Costs and answers in a table each, together they are wider than a terminal; then what did not run, and why.

    `lacking` says why nothing was measured with Unsloth.
    """
    console = Console(soft_wrap=True)
    tuned = [f"rank {rank}: s / MB" for rank in options.ranks]
    asked = ["s / MB", "empty", "repeated", "foreign", "memory read"]
    title = f"{options.rows} rows × {options.epochs} epochs on {device}"
    costs = Table(Column("model", overflow="fold"), "family", "parameters", "licence", *tuned, title=title)
    answers = Table(Column("model", overflow="fold"), *asked, title=f"{options.prompts} prompts")
    for result in results:
        cells = [f"{tuning.seconds} / {tuning.peak_memory_mb}" for tuning in result.tuned]
        cells += ["–"] * (len(tuned) - len(cells))
        costs.add_row(result.name, result.family, _size(result.parameters), result.licence, *cells)
        if (said := result.asked) is not None:
            shares = (said.empty, said.repeated, said.foreign, said.memory_read)
            shown = ("–" if share is None else f"{share:.0%}" for share in shares)
            answers.add_row(result.name, f"{said.seconds} / {said.peak_memory_mb}", *shown)
    console.print(costs, answers)
    for result in results:
        if result.missing:
            console.print(f"not run: {result.name}: {result.missing}", highlight=False, markup=False)
    if lacking:
        console.print(lacking, highlight=False, markup=False)
    elif options.unsloth:
        _show_unsloth(console, results)


def _size(parameters: int | None) -> str:
    if parameters is None:
        return "?"
    return f"{parameters / 1e9:.3g} B" if parameters >= 1e8 else f"{parameters / 1e6:.3g} M"


def _show_unsloth(console: Console, results: Sequence[Compared]) -> None:
    table = Table("model", "rank", "without: s / MB", "with: s / MB", title="Unsloth")
    for result in results:
        after = {tuning.rank: tuning for tuning in result.with_unsloth}
        for plain in result.tuned:
            fast = after.get(plain.rank)
            shown = f"{fast.seconds} / {fast.peak_memory_mb}" if fast else "out of memory"
            table.add_row(result.name, str(plain.rank), f"{plain.seconds} / {plain.peak_memory_mb}", shown)
    console.print(table)
