"""Hot state: what is known of people who talk now, counters and leases; at hand in this process, or shared by several
(storage.redis). All of it follows from the record, or may be lost."""

import time
from collections.abc import Callable
from threading import Lock
from typing import Protocol

from cachetools import LRUCache

from core.messages import PersonKey
from core.ports import Counters, Leases
from storage.known import Known, Learned, with_learned
from storage.one_process import LocalCounters, LocalLeases

# what is kept of people in one process
MOST_BYTES = 256 * 2**20
_BYTES_OF_A_PERSON, _BYTES_OF_AN_ENTRY = 2000, 700


class HotState(Counters, Leases, Protocol):
    """Copies of the record, each of one revision. Whoever uses one has compared its revision with the record's.

    What is known may be forgotten at any time, and nothing about it ever fails.
    """

    async def recall(self, person: PersonKey) -> Known | None:
        """What was kept last, if it is still there."""
        ...

    def near(self, person: PersonKey) -> Known | None:
        """The same, if it is in this very process; from any thread."""
        ...

    async def keep(self, person: PersonKey, known: Known) -> None:
        """Unless a later revision is there."""
        ...

    async def learn(self, learned: Learned) -> None:
        """Bring what is there from the revision before to this one; of any other revision it stays as it is."""
        ...

    async def forget(self, person: PersonKey, revision: int) -> None:
        """Nothing of before `revision` is there any more, nor comes back."""
        ...

    async def scrub(self) -> None:
        """Begin to take what was forgotten out of files."""
        ...

    async def close(self) -> None:
        """Let go."""
        ...


# makes the hot state of the record with this incarnation
MakeHotState = Callable[[str], HotState]


class Near:
    """The people who talked last, as objects ready for use; from any thread."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        # revision, and None where everything of before it was forgotten
        self._people: LRUCache[PersonKey, tuple[int, Known | None]] = LRUCache(most_bytes, getsizeof=_size)
        self._lock = Lock()

    def get(self, person: PersonKey) -> Known | None:
        """None for whoever is not there."""
        with self._lock:
            return self._people.get(person, (0, None))[1]

    def keep(self, person: PersonKey, known: Known) -> None:
        """Unless a later revision is there."""
        with self._lock:
            revision, there = self._people.get(person, (0, None))
            if revision < known.revision or (revision == known.revision and there is None):
                self._put(person, known.revision, known)

    def learn(self, learned: Learned) -> None:
        """From the revision before."""
        with self._lock:
            revision, there = self._people.get(learned.person, (0, None))
            if there is not None and revision == learned.revision - 1:
                self._put(learned.person, learned.revision, with_learned(there, learned))

    def forget(self, person: PersonKey, revision: int) -> None:
        """All of before `revision`."""
        with self._lock:
            if self._people.get(person, (0, None))[0] < revision:
                self._put(person, revision, None)

    def _put(self, person: PersonKey, revision: int, known: Known | None) -> None:
        kept = (revision, known)
        if _size(kept) > self._people.maxsize:
            self._people.pop(person, None)
        else:
            self._people[person] = kept


class InProcess(LocalCounters, LocalLeases):
    """A HotState that nobody shares."""

    def __init__(
        self, incarnation: str = "", most_bytes: int = MOST_BYTES, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`clock`: of the counters."""
        LocalCounters.__init__(self, clock=clock)
        LocalLeases.__init__(self)
        self._near = Near(most_bytes)

    async def recall(self, person: PersonKey) -> Known | None:
        """What was kept last, if it is still there."""
        return self._near.get(person)

    def near(self, person: PersonKey) -> Known | None:
        """The same."""
        return self._near.get(person)

    async def keep(self, person: PersonKey, known: Known) -> None:
        """Unless a later revision is there."""
        self._near.keep(person, known)

    async def learn(self, learned: Learned) -> None:
        """From the revision before."""
        self._near.learn(learned)

    async def forget(self, person: PersonKey, revision: int) -> None:
        """All of before `revision`."""
        self._near.forget(person, revision)

    async def scrub(self) -> None:
        """There are none."""

    async def close(self) -> None:
        """Nothing is open."""


def _size(kept: tuple[int, Known | None]) -> int:
    """Bytes, about: vectors are most of it, and all of them are of one width."""
    known = kept[1]
    if known is None:
        return _BYTES_OF_A_PERSON
    vector = known.items[0].vector.nbytes if known.items else 0
    last_turns = sum(last.summary.vector.nbytes + _BYTES_OF_AN_ENTRY for last in known.last_turns.values())
    entries = len(known.items) + len(known.cases)
    return _BYTES_OF_A_PERSON + last_turns + len(known.items) * vector + entries * _BYTES_OF_AN_ENTRY
