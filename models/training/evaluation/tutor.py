"""The tutor's encoder: does a question find its text among all texts, and is a question without one recognised?"""

from collections.abc import Sequence

import numpy as np

from models.encoder import Encodes
from models.training.evaluation import plots
from models.training.evaluation.metrics import Figures, Sweep, regression, share
from models.training.evaluation.parts import Part, Table
from models.training.tutor_rows import Asked
from models.training.tutor_search import cosines

MATCH = 0.5  # behaviour.md §9, where the encoder brings no threshold of its own


def part_of(
    encoder: Encodes, texts: Sequence[str], rows: Sequence[Asked], known: Sequence[Asked], threshold: float
) -> Part:
    """`texts` has every text of `rows` and of `known`, the questions that texts are found by as well.

    A score below 1 tells how similar a pair is, not which text is right.
    """
    places = {text: place for place, text in enumerate(texts)}
    asked = [row for row in rows if row.score is None or row.score >= 1]
    true = np.array([places[row.text] if row.text else -1 for row in asked], np.int64)
    found = cosines(encoder, [row.question for row in asked], texts, known)
    winners, best, answered = found.argmax(axis=1), found.max(axis=1), true >= 0
    figures: Figures = {
        "tutor_texts": len(texts),
        "tutor_questions": len(asked),
        "tutor_right_first": share(int((winners == true)[answered].sum()), int(answered.sum())),
        "tutor_match_kept": share(int((best[answered] >= threshold).sum()), int(answered.sum())),
        "tutor_no_match_recognised": share(int((best[~answered] < threshold).sum()), int((~answered).sum())),
    }
    scored = [row for row in rows if row.text and row.score is not None]
    if scored:  # the pairs somebody judged, as the original did
        target = np.array([row.score for row in scored], np.float32)
        texts_of = encoder.encode([row.text for row in scored])
        predicted = (encoder.encode([row.question for row in scored]) * texts_of).sum(axis=1)
    else:
        target = (np.arange(len(texts))[None, :] == true[:, None]).astype(np.float32)
        predicted = found
    figures |= {f"tutor_{name}": value for name, value in regression(predicted, target).items()}
    note = (
        f"Every question against all {len(texts)} texts and {len(known)} questions known to belong to one of them. A "
        f"question whose best cosine stays under {threshold:g} has no match. MSE, MAE and correlation are over the "
        "pairs with a score or, where none has one, over all pairs of a question and a text, target 1 or 0."
    )
    groups = {"has a text": best[answered], "has none": best[~answered]}
    pictures = (
        plots.histogram("Best cosine of each question", groups, threshold),
        plots.sweep("Has a text or not, by the best cosine", Sweep.of(best, answered), threshold),
        plots.scatter("Predicted against true similarity", predicted, target),
    )
    closest = [
        (row.question, row.text or "–", texts[winner], round(float(cosine), 3))
        for row, winner, cosine in zip(asked, winners, best, strict=True)
    ]
    table = Table(
        "The text each question finds", ("question", "its text", "closest text", "cosine"), closest, long=True
    )
    return Part("tutor encoder", note, figures, pictures, (table,))
