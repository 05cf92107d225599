"""Messages that carry a number, replies that repeat it, and what of them was lost, doubled or out of order."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import chain, count, pairwise

_MARK = re.compile(r"말(\d+)")


def marked(mark: int) -> str:
    """As it stands in a text."""
    return f"말{mark}"


def mark_in(text: str) -> int | None:
    """The last one: before it stands what a prompt tells of earlier turns."""
    found = _MARK.findall(text)
    return int(found[-1]) if found else None


@dataclass(frozen=True, slots=True)
class Said:
    """A message: of whom, where (the stand-in's ids), and its mark, higher than those of all messages before."""

    person: int
    chat: int
    mark: int
    text: str


class Voices:
    """Makes messages."""

    def __init__(self) -> None:
        self._marks = count(1000)
        self.said: list[Said] = []

    def say(self, person: int, chat: int, call: str = "") -> Said:
        """One more; `call` stands in front of it."""
        mark = next(self._marks)
        self.said.append(Said(person, chat, mark, f"{call}{marked(mark)} 들어 봐"))
        return self.said[-1]


@dataclass(frozen=True, slots=True)
class Shown:
    """A message of hers: when its newest text appeared, in seconds of the stand-in's clock."""

    text: str
    at: float


@dataclass
class Tally:
    """`unknown`: replies that the record marks so, because nobody knows whether they arrived."""

    messages: int = 0
    lost: int = 0
    doubled: int = 0
    disordered: int = 0
    unknown: int = 0
    complaints: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether everything is as promised."""
        return not (self.lost or self.doubled or self.disordered)

    def figures(self) -> dict[str, int]:
        """Without the complaints."""
        return {name: value for name, value in asdict(self).items() if isinstance(value, int)}


def check(said: Sequence[Said], shown: Iterable[Shown], unknown: Collection[int] = (), *, across_chats: bool) -> Tally:
    """Every message exactly one reply, each person's in their order, or with not `across_chats` in each chat's.

    Messages whose marks are `unknown` may have no reply, never two.
    """
    appeared: dict[int, list[float]] = defaultdict(list)
    tally = Tally(len(said))
    for one in shown:
        if (mark := mark_in(one.text)) is not None:
            appeared[mark].append(one.at)
    for message in said:
        times = len(appeared[message.mark])
        if message.mark in unknown:
            tally.unknown += 1
        elif not times:
            tally.lost += 1
            tally.complaints.append(f"lost: {message}")
        if times > 1:
            tally.doubled += times - 1
            tally.complaints.append(f"{times} times: {message}")
    answered = [message for message in said if appeared[message.mark]]
    for earlier, later in _neighbours(answered, across_chats):
        if appeared[earlier.mark][0] > appeared[later.mark][0]:
            tally.disordered += 1
            tally.complaints.append(f"{later} was answered before {earlier}")
    return tally


def _neighbours(said: Iterable[Said], across_chats: bool) -> Iterator[tuple[Said, Said]]:
    """Each message and its author's next one, of all or of the same chat."""
    lines: dict[tuple[int, int], list[Said]] = defaultdict(list)
    for message in said:
        lines[message.person, 0 if across_chats else message.chat].append(message)
    return chain.from_iterable(map(pairwise, lines.values()))


def waited(said_at: Mapping[int | None, float], shown: Iterable[Shown]) -> dict[int, float]:
    """Mark → seconds from the message to its reply."""
    appeared = {mark: one.at for one in shown if (mark := mark_in(one.text)) is not None}
    return {mark: at - said_at[mark] for mark, at in appeared.items()}


def strays(shown: Iterable[Shown]) -> list[str]:
    """What answers nothing: an apology, or a notice that was to become a reply."""
    return [one.text for one in shown if mark_in(one.text) is None]


def together(tallies: Iterable[Tally]) -> Tally:
    """Their sum."""
    total: Counter[str] = Counter()
    complaints: list[str] = []
    for tally in tallies:
        total.update(tally.figures())
        complaints += tally.complaints
    return Tally(**total, complaints=complaints)
