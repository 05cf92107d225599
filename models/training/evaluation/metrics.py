"""Numbers from predictions. Pure; the original's metrics under the original's definitions."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Figures = dict[str, Any]
Floats = NDArray[np.float32]
Counts = NDArray[np.int64]


def share(part: float, whole: int, digits: int = 4) -> float | None:
    """part / whole; None of nothing, for that is neither good nor bad."""
    return round(float(part) / whole, digits) if whole else None


def mean(values: Sequence[float], digits: int = 4) -> float | None:
    """None of nothing."""
    return share(sum(values), len(values), digits)


def regression(predicted: NDArray[Any], target: NDArray[Any]) -> Figures:
    """MSE, MAE and correlation of two arrays of one shape; no correlation where one of them never changes."""
    guessed, wanted = predicted.ravel().astype(np.float64), target.ravel().astype(np.float64)
    varied = len(guessed) > 1 and guessed.std() > 0 and wanted.std() > 0
    return {
        "mse": round(float(((guessed - wanted) ** 2).mean()), 4),
        "mae": round(float(np.abs(guessed - wanted).mean()), 4),
        "correlation": round(float(np.corrcoef(guessed, wanted)[0, 1]), 4) if varied else None,
    }


@dataclass(frozen=True, eq=False)
class Confusion:
    """`counts`: (labels, labels), what is so by what was said."""

    labels: tuple[str, ...]
    counts: Counts

    @classmethod
    def of(cls, labels: Sequence[str], true: Sequence[int], guessed: Sequence[int]) -> "Confusion":
        """`true` and `guessed` are places in `labels`."""
        counts = np.zeros((len(labels), len(labels)), np.int64)
        np.add.at(counts, (list(true), list(guessed)), 1)
        return cls(tuple(labels), counts)

    @property
    def accuracy(self) -> float | None:
        """The share on the diagonal."""
        return share(float(np.trace(self.counts)), int(self.counts.sum()))

    def precision(self, label: int) -> float | None:
        """Of what was said to be so, what is."""
        return share(float(self.counts[label, label]), int(self.counts[:, label].sum()))

    def recall(self, label: int) -> float | None:
        """Of what is so, what was said to be."""
        return share(float(self.counts[label, label]), int(self.counts[label].sum()))

    @property
    def worst(self) -> tuple[str, str, int] | None:
        """(what it is, what it was said to be, how often) of the most frequent mistake, None where there is none."""
        mistakes = self.counts - np.diag(np.diag(self.counts))
        so, said = np.unravel_index(int(mistakes.argmax()), mistakes.shape)
        often = int(mistakes[so, said])
        return (self.labels[int(so)], self.labels[int(said)], often) if often else None


@dataclass(frozen=True, eq=False)
class Sweep:
    """Precision and recall at each of `thresholds`; all three (steps,). Precision is 1 where nothing is found."""

    thresholds: Floats
    precision: Floats
    recall: Floats

    @classmethod
    def of(cls, scores: NDArray[Any], wanted: NDArray[np.bool_], steps: int = 101) -> "Sweep":
        """From 0 to 1; `scores` and `wanted` have one shape, a score acts from the threshold upwards."""
        thresholds = np.linspace(0.0, 1.0, steps, dtype=np.float32)
        flat, right = scores.ravel(), wanted.ravel()
        found = len(flat) - np.searchsorted(np.sort(flat), thresholds, side="left")
        hits = right.sum() - np.searchsorted(np.sort(flat[right]), thresholds, side="left")
        precision = np.where(found > 0, hits / np.maximum(found, 1), 1.0)
        return cls(thresholds, precision.astype(np.float32), (hits / max(int(right.sum()), 1)).astype(np.float32))


def item_f1(expected: Sequence[object | None], extracted: Sequence[object | None]) -> float | None:
    """Micro F1 of at most one item a row: a wrong item is both one too many and one missed."""
    hits = sum(e is not None and e == x for e, x in zip(expected, extracted, strict=True))
    items = sum(item is not None for item in [*expected, *extracted])
    return share(2 * hits, items)


def nothing_right(expected: Sequence[object | None], extracted: Sequence[object | None]) -> float | None:
    """Of the rows in which nothing is to be found, the share in which nothing was."""
    silent = [x for e, x in zip(expected, extracted, strict=True) if e is None]
    return share(sum(x is None for x in silent), len(silent))


def distinct(texts: Sequence[str], n: int) -> float | None:
    """Different runs of `n` words over all runs of `n` words, of all texts together."""
    words = [text.split() for text in texts]
    runs = [tuple(line[i : i + n]) for line in words for i in range(len(line) - n + 1)]
    return share(len(set(runs)), len(runs))


def repeated(texts: Sequence[str]) -> float | None:
    """The share of texts that say, spaces aside, what an earlier one said."""
    said = {"".join(text.split()) for text in texts}
    return share(len(texts) - len(said), len(texts))


def overlap(text: str, references: Sequence[str]) -> float:
    """F1 of neighbouring characters with the nearest reference; 1 for the same text, 0 for no pair in common."""
    return max((_pair_f1(text, reference) for reference in references), default=0.0)


def _pair_f1(first: str, second: str) -> float:
    a, b = (Counter(pairwise("".join(text.split()))) for text in (first, second))
    total = a.total() + b.total()
    return 2 * (a & b).total() / total if total else float(first == second)
