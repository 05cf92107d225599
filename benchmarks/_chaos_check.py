"""What must be in the record and on the platforms afterwards, worked out from the committed turns alone.

Asks in SQL of its own and repeats the rules of the script, so that it shares no code with what it checks.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from benchmarks._chaos_platform import Platform, Said
from benchmarks._chaos_script import is_love, memory_of, reply_to, summary_of

# rows of a query, every value as text
Ask = Callable[[str], Sequence[Sequence[str]]]
# (platform, whose) or (platform, which message)
Key = tuple[str, str]

# none of these may be
MARKS = ("lost", "doubled", "disordered", "wrong_turns", "wrong_memories", "wrong_sanctions", "unfinished")
# these are counted only: busy and fault sentences, and replies nobody knows about where none is recognised
COUNTED = ("messages", "turns", "busy", "faults", "unknown")
_SHOWN_COMPLAINTS = 6

_UNFINISHED = {
    "unanswered": "SELECT platform, message_id FROM inbox WHERE state = 'waiting'",
    "undelivered": "SELECT platform, message_id FROM outbox JOIN turns ON turns.id = outbox.turn_id"
    " JOIN inbox ON inbox.id = turns.inbox_id WHERE outbox.state = 'waiting'",
    "unremembered": "SELECT platform, message_id FROM turns JOIN inbox ON inbox.id = turns.inbox_id"
    " WHERE bookkeeping = 'due'",
}
_TURNS = (
    "SELECT platform, user_id, message_id, turns.id, final_input, outbox.text,"
    " CASE WHEN CAST(notices AS TEXT) LIKE '%\"introduction\"%' THEN 1 ELSE 0 END,"
    " outbox.state, CASE WHEN begun_at IS NULL THEN 0 ELSE 1 END"
    " FROM turns JOIN inbox ON inbox.id = turns.inbox_id LEFT JOIN outbox ON outbox.turn_id = turns.id"
    " ORDER BY turns.id"
)
_SANCTIONS = (
    "SELECT cases.platform, cases.user_id, message_id, category, step, period_us FROM cases"
    " JOIN turns ON turns.id = cases.turn_id JOIN inbox ON inbox.id = turns.inbox_id ORDER BY number"
)
_HALF_CASES = (
    "SELECT platform, user_id FROM cases"
    " WHERE NOT EXISTS (SELECT 1 FROM case_events WHERE case_events.number = cases.number)"
)
_MEMORIES = "SELECT platform, user_id, key, value FROM memories"
_SUMMARIES = "SELECT platform, user_id, text FROM summaries"


class Found(NamedTuple):
    """A committed turn as it stands in the record."""

    platform: str
    user_id: str
    message_id: str
    turn_id: int
    final_input: str
    text: str
    introduces: bool
    state: str
    begun: bool

    @property
    def number(self) -> int:
        """Of the message, among the person's."""
        return int(self.message_id.rpartition("-")[2])

    @property
    def person(self) -> Key:
        """Whose it is."""
        return self.platform, self.user_id

    @property
    def message(self) -> Key:
        """Which it answers."""
        return self.platform, self.message_id


class Verdict:
    """How often what was found; `complaints` names the first of each kind."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter(dict.fromkeys((*MARKS, *COUNTED), 0))
        self.complaints: list[str] = []

    @property
    def clean(self) -> bool:
        """Whether none of `MARKS` was found."""
        return not any(self.counts[mark] for mark in MARKS)

    def add(self, kind: str, what: object) -> None:
        """One more."""
        self.counts[kind] += 1
        if kind in MARKS and self.counts[kind] <= _SHOWN_COMPLAINTS:
            self.complaints.append(f"{kind}: {what}")

    def same(self, kind: str, must: Mapping[Any, Any], there: Mapping[Any, Any]) -> None:
        """Each key with its own value, and no others."""
        for key in must.keys() | there.keys():
            if must.get(key) != there.get(key):
                self.add(kind, f"{key}: {there.get(key)!r} and not {must.get(key)!r}")


def unfinished(ask: Ask) -> dict[str, list[Key]]:
    """Messages whose turn, delivery or bookkeeping is still to come."""
    return {name: [(row[0], row[1]) for row in ask(query)] for name, query in _UNFINISHED.items()}


def unknown(ask: Ask) -> set[Key]:
    """Messages whose reply began to leave, and nobody knows whether it arrived."""
    return {turn.message for turn in _turns(ask) if turn.state == "unknown" and turn.begun}


def check(ask: Ask, platforms: Iterable[Platform]) -> Verdict:
    """Compare platforms and record, when nothing should be left to do."""
    verdict = Verdict()
    turns = _turns(ask)
    for name, keys in unfinished(ask).items():
        for key in keys:
            verdict.add("unfinished", f"{name} {key}")
    verdict.counts["turns"] = len(turns)
    _check_turns(turns, ask, verdict)
    answered = {turn.message: turn for turn in turns}
    for platform in platforms:
        verdict.counts["messages"] += len(platform.said)
        for said in platform.said.values():
            _check_message(platform, said, answered.get((platform.name, said.message_id)), verdict)
        _check_order(platform, verdict)
    return verdict


def _turns(ask: Ask) -> list[Found]:
    return [
        Found(platform, user_id, message_id, int(turn_id), final_input, text, introduces == "1", state, begun == "1")
        for platform, user_id, message_id, turn_id, final_input, text, introduces, state, begun in ask(_TURNS)
    ]


def _check_turns(turns: Sequence[Found], ask: Ask, verdict: Verdict) -> None:
    """Each person's turns follow from those before."""
    memories: dict[Any, Any] = {}
    summaries: dict[Key, str] = {}
    sanctions: dict[Any, Any] = {}
    loves: Counter[Key] = Counter()
    last: dict[Key, int] = defaultdict(int)
    for turn in turns:
        person, number = turn.person, turn.number
        if number <= last[person]:
            verdict.add("disordered", f"turn {turn.turn_id} of {turn.message} came after number {last[person]}")
        before = f"(오로라 답변 요약) {summaries[person]} (사용자 질문) " if person in summaries else ""
        must = (reply_to(number), not last[person])
        if not turn.final_input.startswith(before + f"{number}번") or (turn.text, turn.introduces) != must:
            verdict.add("wrong_turns", f"{turn} after {summaries.get(person)!r}")
        if is_love(number):
            loves[person] += 1
            sanctions[turn.message] = ("love", str(loves[person]), "0")
        key, value = memory_of(number)
        memories[*person, key] = value
        summaries[person] = summary_of(number)
        last[person] = number
    issued = Counter((row[0], row[2]) for row in ask(_SANCTIONS))
    verdict.same("wrong_sanctions", sanctions, {(row[0], row[2]): tuple(row[3:]) for row in ask(_SANCTIONS)})
    for message in (message for message, times in issued.items() if times > 1):
        verdict.add("wrong_sanctions", f"{message} twice")
    for row in ask(_HALF_CASES):
        verdict.add("wrong_sanctions", f"{row} has a case without an event")
    rows = ask(_MEMORIES)
    verdict.same("wrong_memories", memories, {(row[0], row[1], row[2]): row[3] for row in rows})
    if len(rows) != len(memories):
        verdict.add("wrong_memories", f"{len(rows)} and not {len(memories)}")
    verdict.same("wrong_memories", summaries, {(row[0], row[1]): row[2] for row in ask(_SUMMARIES)})


def _check_message(platform: Platform, said: Said, turn: Found | None, verdict: Verdict) -> None:
    """What its person saw."""
    what = f"{platform.name} {said.message_id}"
    answers = [shown for shown in said.shown if not shown.sentence]
    verdict.counts["busy"] += sum("busy" in shown.kinds for shown in said.shown)
    verdict.counts["faults"] += sum("fault" in shown.kinds for shown in said.shown)
    if len(said.shown) > 1:
        verdict.add("doubled", f"{what}: {said.shown}")
    if answers and (turn is None or answers[0].text != turn.text):
        verdict.add("lost", f"{what} was answered {answers[0].text!r}, and the record has {turn}")
    if said.shown or not said.accepted:
        return
    if turn is not None and turn.state == "unknown" and turn.begun and not platform.recognises:
        verdict.add("unknown", what)
    else:
        verdict.add("lost", f"{what} has no reply; the record has {turn}")


def _check_order(platform: Platform, verdict: Verdict) -> None:
    """Each person's answers came in the order of their messages; sentences about failures may come between them."""
    shown: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for said in platform.said.values():
        shown[said.user_id] += [(one.at, said.number) for one in said.shown if not one.sentence]
    for user_id, moments in shown.items():
        for (_, first), (_, second) in pairwise(sorted(moments)):
            if second < first:
                verdict.add(
                    "disordered", f"{platform.name} {user_id}: the reply to {first} came before that to {second}"
                )
