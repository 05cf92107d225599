"""Who goes next: tables for the rules, and random loads for what holds under any."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import EngineOverloaded
from models.queueing import AGEING_S, Batch, Failure, Lane, Queue, Ticket

LANES = {"encoder": Lane(0, batch=8), "answer": Lane(1, batch=4), "face": Lane(2, batch=4), "summary": Lane(3, batch=4)}


def queue(limit: int = 1000, **options: Any) -> Queue:
    return Queue(LANES, limit, **options)


def filled(*arrivals: tuple[str, str, float]) -> Queue:
    """(lane, person, moment), in their order."""
    made = queue()
    for lane, person, now in arrivals:
        made.add(lane, person, {}, now)
    return made


def drained(queue: Queue) -> list[tuple[str, str]]:
    """(lane, everybody in it) of all batches."""
    batches = []
    while (batch := queue.next()) is not None:
        batches.append((batch.lane, "".join(str(ticket.person) for ticket in batch.tickets)))
    return batches


@pytest.mark.parametrize(
    ("arrivals", "order"),
    [
        ([], []),
        # answers before faces before summaries, whoever came first
        (
            [("summary", "a", 0), ("face", "b", 0.1), ("answer", "c", 0.2)],
            [("answer", "c"), ("face", "b"), ("summary", "a")],
        ),
        # but what waited long enough goes before what is new
        ([("summary", "a", 0), ("answer", "c", 2 * AGEING_S + 0.1)], [("summary", "a"), ("answer", "c")]),
        ([("summary", "a", 0), ("answer", "c", 2 * AGEING_S - 0.1)], [("answer", "c"), ("summary", "a")]),
        # people take turns
        ([("answer", person, 0) for person in "aaaaaabcc"], [("answer", "abca"), ("answer", "caaa"), ("answer", "a")]),
        ([("answer", "a", 0)] * 9 + [("answer", "b", 1)], [("answer", "abaa"), ("answer", "aaaa"), ("answer", "aa")]),
        # one person's many answers do not hold up another's face
        (
            [("answer", "a", 0)] * 9 + [("face", "b", 1)],
            [("answer", "aaaa"), ("face", "b"), ("answer", "aaaa"), ("answer", "a")],
        ),
        # a lane's batch is no larger than the lane allows
        ([("encoder", person, 0) for person in "abcdefghij"], [("encoder", "abcdefgh"), ("encoder", "ij")]),
    ],
)  # fmt: skip
def test_who_goes_next(arrivals: list[tuple[str, str, float]], order: list[tuple[str, str]]) -> None:
    assert drained(filled(*arrivals)) == order


def test_past_the_limit_one_is_refused_with_position_and_estimate() -> None:
    waiting = queue(limit=2)
    first = waiting.add("answer", "a", {}, 0)
    batch = waiting.next()
    assert batch is not None
    waiting.done(batch, seconds=4.0, now=4.0)
    waiting.add("answer", "a", {}, 5)
    second = waiting.add("answer", "b", {}, 5)
    with pytest.raises(EngineOverloaded, match="2 requests") as refusal:
        waiting.add("answer", "c", {}, 5)
    assert (refusal.value.position, refusal.value.wait_s) == (3, 12.0)
    waiting.discard(second)
    waiting.discard(first)  # it is not there any more
    assert waiting.add("answer", "c", {}, 6).person == "c"
    assert len(waiting) == waiting.waiting("answer") == 2


@pytest.mark.parametrize(
    ("served", "waiting", "now", "held"),
    [
        ("", "ab", 0, 0),  # an idle device starts at once
        ("a", "b", 10.001, 0.009),
        ("a", "b", 10.011, 0),
        ("ab", "a", 10.001, 0.009),  # b's next may be on its way
        ("a", "a", 10.001, 0),  # a person alone waits for no company
        ("a", "bcde", 10.001, 0),  # full
    ],
)
def test_a_batch_is_gathered_only_behind_another_one_and_only_in_company(
    served: str, waiting: str, now: float, held: float
) -> None:
    made = queue(window_s=0.01)
    for person in served:
        made.add("answer", person, {}, 9)
    if (batch := made.next()) is not None:
        made.done(batch, seconds=1, now=10)
    for person in waiting:
        made.add("answer", person, {}, now)
    assert made.hold(now) == pytest.approx(held)


def running(people: str) -> tuple[Queue, Batch]:
    made = filled(*(("answer", person, 0.0) for person in people))
    batch = made.next()
    assert batch is not None
    return made, batch


@pytest.mark.parametrize(
    ("failure", "people", "again", "over"),
    [
        (Failure.REFUSED, "abcd", ["ab", "cd"], ""),
        (Failure.REFUSED, "abc", ["a", "bc"], ""),
        (Failure.REFUSED, "a", [], "a"),
        (Failure.TOO_LARGE, "abcd", ["ab", "cd"], ""),
        (Failure.TOO_LARGE, "a", [], "a"),
        (Failure.LOST, "abc", ["a", "b", "c"], ""),
        (Failure.LOST, "a", ["a"], ""),
    ],
)
def test_what_becomes_of_a_batch_that_failed(failure: Failure, people: str, again: list[str], over: str) -> None:
    made, batch = running(people)
    given_up = made.failed(batch, failure, 1.0)
    assert "".join(ticket.person for ticket in given_up) == over
    assert len(made) == len("".join(again))
    assert drained(made) == [("answer", part) for part in again]


def test_what_the_device_was_lost_under_twice_fails() -> None:
    made, batch = running("ab")
    made.failed(batch, Failure.LOST, 1.0)
    alone = made.next()
    assert alone is not None
    assert made.failed(alone, Failure.LOST, 2.0) == alone.tickets
    assert drained(made) == [("answer", "b")]


def test_one_who_gives_up_while_a_batch_is_tried_again_leaves_it() -> None:
    made, batch = running("abcd")
    made.failed(batch, Failure.REFUSED, 1.0)
    made.discard(batch.tickets[0])
    assert drained(made) == [("answer", "b"), ("answer", "cd")]


def test_batches_are_smaller_after_one_that_was_too_large_and_grow_again() -> None:
    made, batch = running("abcd" * 5)
    made.failed(batch, Failure.TOO_LARGE, 1.0)
    sizes = []
    while (after := made.next()) is not None:
        made.done(after, 1.0, 1.0)
        sizes.append(len(after.tickets))
    assert sizes == [2, 2, 3, 4, 4, 4, 1]


Step = tuple[str, str, str]  # what, lane, person
WHAT = st.sampled_from(["add", "add", "add", "run", "fail", "lose", "leave"])
STEPS = st.lists(st.tuples(WHAT, st.sampled_from(list(LANES)), st.sampled_from("abc")), max_size=80)
# other programs may hold one example up
unhurried = settings(deadline=None)


@unhurried
@given(STEPS)
def test_each_request_ends_exactly_once_whatever_happens(steps: list[Step]) -> None:
    made = queue()
    waiting: set[Ticket] = set()
    ends: Counter[Ticket] = Counter()

    def run(failure: Failure | None, now: float) -> bool:
        batch = made.next()
        if batch is None:
            return False
        assert {ticket.lane for ticket in batch.tickets} == {batch.lane}
        assert 0 < len(batch.tickets) <= LANES[batch.lane].batch
        if failure is None:
            made.done(batch, 1.0, now)
        over = batch.tickets if failure is None else made.failed(batch, failure, now)
        ends.update(over)
        waiting.difference_update(over)
        return True

    for now, (what, lane, person) in enumerate(steps):
        if what == "add":
            waiting.add(made.add(lane, person, {}, now))
        elif what == "leave" and waiting:
            gone = min(waiting, key=lambda ticket: ticket.due)
            made.discard(gone)
            waiting.remove(gone)
        elif what != "leave":
            run({"run": None, "fail": Failure.REFUSED, "lose": Failure.LOST}[what], now)
        assert len(made) == len(waiting)
    while run(None, len(steps)):
        assert len(made) == len(waiting)
    assert not waiting
    assert set(ends.values()) <= {1}


@unhurried
@given(st.lists(st.tuples(st.sampled_from(list(LANES)), st.sampled_from("abcdef")), min_size=1, max_size=60))
def test_in_a_batch_nobody_is_twice_while_somebody_else_waits(arrivals: list[tuple[str, str]]) -> None:
    made = filled(*((lane, person, 0.0) for lane, person in arrivals))
    left = Counter(arrivals)
    while (batch := made.next()) is not None:
        taken = Counter((batch.lane, str(ticket.person)) for ticket in batch.tickets)
        left -= taken
        for other, waiting in left.items():
            if other[0] == batch.lane and waiting:
                assert max(taken.values()) <= taken[other] + 1


@unhurried
@given(st.lists(st.sampled_from("abcde"), min_size=1, max_size=40))
def test_background_work_is_reached_under_a_stream_of_answers(people: list[str]) -> None:
    """Each second an answer arrives and one batch is computed."""
    made = queue()
    background = made.add("summary", "z", {}, 0.0)
    for second in range(100):
        made.add("answer", people[second % len(people)], {}, float(second))
        batch = made.next()
        assert batch is not None
        if background in batch.tickets:
            assert second <= LANES["summary"].rank * AGEING_S
            return
    pytest.fail("the summary was starved")
