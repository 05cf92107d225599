"""Numbers under the definitions that the original used."""

import numpy as np
import pytest

from models.training.evaluation import metrics
from models.training.evaluation.metrics import Confusion, Sweep


def test_regression_gives_mse_mae_and_correlation() -> None:
    predicted, target = np.array([[0.0, 0.5], [1.0, 1.0]]), np.array([[0.0, 1.0], [1.0, 0.0]])
    assert metrics.regression(predicted, target) == {"mse": 0.3125, "mae": 0.375, "correlation": 0.3015}


def test_no_correlation_is_claimed_where_nothing_varies() -> None:
    assert metrics.regression(np.array([0.3, 0.3]), np.array([0.0, 1.0]))["correlation"] is None


def test_a_share_of_nothing_is_not_measured() -> None:
    assert metrics.share(0, 0) is None
    assert metrics.share(1, 3) == 0.3333


def test_confusion_counts_what_is_against_what_was_said() -> None:
    matrix = Confusion.of(["hate", "normal"], true=[0, 0, 0, 1], guessed=[0, 1, 1, 1])
    assert matrix.counts.tolist() == [[1, 2], [0, 1]]
    assert (matrix.accuracy, matrix.precision(0), matrix.recall(0)) == (0.5, 1.0, 0.3333)
    assert (matrix.precision(1), matrix.recall(1)) == (0.3333, 1.0)
    assert matrix.worst == ("hate", "normal", 2)


def test_a_faultless_confusion_has_no_worst_mistake() -> None:
    assert Confusion.of(["a", "b"], [0, 1], [0, 1]).worst is None


def test_a_score_acts_from_its_threshold_upwards() -> None:
    curve = Sweep.of(np.array([0.2, 0.5, 0.5, 0.9]), np.array([False, True, False, True]), steps=11)
    assert curve.precision[[0, 5, 6]].tolist() == pytest.approx([0.5, 2 / 3, 1.0])
    assert curve.recall[[0, 5, 6, 10]].tolist() == pytest.approx([1.0, 1.0, 0.5, 0.0])
    assert curve.precision[10] == 1.0


ITEM, OTHER = ("오늘 일정", "카페"), ("오늘 일정", "영화")


@pytest.mark.parametrize(
    ("expected", "extracted", "f1", "nothing"),
    [
        ([ITEM, None], [ITEM, None], 1.0, 1.0),
        ([ITEM, None], [OTHER, None], 0.0, 1.0),
        ([ITEM, None], [None, None], 0.0, 1.0),
        ([ITEM, None], [ITEM, OTHER], 0.6667, 0.0),
        ([ITEM], [ITEM], 1.0, None),
        ([None], [None], None, 1.0),
    ],
)
def test_an_item_counts_when_key_and_value_are_exact(
    expected: list[object], extracted: list[object], f1: float | None, nothing: float | None
) -> None:
    assert metrics.item_f1(expected, extracted) == f1
    assert metrics.nothing_right(expected, extracted) == nothing


def test_distinct_counts_different_runs_of_words() -> None:
    assert metrics.distinct(["나는 좋아", "나는 좋아 정말"], 1) == 0.6
    assert metrics.distinct(["나는 좋아", "나는 좋아 정말"], 2) == 0.6667
    assert metrics.distinct(["응"], 2) is None


def test_an_answer_given_before_is_repeated_whatever_its_spaces() -> None:
    assert metrics.repeated(["좋아 해", "좋아해", "싫어"]) == 0.3333


@pytest.mark.parametrize(
    ("text", "references", "least", "most"),
    [
        ("나는 떡볶이!", ["싫어", "나는 떡볶이!"], 1.0, 1.0),
        ("나는떡볶이!", ["나는 떡볶이!"], 1.0, 1.0),
        ("나는 김밥!", ["나는 떡볶이!"], 0.1, 0.6),
        ("가나다", ["라마바"], 0.0, 0.0),
        ("", ["라마바"], 0.0, 0.0),
        ("가나다", [], 0.0, 0.0),
    ],
)
def test_overlap_is_with_the_nearest_reference(text: str, references: list[str], least: float, most: float) -> None:
    assert least <= metrics.overlap(text, references) <= most
