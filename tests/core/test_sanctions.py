"""From the log to the standing: ladders, sums, and sanctions that were overturned."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.sanctions import LADDERS, LONGEST, WARNING, Sanction, Standing, block_period, next_sanctions, standing

NOW = datetime(2025, 11, 21, 3, tzinfo=UTC)
HOUR, DAY, MOMENT = timedelta(hours=1), timedelta(days=1), timedelta(microseconds=1)

# behaviour.md §7, and what repeats past the end
STEPS = {
    "love": [WARNING, HOUR, DAY, 14 * DAY, 1461 * DAY, 1461 * DAY, 1461 * DAY],
    "politics": [WARNING, 3 * DAY, 7 * DAY, 30 * DAY, 365 * DAY, 365 * DAY, 365 * DAY],
    "insult": [7 * DAY, 30 * DAY, 1461 * DAY, 1461 * DAY, 1461 * DAY],
    "hate": [DAY, 7 * DAY, 90 * DAY, 1461 * DAY, 1461 * DAY, 1461 * DAY],
}


def issued(category: str, period: timedelta, at: datetime = NOW, *, overturned: bool = False) -> Sanction:
    return Sanction(category, 1, at, period, overturned=overturned)


@pytest.mark.parametrize(("category", "periods"), STEPS.items())
def test_every_repetition_climbs_the_ladder_when_the_last_block_is_over(
    category: str, periods: list[timedelta]
) -> None:
    log: list[Sanction] = []
    now = NOW
    for step, period in enumerate(periods, start=1):
        before = standing(log, now)
        assert before.blocked_until is None
        (new,) = next_sanctions([category], before, now, {"prompt": "x"})
        assert (new.category, new.step, new.period, new.at) == (category, step, period, now)
        assert new.evidence == {"prompt": "x"}
        log.append(new)
        after = standing(log, now)
        assert after.counts == {category: step}
        assert after.blocked_until == (now + period if period else None)
        assert after.reasons == ((category,) if period else ())
        if period:
            assert standing(log, now + period - MOMENT).blocked_until == now + period
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
    log = [issued(f"c{number}", period) for number, period in enumerate(periods)]
    assert block_period(log) == together
    assert standing(log, NOW).blocked_until == (NOW + together if together else None)


def test_categories_of_one_turn_each_climb_their_own_ladder() -> None:
    current = Standing(counts={"love": 3, "hate": 1})
    new = next_sanctions(["love", "politics", "hate"], current, NOW, {})
    assert [(one.category, one.step, one.period) for one in new] == [
        ("love", 4, 14 * DAY), ("politics", 1, WARNING), ("hate", 2, 7 * DAY),
    ]  # fmt: skip


def test_ladders_may_be_set() -> None:
    (new,) = next_sanctions(["love"], Standing(counts={"love": 5}), NOW, {}, {"love": (HOUR,)})
    assert (new.step, new.period) == (6, HOUR)


@pytest.mark.parametrize(
    ("log", "until", "reasons", "counts"),
    [
        ([], None, (), {}),
        ([issued("love", WARNING)], None, (), {"love": 1}),
        ([issued("hate", DAY, overturned=True)], None, (), {}),
        ([issued("hate", DAY, overturned=True), issued("hate", HOUR)], NOW + HOUR, ("hate",), {"hate": 1}),
        # of two categories in one turn, one is overturned: its period goes
        ([issued("hate", DAY), issued("insult", 7 * DAY, overturned=True)], NOW + DAY, ("hate",), {"hate": 1}),
        # a warning beside a block is no reason for it
        ([issued("love", WARNING), issued("hate", DAY)], NOW + DAY, ("hate",), {"love": 1, "hate": 1}),
        # blocks of different turns do not add up; the one that ends last counts
        ([issued("insult", 7 * DAY), issued("hate", DAY, NOW + HOUR)], NOW + 7 * DAY, ("insult",),
         {"insult": 1, "hate": 1}),
        ([issued("hate", DAY, NOW - DAY)], None, (), {"hate": 1}),
        ([issued("hate", DAY, NOW - DAY + MOMENT)], NOW + MOMENT, ("hate",), {"hate": 1}),
    ],
)  # fmt: skip
def test_the_standing_follows_from_the_log(log, until, reasons, counts) -> None:
    assert standing(log, NOW) == Standing(until, reasons, counts)


def test_an_overturned_sanction_counts_neither_for_the_block_nor_for_the_next_step() -> None:
    log = [issued("insult", 7 * DAY, NOW - 40 * DAY), issued("insult", 30 * DAY, NOW - DAY)]
    assert standing(log, NOW).blocked_until == NOW + 29 * DAY
    log[1] = replace(log[1], overturned=True)
    current = standing(log, NOW)
    assert current.blocked_until is None
    (again,) = next_sanctions(["insult"], current, NOW, {})
    assert (again.step, again.period) == (2, 30 * DAY)
