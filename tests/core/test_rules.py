"""What a place may set, and what holds there."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from core.ethics import Thresholds
from core.people import PlaceSettings
from core.rules import Bounds, Rules, rules_of
from core.sanctions import LADDERS, LONGEST, WARNING, Mode
from tests.core.casework import DAY, HOUR

OWN = Thresholds({"love": 0.8, "politics": 0.7, "insult": 0.7, "hate": 0.9}, veto=0.5)


def rules(bounds: Bounds | None = None, **chosen: Mapping[str, object]) -> Rules:
    return rules_of(PlaceSettings(**chosen), LADDERS, OWN, bounds or Bounds())  # type: ignore[arg-type]


def test_where_nobody_chose_anything_the_operators_rules_hold() -> None:
    assert rules() == Rules(dict.fromkeys(LADDERS, Mode.ENFORCE), OWN, LADDERS)


def test_a_category_that_is_off_never_acts() -> None:
    chosen = rules(modes={"love": Mode.OFF, "hate": Mode.SHADOW})
    assert chosen.modes == {**dict.fromkeys(LADDERS, Mode.ENFORCE), "love": Mode.OFF, "hate": Mode.SHADOW}
    assert set(chosen.thresholds.acts) == {"politics", "insult", "hate"}


def test_the_operator_may_forbid_modes() -> None:
    only = Bounds(modes=frozenset({Mode.ENFORCE, Mode.SHADOW}))
    chosen = rules(only, modes={"love": Mode.OFF, "hate": Mode.SHADOW})
    assert (chosen.modes["love"], chosen.modes["hate"]) == (Mode.ENFORCE, Mode.SHADOW)


@pytest.mark.parametrize(
    ("looser", "wish", "holds"),
    [
        (0.0, 0.95, 0.95), (0.0, 0.8, 0.8), (0.0, 0.79, 0.8), (0.0, 0.0, 0.8), (0.0, 1.0, 1.0), (0.0, 2.0, 1.0),
        (0.25, 0.7, 0.7), (0.25, 0.5, 0.55),
    ],
)  # fmt: skip
def test_a_threshold_stays_within_bounds(looser: float, wish: float, holds: float) -> None:
    chosen = rules(Bounds(looser=looser), thresholds={"love": wish, "normal": 0.1})
    assert chosen.thresholds.acts == {**OWN.acts, "love": pytest.approx(holds)}
    assert chosen.thresholds.veto == OWN.veto


@pytest.mark.parametrize(
    ("bounds", "wish", "holds"),
    [
        # love: warning, 1 hour, 24 hours, 14 days, 1461 days
        (Bounds(), (WARNING, WARNING, HOUR), (WARNING, WARNING, HOUR)),
        (Bounds(), (LONGEST, LONGEST, LONGEST), (WARNING, HOUR, DAY)),
        (Bounds(), (-HOUR, -HOUR), (WARNING, WARNING)),
        (Bounds(), (), LADDERS["love"]),
        (Bounds(), (LONGEST,) * 7, (*LADDERS["love"], LONGEST, LONGEST)),
        (Bounds(steps=2), (WARNING,) * 7, (WARNING,) * 2),
        (Bounds(harsher=3), (DAY, DAY, LONGEST, LONGEST, LONGEST), (WARNING, 3 * HOUR, 3 * DAY, 42 * DAY, LONGEST)),
    ],
)
def test_a_ladder_stays_within_bounds(
    bounds: Bounds, wish: tuple[timedelta, ...], holds: tuple[timedelta, ...]
) -> None:
    assert rules(bounds, ladders={"love": wish}).ladders == {**LADDERS, "love": holds}


def test_a_category_that_nobody_knows_changes_nothing() -> None:
    unknown = {"modes": {"rude": Mode.OFF}, "thresholds": {"rude": 0.1}, "ladders": {"rude": (DAY,)}}
    assert rules(**unknown) == rules()
