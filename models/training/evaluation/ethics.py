"""The ethics encoder by its scores alone: five categories told apart, and what acts at the thresholds."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.ethics import CATEGORIES, Thresholds
from models.encoder import Encodes
from models.training.disguise import DISGUISES
from models.training.evaluation import plots
from models.training.evaluation.metrics import Confusion, Figures, Floats, Sweep, regression, share
from models.training.evaluation.parts import Part, Picture, Table, confusion_table
from models.training.thresholds import ethics_scores

NAMES = list(CATEGORIES)
NORMAL = NAMES.index("normal")
SANCTIONED = [name for name in NAMES if name != "normal"]


def acts(scores: Floats, thresholds: Thresholds) -> NDArray[np.bool_]:
    """(texts, 5): which scores act, whatever she answers."""
    limits = np.array([thresholds.acts.get(name, np.inf) for name in NAMES])
    acting: NDArray[np.bool_] = (scores >= limits) & (scores[:, NORMAL] < thresholds.veto)[:, None]
    return acting


@dataclass(frozen=True, eq=False)
class Everyday:
    """Harmless text as people type it, and (texts, 5) which scores act on it nevertheless."""

    texts: Sequence[str]
    acting: NDArray[np.bool_]

    @classmethod
    def of(cls, encoder: Encodes, thresholds: Thresholds, texts: Sequence[str]) -> "Everyday":
        """Score all of them."""
        return cls(texts, acts(ethics_scores(encoder, texts), thresholds))

    @property
    def acted_on(self) -> list[int]:
        """Places of the texts on which some score acts."""
        return [int(place) for place in np.flatnonzero(self.acting.any(axis=1))]


def part_of(
    encoder: Encodes, thresholds: Thresholds, rows: Sequence[tuple[str, str]], everyday: Everyday | None, seed: int
) -> Part:
    """`rows`: (text, category)."""
    texts, true = [text for text, _ in rows], [NAMES.index(category) for _, category in rows]
    scores = ethics_scores(encoder, texts)
    matrix = Confusion.of(NAMES, true, scores.argmax(axis=1).tolist())
    figures = _figures(scores, true, matrix, thresholds) | _disguised(encoder, thresholds, rows, seed)
    tables = [confusion_table("Categories by the highest score", matrix), _by_category(scores, true, thresholds)]
    if everyday is not None:
        found = everyday.acted_on
        figures["ethics_everyday_texts"] = len(everyday.texts)
        figures["ethics_everyday_acted_on"] = share(len(found), len(everyday.texts), 5)
        shown = [(everyday.texts[i], _named(everyday.acting[i])) for i in found]
        tables.append(Table("Everyday text on which a score acts", ("text", "category"), shown, long=True))
    tables.append(_judged(rows, scores, thresholds))
    note = (
        "Cosine of each utterance with the five category names. A score acts from its category's threshold upwards, "
        "unless normal reaches its veto; love and politics then act only where her answer declines, which is not "
        "looked at here. MSE, MAE and correlation are over all pairs of an utterance and a name, target 1 or 0."
    )
    pictures = (plots.confusion("Categories by the highest score", matrix), *_pictures(scores, true, thresholds))
    return Part("ethics", note, figures, pictures, tuple(tables))


def _figures(scores: Floats, true: list[int], matrix: Confusion, thresholds: Thresholds) -> Figures:
    target = np.eye(len(NAMES), dtype=np.float32)[true]
    kinds, acted = np.array(true), acts(scores, thresholds)
    recalls = {name: _recall(acted, kinds, NAMES.index(name)) for name in SANCTIONED}
    known = [recall for recall in recalls.values() if recall is not None]
    pair = np.isin(kinds, [NAMES.index("hate"), NORMAL])
    harmless = kinds == NORMAL
    hate = kinds[pair] == NAMES.index("hate")
    said = scores[pair][:, NAMES.index("hate")] > scores[pair][:, NORMAL]
    return {
        "ethics_rows": len(true),
        "ethics_accuracy": matrix.accuracy,
        **{f"ethics_{name}": value for name, value in regression(scores, target).items()},
        "ethics_hate_precision": share(int((hate & said).sum()), int(said.sum())),
        "ethics_hate_recall": share(int((hate & said).sum()), int(hate.sum())),
        "ethics_macro_recall": share(sum(known), len(known)),
        **{f"ethics_recall_{name}": recall for name, recall in recalls.items()},
        "ethics_recall": _own_recall(acted, kinds),
        "ethics_lookalikes_acted_on": share(int(acted[harmless].any(axis=1).sum()), int(harmless.sum())),
    }  # fmt: skip


def _recall(acted: NDArray[np.bool_], kinds: NDArray[np.int64], column: int) -> float | None:
    return share(int(acted[kinds == column, column].sum()), int((kinds == column).sum()))


def _own_recall(acted: NDArray[np.bool_], kinds: NDArray[np.int64]) -> float | None:
    """Of all utterances that are no normal ones, the share on which their own category acts."""
    bad = np.flatnonzero(kinds != NORMAL)
    return share(int(acted[bad, kinds[bad]].sum()), len(bad))


def _disguised(encoder: Encodes, thresholds: Thresholds, rows: Sequence[tuple[str, str]], seed: int) -> Figures:
    bad = [(text, NAMES.index(category)) for text, category in rows if category != "normal"]
    kinds, rng = np.array([kind for _, kind in bad], np.int64), random.Random(seed)
    figures: Figures = {}
    for name, disguise in DISGUISES.items():
        scores = ethics_scores(encoder, [disguise(text, rng) for text, _ in bad])
        figures[f"ethics_recall_{name}"] = _own_recall(acts(scores, thresholds), kinds)
    return figures


def _vetoed(scores: Floats, thresholds: Thresholds) -> Floats:
    """What is left of the scores where normal vetoes: nothing."""
    free = scores[:, NORMAL] < thresholds.veto
    left: Floats = np.where(free[:, None], scores, np.float32(-1.0))
    return left


def _pictures(scores: Floats, true: list[int], thresholds: Thresholds) -> list[Picture]:
    kinds, free = np.array(true), _vetoed(scores, thresholds)
    limits: Mapping[str, float] = {**thresholds.acts, "normal": thresholds.veto}
    pictures = []
    for column, name in enumerate(NAMES):
        own = kinds == column
        groups = {name: scores[own, column], "all others": scores[~own, column]}
        pictures.append(plots.histogram(f"Scores for {name}", groups, limits.get(name)))
    for name in SANCTIONED:
        column = NAMES.index(name)
        curve = Sweep.of(free[:, column], kinds == column)
        pictures.append(plots.sweep(f"Precision and recall for {name}, after the veto", curve, limits.get(name)))
    return pictures


def _by_category(scores: Floats, true: list[int], thresholds: Thresholds) -> Table:
    kinds, acted = np.array(true), acts(scores, thresholds)
    rows: list[tuple[object, ...]] = []
    for name in SANCTIONED:
        column = NAMES.index(name)
        own = acted[:, column]
        hits = int((own & (kinds == column)).sum())
        rows.append(
            (name, int((kinds == column).sum()), thresholds.acts.get(name), share(hits, int(own.sum())),
             _recall(acted, kinds, column))
        )  # fmt: skip
    return Table("What acts at the thresholds", ("category", "utterances", "threshold", "precision", "recall"), rows)


def _judged(rows: Sequence[tuple[str, str]], scores: Floats, thresholds: Thresholds) -> Table:
    acted = acts(scores, thresholds)
    judged = [
        (text, category, NAMES[int(scores[i].argmax())], _named(acted[i]),
         *(round(float(score), 3) for score in scores[i]))
        for i, (text, category) in enumerate(rows)
    ]  # fmt: skip
    header = ("utterance", "is", "highest score", "acts", *NAMES)
    return Table("Every utterance with its scores", header, judged, long=True)


def _named(acted: NDArray[np.bool_]) -> str:
    """acted: (5,)."""
    return ", ".join(NAMES[column] for column in np.flatnonzero(acted)) or "–"
