"""How the tutor finds a text (behaviour.md §9): by its own vector, or by that of a question it is known to answer."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from models.encoder import Encodes
from models.training.tutor_rows import Asked

Floats = NDArray[np.float32]


def cosines(encoder: Encodes, questions: Sequence[str], texts: Sequence[str], known: Iterable[Asked]) -> Floats:
    """(questions, texts): the highest of a question's cosines with what stands for a text.

    `texts` has every text of `known`.
    """
    asked = encoder.encode(questions)
    found: Floats = asked @ encoder.encode(texts).T
    places = {text: place for place, text in enumerate(texts)}
    answered = [one for one in known if one.text and (one.score is None or one.score >= 1)]
    if answered:
        near = asked @ encoder.encode([one.question for one in answered]).T
        for one, column in zip(answered, near.T, strict=True):
            place = places[one.text]
            found[:, place] = np.maximum(found[:, place], column)
    return found
