"""Pictures for a report: SVG, text as outlines, in light and in dark colours.

Labels are English: an outline of a Hangul syllable needs a font that not every machine has. Figures are made without
pyplot, so nothing of matplotlib's global state is touched.
"""

import re
from base64 import b64encode
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.training.evaluation.metrics import Confusion, Sweep
from models.training.evaluation.parts import Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SIZE = (4.8, 3.4)  # inches; at 72 points an inch a phone's width, so that labels are not shrunk there
# colour in light → the same in dark; the two of the data are told apart with any kind of colour vision
_INK, _GRID, _FIRST, _SECOND, _LINE = "#2b2f38", "#dfe3ea", "#1f6fb4", "#c25a00", "#c2123e"
_DARK = {_INK: "#d9dce3", _GRID: "#3a4150", _FIRST: "#6cb4ee", _SECOND: "#ffa657", _LINE: "#ff6b81"}


@dataclass(frozen=True, slots=True)
class Drawn:
    """The same picture as two data URIs."""

    light: str
    dark: str


def drawn(picture: Picture) -> Drawn:
    """The picture in both colours; the same picture gives the same bytes."""
    from cycler import cycler
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    style: Any = {
        "figure.facecolor": "none", "axes.facecolor": "none", "savefig.facecolor": "none",
        "text.color": _INK, "axes.labelcolor": _INK, "xtick.color": _INK, "ytick.color": _INK,
        "axes.edgecolor": _GRID, "grid.color": _GRID, "axes.grid": True, "axes.axisbelow": True,
        "axes.spines.top": False, "axes.spines.right": False, "font.size": 10, "legend.fontsize": 9,
        "legend.frameon": False, "axes.prop_cycle": cycler(color=[_FIRST, _SECOND], linestyle=["-", "--"]),
        "font.family": "DejaVu Sans",  # comes with matplotlib
        "svg.fonttype": "path", "svg.hashsalt": "ohlora",
    }  # fmt: skip
    with rc_context(style):
        figure = Figure(figsize=_SIZE, layout="constrained")
        picture.draw(figure.add_subplot())
        out = StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
    light = out.getvalue()
    dark = re.sub("#[0-9a-f]{6}", lambda colour: _DARK.get(colour[0], colour[0]), light)
    return Drawn(_uri(light), _uri(dark))


def _uri(svg: str) -> str:
    return f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode('ascii')}"


def confusion(caption: str, matrix: Confusion) -> Picture:
    """Rows are what is so, columns what was said; colour is the share of the row."""

    def draw(axes: "Axes") -> None:
        counts = matrix.counts
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        for i, j in np.ndindex(*counts.shape):
            colour = "white" if shares[i, j] > 0.5 else "#1b1f27"
            axes.text(j, i, str(counts[i, j]), ha="center", va="center", color=colour)
        axes.set(xlabel="said", ylabel="is", xticks=range(len(counts)), yticks=range(len(counts)))
        axes.set_xticklabels(matrix.labels)
        axes.set_yticklabels(matrix.labels)
        axes.grid(visible=False)

    worst = matrix.worst
    mistake = f" Most frequent mistake: {worst[0]} taken for {worst[1]}, {worst[2]} times." if worst else ""
    total, right = int(matrix.counts.sum()), int(np.trace(matrix.counts))
    return Picture(
        caption, f"Confusion matrix of {len(matrix.labels)} labels: {right} of {total} right.{mistake}", draw
    )


def histogram(
    caption: str, scores: Mapping[str, NDArray[Any]], threshold: float | None, label: str = "cosine"
) -> Picture:
    """Two groups' scores, each as shares of its own, with the threshold between them drawn in."""

    def draw(axes: "Axes") -> None:
        everything = np.concatenate([np.ravel(group) for group in scores.values()])
        edges = np.linspace(
            min(float(everything.min(initial=0.0)), 0.0), max(float(everything.max(initial=1.0)), 1.0), 41
        )
        for name, group in scores.items():
            weights = np.full(group.size, 100 / max(group.size, 1))
            axes.hist(
                group.ravel(),
                edges.tolist(),
                weights=weights,
                histtype="stepfilled",
                alpha=0.55,
                label=f"{name} ({group.size})",
            )
        _threshold(axes, threshold)
        axes.set(xlabel=label, ylabel="% of the group")
        axes.legend()

    medians = ", ".join(f"{name} {np.median(group):.2f}" for name, group in scores.items() if group.size)
    drawn_in = f"; threshold at {threshold:.3g}" if threshold is not None else ""
    return Picture(caption, f"Histogram of {label}. Medians: {medians}{drawn_in}.", draw)


def scatter(caption: str, predicted: NDArray[Any], target: NDArray[Any]) -> Picture:
    """Predicted against true similarity, with the line on which they are equal."""

    def draw(axes: "Axes") -> None:
        axes.plot([0, 1], [0, 1], color="gray", linestyle=":", label="equal")
        axes.scatter(target.ravel(), predicted.ravel(), s=9, alpha=0.25, linewidths=0, rasterized=True)
        axes.set(xlabel="true similarity", ylabel="predicted similarity", xlim=(-0.03, 1.03))
        axes.legend()

    return Picture(caption, f"Scatter plot of {predicted.size} pairs, predicted against true similarity.", draw)


def sweep(caption: str, curve: Sweep, threshold: float | None) -> Picture:
    """Precision and recall against the threshold."""

    def draw(axes: "Axes") -> None:
        axes.plot(curve.thresholds, curve.precision, label="precision")
        axes.plot(curve.thresholds, curve.recall, label="recall")
        _threshold(axes, threshold)
        axes.set(xlabel="threshold", ylabel="share", ylim=(-0.03, 1.03), xlim=(0, 1))
        axes.legend(loc="center left")

    said = ""
    if threshold is not None:
        place = int(np.abs(curve.thresholds - threshold).argmin())
        said = f" At {threshold:.3g}: precision {curve.precision[place]:.2f}, recall {curve.recall[place]:.2f}."
    return Picture(caption, f"Precision and recall against the threshold.{said}", draw)


def line(caption: str, label: str, points: Sequence[tuple[float, float]]) -> Picture:
    """One value over training steps."""

    def draw(axes: "Axes") -> None:
        axes.plot([step for step, _ in points], [value for _, value in points], marker="." if len(points) < 40 else "")
        axes.set(xlabel="step", ylabel=label)

    alt = f"{label} over {len(points)} logged steps: first {points[0][1]:.3g}, last {points[-1][1]:.3g}."
    return Picture(caption, alt, draw)


def bars(caption: str, xlabel: str, ylabel: str, heights: Mapping[str, int], alt: str) -> Picture:
    """One bar a name, its height written on it."""

    def draw(axes: "Axes") -> None:
        axes.bar_label(axes.bar(list(heights), list(heights.values()), width=0.6))
        axes.set(xlabel=xlabel, ylabel=ylabel, xlim=(-1, max(len(heights), 2)))

    return Picture(caption, alt, draw)


def counts(caption: str, label: str, values: Sequence[int]) -> Picture:
    """How often each number occurs, in at most thirty bins."""
    frequent = Counter(values).most_common(1)
    alt = (
        f"Histogram of {label}: from {min(values)} to {max(values)}, most often {frequent[0][0]}."
        if frequent
        else "Nothing was measured."
    )

    def draw(axes: "Axes") -> None:
        from matplotlib.ticker import MaxNLocator

        lowest, highest = min(values, default=0), max(values, default=0)
        step = -(-(highest - lowest + 1) // 30)  # whole numbers in each bin
        axes.hist(values, bins=[edge - 0.5 for edge in range(lowest, highest + step + 1, step)])
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set(xlabel=label, ylabel="rows")

    return Picture(caption, alt, draw)


def _threshold(axes: "Axes", threshold: float | None) -> None:
    if threshold is not None:
        axes.axvline(threshold, color=_LINE, linestyle="-.", label=f"threshold {threshold:.3g}")
