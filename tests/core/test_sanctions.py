"""What is issued: ladders, sums, and when it begins."""

from datetime import timedelta

import pytest

from core.cases import standing
from core.sanctions import LADDERS, LONGEST, WARNING, Evidence, Mode, block_period, issue_time, next_sanctions
from tests.core.casework import DAY, HOUR, MOMENT, NOW, a_case

# behaviour.md §7, and what repeats past the end
STEPS = {
    "love": [WARNING, HOUR, DAY, 14 * DAY, 1461 * DAY, 1461 * DAY, 1461 * DAY],
    "politics": [WARNING, 3 * DAY, 7 * DAY, 30 * DAY, 365 * DAY, 365 * DAY, 365 * DAY],
    "insult": [7 * DAY, 30 * DAY, 1461 * DAY, 1461 * DAY, 1461 * DAY],
    "hate": [DAY, 7 * DAY, 90 * DAY, 1461 * DAY, 1461 * DAY, 1461 * DAY],
}
EVIDENCE = Evidence(prompt="x")


@pytest.mark.parametrize(("category", "periods"), STEPS.items())
def test_every_repetition_climbs_the_ladder_when_the_last_block_is_over(
    category: str, periods: list[timedelta]
) -> None:
    cases = []
    now = NOW
    for step, period in enumerate(periods, start=1):
        before = standing(cases, now)
        assert before.blocked_until is None
        (new,) = next_sanctions([category], before.counts, now, EVIDENCE)
        assert (new.category, new.step, new.period, new.at) == (category, step, period, now)
        assert (new.mode, new.evidence) == (Mode.ENFORCE, EVIDENCE)
        cases.append(a_case(step, category, period, now))
        after = standing(cases, now)
        assert after.counts == {category: step}
        assert after.blocked_until == (now + period if period else None)
        assert after.reasons == ((category,) if period else ())
        if period:
            assert standing(cases, now + period - MOMENT).blocked_until == now + period
        now += period + MOMENT


def test_the_ladders_are_those_of_the_reference() -> None:
    assert {category: list(ladder) for category, ladder in LADDERS.items()} == {
        category: steps[: len(LADDERS[category])] for category, steps in STEPS.items()
    }


@pytest.mark.parametrize(
    ("periods", "together"),
    [
        ([], WARNING), ([WARNING, WARNING], WARNING), ([WARNING, HOUR], HOUR), ([3 * DAY, HOUR], 3 * DAY + HOUR),
        ([1460 * DAY, DAY], LONGEST), ([1460 * DAY, DAY, HOUR], LONGEST), ([LONGEST, LONGEST], LONGEST),
    ],
)  # fmt: skip
def test_periods_of_one_turn_add_up_to_1461_days_at_most(periods: list[timedelta], together: timedelta) -> None:
    assert block_period(periods) == together
    cases = [a_case(number, f"c{number}", period, turn=9) for number, period in enumerate(periods)]
    assert standing(cases, NOW).blocked_until == (NOW + together if together else None)


def test_categories_of_one_turn_each_climb_their_own_ladder() -> None:
    new = next_sanctions(["love", "politics", "hate"], {"love": 3, "hate": 1}, NOW, EVIDENCE)
    assert [(one.category, one.step, one.period) for one in new] == [
        ("love", 4, 14 * DAY), ("politics", 1, WARNING), ("hate", 2, 7 * DAY),
    ]  # fmt: skip


def test_ladders_and_modes_may_be_set() -> None:
    new = next_sanctions(
        ["love", "hate"], {"love": 5}, NOW, EVIDENCE, {**LADDERS, "love": (HOUR,)}, {"hate": Mode.SHADOW}
    )
    assert [(one.step, one.period, one.mode, one.felt) for one in new] == [
        (6, HOUR, Mode.ENFORCE, True), (1, DAY, Mode.SHADOW, False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("behind", "begins"),
    [
        (timedelta(0), NOW), (-HOUR, NOW), (-DAY, NOW), (HOUR, NOW + HOUR), (DAY, NOW + DAY),
        # a stamp from days ahead is a clock that nobody set
        (2 * DAY, NOW), (400 * DAY, NOW),
    ],
)  # fmt: skip
def test_a_clock_that_fell_behind_the_platforms_takes_nothing_off_the_end(behind: timedelta, begins) -> None:
    assert issue_time(NOW, NOW + behind) == begins
