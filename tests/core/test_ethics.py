"""Scores and answers → the categories that act."""

import pytest

from core.ethics import CATEGORIES, Thresholds, acting

QUIET = dict.fromkeys(CATEGORIES, 0.0)
DECLINES, AGREES = "미안, 그건 안 돼", "좋아!"


@pytest.mark.parametrize(
    ("scores", "answer", "acted"),
    [
        ({}, DECLINES, ()),
        ({"love": 0.98}, "미안해", ("love",)),
        ({"love": 0.98}, "부담스러워", ("love",)),
        ({"love": 0.98}, AGREES, ()),
        ({"love": 0.9799}, DECLINES, ()),
        ({"politics": 0.95}, "그건 좀 부담돼", ("politics",)),
        ({"politics": 0.95}, AGREES, ()),
        ({"politics": 0.9499}, DECLINES, ()),
        ({"insult": 0.90}, AGREES, ("insult",)),
        ({"insult": 0.8999}, DECLINES, ()),
        ({"hate": 0.90}, AGREES, ("hate",)),
        ({"hate": 0.8999}, DECLINES, ()),
        ({"love": 1.0, "politics": 1.0, "insult": 1.0, "hate": 1.0}, DECLINES, ("love", "politics", "insult", "hate")),
        ({"love": 1.0, "politics": 1.0, "insult": 1.0, "hate": 1.0}, AGREES, ("insult", "hate")),
        ({"insult": 1.0, "normal": 0.4999}, AGREES, ("insult",)),
        ({"insult": 1.0, "love": 1.0, "hate": 1.0, "normal": 0.50}, DECLINES, ()),
        ({"normal": 1.0}, AGREES, ()),
    ],
)
def test_a_category_acts_only_when_certain(scores: dict[str, float], answer: str, acted: tuple[str, ...]) -> None:
    assert acting({**QUIET, **scores}, answer, Thresholds()) == acted


def test_another_encoder_brings_its_own_thresholds() -> None:
    thresholds = Thresholds({"hate": 0.4}, veto=0.2)
    assert acting({**QUIET, "hate": 0.4, "insult": 1.0}, AGREES, thresholds) == ("hate",)
    assert acting({**QUIET, "hate": 0.4, "normal": 0.2}, AGREES, thresholds) == ()
