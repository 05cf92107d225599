"""The line: places, and how long it takes."""

import pytest

from bot.waiting import Line
from core.errors import EngineOverloaded


class Watch:
    """Seconds that pass when somebody says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


def test_who_came_first_is_next_and_who_leaves_makes_room(watch: Watch) -> None:
    line = Line(10, watch)
    first, second, third = (line.join() for _ in range(3))
    assert [line.position(ticket) for ticket in (first, second, third)] == [1, 2, 3]
    line.leave(second)
    assert [line.position(ticket) for ticket in (first, third)] == [1, 2]
    line.leave(first)
    assert line.position(third) == 1


def test_nobody_knows_how_long_it_takes_before_the_first_turn_is_over(watch: Watch) -> None:
    line = Line(10, watch)
    ticket = line.join()
    watch.now = 100
    assert line.estimate(ticket) == 0


def test_the_estimate_is_the_place_times_the_pace(watch: Watch) -> None:
    line = Line(10, watch)
    tickets = [line.join() for _ in range(4)]
    watch.now = 3
    line.leave(tickets[0])
    assert [line.estimate(ticket) for ticket in tickets[1:]] == [3, 6, 9]


def test_the_newest_turn_counts_for_a_fifth(watch: Watch) -> None:
    line = Line(10, watch)
    tickets = [line.join() for _ in range(3)]
    watch.now = 10
    line.leave(tickets[0])
    watch.now = 30
    line.leave(tickets[1])
    assert line.estimate(tickets[2]) == pytest.approx(0.8 * 10 + 0.2 * 20)


def test_idle_time_makes_nobody_slow(watch: Watch) -> None:
    line = Line(10, watch)
    for start in (0, 1000):
        watch.now = start
        ticket = line.join()
        watch.now = start + 2
        line.leave(ticket)
    assert line.estimate(line.join()) == pytest.approx(2)


def test_the_line_is_full_at_its_limit(watch: Watch) -> None:
    line = Line(2, watch)
    with line.place():
        line.check()
        with line.place(), pytest.raises(EngineOverloaded) as refused:
            line.check()
        assert refused.value.position == 3
        line.check()


def test_who_is_turned_away_is_told_when_they_would_have_been_done(watch: Watch) -> None:
    line = Line(1, watch)
    first, watch.now = line.join(), watch.now + 4
    line.leave(first)
    with line.place(), pytest.raises(EngineOverloaded) as refused:
        line.check()
    assert (refused.value.position, refused.value.wait_s) == (2, 8)


def test_whoever_fails_leaves_the_line_too(watch: Watch) -> None:
    line = Line(1, watch)
    with pytest.raises(RuntimeError), line.place():
        raise RuntimeError("a bug")
    line.check()
