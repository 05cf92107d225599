"""Scores of a prompt against the category names → which categories act (behaviour.md §7). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

# category → the name the encoder compares a prompt with
CATEGORIES: Mapping[str, str] = {
    "love": "사랑 고백/만남",
    "politics": "정치",
    "insult": "패드립",
    "hate": "혐오/기타",
    "normal": "일반",
}
# These act only when her answer declines.
DECLINED_BY_ANSWER = frozenset({"love", "politics"})
_DECLINING = ("미안", "부담")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Cosine from which a category acts; `normal` at or above `veto` stops all of them.

    The defaults belong to the original klue/roberta-base encoder; another encoder brings its own.
    """

    acts: Mapping[str, float] = field(
        default_factory=lambda: {"love": 0.98, "politics": 0.95, "insult": 0.90, "hate": 0.90}
    )
    veto: float = 0.50


def acting(scores: Mapping[str, float], answer: str, thresholds: Thresholds) -> tuple[str, ...]:
    """The categories a prompt is sanctioned for, given its scores and her answer to it."""
    if scores["normal"] >= thresholds.veto:
        return ()
    declined = any(word in answer for word in _DECLINING)
    return tuple(
        category
        for category, threshold in thresholds.acts.items()
        if scores[category] >= threshold and (declined or category not in DECLINED_BY_ANSWER)
    )
