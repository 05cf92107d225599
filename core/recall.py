"""Persona recall: our own persona row closest to a prompt, for a model too small to know them all (behaviour.md §4)."""

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

NO_CONTEXT, TIME, MEMORY, SUMMARY = "plain", "time", "memory", "summary"
_AGE = "{age}"
# one row may be close by chance, several of an intent hardly: so many have a say, the closer the more
_NEIGHBOURS, _SHARPNESS = 8, 12.0


@dataclass(frozen=True)
class PersonaRow:
    """A question as the model saw it in training (with its prefix), her answer, and the kind of its prefix."""

    question: str
    answer: str
    kind: str
    # rows of one intent say the same in other words
    intent: str = ""


@dataclass(frozen=True, eq=False)
class Asked:
    """What recall compares: the prompt's vector, whether a time mark stands before it, and the context in front.

    `kind` is MEMORY or SUMMARY with the vector of the item or summary, else NO_CONTEXT with None.
    """

    prompt: NDArray[np.float32]
    timed: bool
    kind: str = NO_CONTEXT
    context: NDArray[np.float32] | None = None


@dataclass(frozen=True, eq=False)
class PersonaIndex:
    """Rows with their vectors, embedded once when the models were built.

    `prompts`: (rows, width), of the question without its prefix; `contexts`: (rows, width), of the memory item or
    summary in the prefix, zero without one. `threshold` belongs to the encoder.
    """

    rows: tuple[PersonaRow, ...]
    prompts: NDArray[np.float32]
    contexts: NDArray[np.float32]
    threshold: float

    def most_related(self, asked: Asked) -> PersonaRow | None:
        """The closest row of the intent that the closest rows speak for; None when it stays below the threshold.

        A row with a time mark competes only under a time mark; one with a memory or summary only where the turn has
        one too, and then prompt and context count equally.
        """
        scores = self.prompts @ asked.prompt
        competing = self._of_kind[NO_CONTEXT] | (self._of_kind[TIME] & asked.timed)
        if asked.context is not None:
            same = self._of_kind[asked.kind]
            scores = np.where(same, (scores + self.contexts @ asked.context) / 2, scores)
            competing = competing | same
        scores = np.where(competing, scores, -1.0)
        nearest = np.argsort(-scores)[:_NEIGHBOURS].tolist()
        votes: dict[object, float] = defaultdict(float)
        for place in nearest:
            votes[self._intent(place)] += float(np.exp(_SHARPNESS * scores[place]))
        intent = max(votes, key=votes.__getitem__)
        winner = next(place for place in nearest if self._intent(place) == intent)
        return self.rows[winner] if scores[winner] >= self.threshold else None

    def _intent(self, place: int) -> object:
        return self.rows[place].intent or place

    @cached_property
    def _of_kind(self) -> dict[str, NDArray[np.bool_]]:
        kinds = np.array([row.kind for row in self.rows])
        return {kind: kinds == kind for kind in (NO_CONTEXT, TIME, MEMORY, SUMMARY)}


def aged_answer(answer: str, age: int) -> str:
    """Her answer with her age today in it."""
    return answer.replace(_AGE, str(age))
