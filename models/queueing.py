"""Who goes next at the device. Decisions only: nothing here waits, computes or reads a clock.

The law: a request is due AGEING_S after its arrival for each rank of its lane, and again for each request its person
has waiting already. The lane with the request that is due first goes next, and in it people take turns, in the order
their requests are due. So answers go before bookkeeping, nobody's tenth message before somebody else's first, and
nothing is overtaken for ever.
"""

import math
from collections import Counter, OrderedDict, deque
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from heapq import nsmallest
from itertools import islice
from typing import Any

from core.errors import EngineOverloaded

Json = Mapping[str, Any]

AGEING_S = 5.0
WINDOW_S = 0.01
# the newest batch's share of the average
_SMOOTHING = 0.2


@dataclass(frozen=True, slots=True)
class Lane:
    """A queue of requests that may share a batch. A smaller `rank` is more urgent.

    Where a batch has room, requests of other lanes of the same `group` come along; "": nobody does.
    """

    rank: int
    batch: int = 16
    group: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Ticket:
    """One request. `person` None: nobody's, as what is encoded for many. Times in seconds of the caller's clock."""

    lane: str
    person: Hashable
    request: Json
    arrived: float
    due: float


@dataclass(frozen=True, slots=True)
class Batch:
    """Tickets of one lane, with company of its group. `retried`: the device was lost under them once."""

    lane: str
    tickets: tuple[Ticket, ...]
    retried: bool = False


class Failure(Enum):
    """Why a batch has no results."""

    REFUSED = "refused"  # by the model; one of its requests may be to blame
    TOO_LARGE = "too_large"  # for the device's memory
    LOST = "lost"  # the device crashed or hung


class Queue:
    """Tickets that wait, by lane and person. `limit` bounds them, `window_s` is how long to gather a batch at most."""

    def __init__(self, lanes: Mapping[str, Lane], limit: int, window_s: float = WINDOW_S) -> None:
        self._lanes = dict(lanes)
        self._limit = limit
        self._window_s = window_s
        self._waiting: dict[str, OrderedDict[Hashable, OrderedDict[Ticket, None]]] = {
            name: OrderedDict() for name in lanes
        }
        self._again: deque[Batch] = deque()
        self._backlog: Counter[Hashable] = Counter()
        self._room = {name: lane.batch for name, lane in lanes.items()}
        self._ended = -math.inf
        self._served: frozenset[Hashable] = frozenset()
        self._pace = 0.0  # seconds a request

    def __len__(self) -> int:
        return self._backlog.total() + sum(len(batch.tickets) for batch in self._again)

    def waiting(self, lane: str) -> int:
        """How many wait in a lane for their first attempt."""
        return sum(map(len, self._waiting[lane].values()))

    def estimate(self) -> float:
        """Seconds until one that came now would be done, as fast as it went lately; 0 before anything is known."""
        return (len(self) + 1) * self._pace

    def add(self, lane: str, person: Hashable, request: Json, now: float) -> Ticket:
        """Join. Raises EngineOverloaded, with position and estimate, when too many wait."""
        if (waiting := len(self)) >= self._limit:
            raise EngineOverloaded(
                f"{waiting} requests are waiting for the device already", waiting + 1, self.estimate()
            )
        behind = self._backlog[person] if person is not None else 0
        ticket = Ticket(lane, person, request, now, now + AGEING_S * (self._lanes[lane].rank + behind))
        self._waiting[lane].setdefault(person, OrderedDict())[ticket] = None
        self._backlog[person] += 1
        return ticket

    def discard(self, ticket: Ticket) -> None:
        """Leave, from wherever it waits."""
        if ticket in self._waiting[ticket.lane].get(ticket.person, ()):
            self._take(ticket)
        else:
            kept = ((batch, tuple(other for other in batch.tickets if other is not ticket)) for batch in self._again)
            self._again = deque(replace(batch, tickets=tickets) for batch, tickets in kept if tickets)

    def hold(self, now: float) -> float:
        """Seconds to gather company for the next batch.

        0 at an idle device, for a full batch, for one tried again, and while a single person is there: nobody would
        join them.
        """
        lane = self._next_lane()
        if self._again or lane is None or self.waiting(lane) >= self._room[lane]:
            return 0.0
        if len((self._served | self._backlog.keys()) - {None}) < 2:
            return 0.0
        return max(0.0, self._ended + self._window_s - now)

    def next(self) -> Batch | None:
        """The batch to compute now; None when nothing waits."""
        if self._again:
            return self._again.popleft()
        lane = self._next_lane()
        if lane is None:
            return None
        tickets = self._first(self._room[lane], [lane])
        group = self._lanes[lane].group
        others = [name for name, other in self._lanes.items() if group and other.group == group and name != lane]
        company = self._first(self._room[lane] - len(tickets), others)
        for ticket in (*tickets, *company):
            self._take(ticket)
        return Batch(lane, (*tickets, *company))

    def done(self, batch: Batch, seconds: float, now: float) -> None:
        """A batch has its results. `seconds`: how long it took."""
        self._end(batch.tickets, now)
        self._pace += (seconds / len(batch.tickets) - self._pace) * (_SMOOTHING if self._pace else 1.0)
        if len(batch.tickets) >= self._room[batch.lane]:
            self._room[batch.lane] = min(self._room[batch.lane] + 1, self._lanes[batch.lane].batch)

    def failed(self, batch: Batch, failure: Failure, now: float) -> tuple[Ticket, ...]:
        """Sees that a batch is tried again where that may help; returns the tickets that have failed for good.

        What the device was lost under is tried once more, each alone; any other batch in halves down to the one to
        blame. A lane's batches stay smaller after one that was too large, and grow again with each that fits.
        """
        self._end(batch.tickets, now)
        half = len(batch.tickets) // 2
        if failure is Failure.TOO_LARGE:
            self._room[batch.lane] = max(1, half)
        parts: list[tuple[Ticket, ...]] = []
        if failure is Failure.LOST and not batch.retried:
            parts = [(ticket,) for ticket in batch.tickets]
        elif failure is not Failure.LOST and half:
            parts = [batch.tickets[:half], batch.tickets[half:]]
        retried = batch.retried or failure is Failure.LOST
        self._again.extendleft(Batch(batch.lane, part, retried) for part in reversed(parts))
        return () if parts else batch.tickets

    def _end(self, tickets: Iterable[Ticket], now: float) -> None:
        self._ended = now
        self._served = frozenset(ticket.person for ticket in tickets)

    def _next_lane(self) -> str | None:
        first = min(
            ((next(iter(theirs)).due, lane) for lane, people in self._waiting.items() for theirs in people.values()),
            default=None,
        )
        return first[1] if first else None

    def _first(self, count: int, lanes: Iterable[str]) -> list[Ticket]:
        """Everybody's first in these lanes before anybody's second, and in the order they are due."""
        people = (theirs for lane in lanes for theirs in self._waiting[lane].values())
        turns = (
            (turn, ticket.due, number, ticket)
            for number, theirs in enumerate(people)
            for turn, ticket in enumerate(islice(theirs, count))
        )
        return [ticket for *_, ticket in nsmallest(count, turns)]

    def _take(self, ticket: Ticket) -> None:
        people = self._waiting[ticket.lane]
        del people[ticket.person][ticket]
        if not people[ticket.person]:
            del people[ticket.person]
        self._backlog[ticket.person] -= 1
        if not self._backlog[ticket.person]:
            del self._backlog[ticket.person]
