"""What an evaluation hands to whoever shows it: figures, pictures not yet drawn, tables."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from models.training.evaluation.metrics import Confusion, Figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Picture:
    """A plot: `alt` says in words what it shows; `draw` puts it on axes in whatever colours are set."""

    caption: str
    alt: str
    draw: "Callable[[Axes], None]"


@dataclass(frozen=True)
class Table:
    """Cells are shown as they are, as text. `long` tables are folded until somebody wants to read them."""

    caption: str
    header: tuple[str, ...]
    rows: Sequence[tuple[object, ...]]
    long: bool = False


@dataclass(frozen=True)
class Part:
    """One section of a report. `note` says in a sentence or two what was done."""

    title: str
    note: str
    figures: Figures
    pictures: tuple[Picture, ...] = ()
    tables: tuple[Table, ...] = field(default=())


def not_measured(title: str, why: str, *names: str) -> Part:
    """A section that only says why there is nothing in it."""
    return Part(title, f"Nothing was measured: {why}.", dict.fromkeys(names))


def confusion_table(caption: str, confusion: Confusion) -> Table:
    """The matrix in words and numbers, with precision and recall of each label."""
    rows = [
        (label, *confusion.counts[i].tolist(), confusion.precision(i), confusion.recall(i))
        for i, label in enumerate(confusion.labels)
    ]
    return Table(caption, ("is ↓ / said →", *confusion.labels, "precision", "recall"), rows)
