"""Which persona row is recalled."""

from dataclasses import replace

import numpy as np
import pytest

from core.recall import MEMORY, NO_CONTEXT, SUMMARY, TIME, Asked, PersonaIndex, PersonaRow, aged_answer

EAST, NORTH = np.array([1, 0], np.float32), np.array([0, 1], np.float32)
BETWEEN = np.array([0.6, 0.8], np.float32)
NOWHERE = np.zeros(2, np.float32)


def index(*rows: tuple[str, np.ndarray, np.ndarray], threshold: float = 0.5) -> PersonaIndex:
    """Rows of (kind, prompt, context), answered by their number."""
    persona = tuple(PersonaRow("?", str(number), kind) for number, (kind, _, _) in enumerate(rows))
    return PersonaIndex(persona, np.stack([row[1] for row in rows]), np.stack([row[2] for row in rows]), threshold)


@pytest.mark.parametrize(
    ("rows", "asked", "recalled"),
    [
        ([(NO_CONTEXT, EAST, NOWHERE), (NO_CONTEXT, NORTH, NOWHERE)], Asked(NORTH, False), "1"),
        ([(NO_CONTEXT, EAST, NOWHERE)], Asked(NORTH, False), None),
        ([(NO_CONTEXT, EAST, NOWHERE)], Asked(BETWEEN, False), "0"),
        # a row with a time mark needs a time mark
        ([(TIME, EAST, NOWHERE)], Asked(EAST, False), None),
        ([(TIME, EAST, NOWHERE)], Asked(EAST, True), "0"),
        ([(NO_CONTEXT, EAST, NOWHERE)], Asked(EAST, True), "0"),
        # a row with a context needs one of the same kind
        ([(MEMORY, EAST, EAST)], Asked(EAST, False), None),
        ([(MEMORY, EAST, EAST)], Asked(EAST, False, SUMMARY, EAST), None),
        ([(MEMORY, EAST, EAST)], Asked(EAST, False, MEMORY, EAST), "0"),
        ([(SUMMARY, EAST, EAST)], Asked(EAST, False, SUMMARY, EAST), "0"),
        ([(TIME, EAST, NOWHERE)], Asked(EAST, True, MEMORY, EAST), "0"),
        # prompt and context count equally
        ([(MEMORY, EAST, NORTH), (MEMORY, EAST, EAST)], Asked(EAST, False, MEMORY, EAST), "1"),
        ([(NO_CONTEXT, BETWEEN, NOWHERE), (MEMORY, EAST, NORTH)], Asked(EAST, False, MEMORY, EAST), "0"),
        ([(NO_CONTEXT, BETWEEN, NOWHERE), (MEMORY, EAST, EAST)], Asked(EAST, False, MEMORY, EAST), "1"),
    ],
)
def test_the_closest_row_that_fits_the_context_is_recalled(rows, asked: Asked, recalled: str | None) -> None:
    row = index(*rows).most_related(asked)
    assert (row and row.answer) == recalled


@pytest.mark.parametrize(("threshold", "found"), [(0.6, True), (0.61, False)])
def test_nothing_is_recalled_below_the_threshold(threshold: float, found: bool) -> None:
    row = index((NO_CONTEXT, EAST, NOWHERE), threshold=threshold).most_related(Asked(BETWEEN, False))
    assert (row is not None) == found


def test_her_age_is_todays() -> None:
    assert aged_answer("나는 {age}살이야", 22) == "나는 22살이야"
    assert aged_answer("비밀!", 22) == "비밀!"


def test_several_close_rows_of_one_intent_win_against_a_closer_one_of_another() -> None:
    prompts = np.array([[0.80, 0.60], [0.78, 0.63], [0.77, 0.64]], np.float32)
    rows = tuple(PersonaRow("?", answer, NO_CONTEXT, intent) for answer, intent in (("a", "x"), ("b", "y"), ("c", "y")))
    asked = Asked(np.array([1.0, 0.0], np.float32), False)
    found = PersonaIndex(rows, prompts, np.zeros_like(prompts), 0.5).most_related(asked)
    assert found is not None
    assert found.answer == "b"
    alone = tuple(replace(row, intent="") for row in rows)
    found = PersonaIndex(alone, prompts, np.zeros_like(prompts), 0.5).most_related(asked)
    assert found is not None
    assert found.answer == "a"
