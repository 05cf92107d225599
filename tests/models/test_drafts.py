"""Guesses from what is written already."""

import pytest

from models.drafts import Draft


@pytest.mark.parametrize(
    ("tokens", "longest", "guess"),
    [
        ([1, 2, 3, 4, 9, 1, 2], 5, [3, 4, 9, 1, 2]),
        ([1, 2, 3, 4, 9, 1, 2], 2, [3, 4]),
        ([1, 2, 3, 4, 9, 1, 2], 0, []),
        ([1, 2, 3, 4, 9, 1, 2], -1, []),
        ([1, 2, 7, 1, 2, 8, 1, 2], 1, [8]),  # the latest place counts
        ([5, 1, 2, 7, 6, 1, 2, 8, 5, 1, 2], 1, [7]),  # unless more stands together elsewhere
        ([1, 2, 3, 4, 5, 6], 3, []),
        ([7, 7, 7], 3, [7]),
        ([4], 3, []),
        ([], 3, []),
    ],
)
def test_what_followed_before_is_the_guess(tokens: list[int], longest: int, guess: list[int]) -> None:
    assert Draft(tokens).guess(longest) == guess


def test_what_is_written_counts_like_what_was_given() -> None:
    draft = Draft([1, 2, 3])
    for token in (8, 1, 2):
        draft.append(token)
    assert draft.guess(3) == [3, 8, 1]
