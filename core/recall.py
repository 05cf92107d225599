"""Persona recall: the most related of our own persona rows, for a model too small to know them all (behaviour.md §4)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NO_CONTEXT, TIME, MEMORY, SUMMARY = "plain", "time", "memory", "summary"
_AGE = "{age}"


@dataclass(frozen=True)
class PersonaRow:
    """A question as the model saw it in training (with its prefix), her answer, and the kind of its prefix."""

    question: str
    answer: str
    kind: str


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

    def most_related(
        self, prompt: NDArray[np.float32], kind: str, context: NDArray[np.float32] | None
    ) -> PersonaRow | None:
        """The row closest to a prompt and its context; None when nothing reaches the threshold.

        A row with a context competes only where the turn has one of the same kind, and then both count equally.
        """
        scores = self.prompts @ prompt
        kinds = np.array([row.kind for row in self.rows])
        plain = kinds == NO_CONTEXT
        if context is None:
            scores = np.where(plain | (kinds == kind), scores, -1.0)
        else:
            both = (scores + self.contexts @ context) / 2
            scores = np.where(plain, scores, np.where(kinds == kind, both, -1.0))
        winner = int(np.argmax(scores))
        return self.rows[winner] if scores[winner] >= self.threshold else None


def aged_answer(answer: str, age: int) -> str:
    """Her answer with her age today in it."""
    return answer.replace(_AGE, str(age))
