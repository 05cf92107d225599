"""A record full of cases, as three years might leave it: drawn by chance, always the same for a seed."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import islice

import numpy as np
from sqlalchemy import Connection, insert

from core.cases import RETENTION, Case, Event, Kind, State
from core.messages import ChatKey, IncomingMessage, PersonKey
from core.sanctions import LADDERS, Evidence, Mode, Sanction, step_period
from storage import rows
from storage.database import Database
from storage.record import LOCK_WAIT_S, Record
from storage.schema import ANSWERED, NONE, case_events, cases, inbox, turns

PLATFORMS = ("discord", "telegram")
YEARS = 3
# the place where most cases arise, and its moderators' channel
BUSIEST = ChatKey("discord", "700000", private=False, place_id="500000")
REVIEW = ChatKey("discord", "800000", private=False, place_id="500000")
_AT_ONCE = 5000
_CATEGORIES = {"love": 0.45, "hate": 0.3, "politics": 0.15, "insult": 0.1}
_PROMPT = "로라야 나 오늘 정말 화가 나서 그러는데 한마디만 할게, {}번째야"
_ANSWER = "미안, 그런 말에는 대답할 수 없어. 우리 다른 이야기 하자! 😅"
_SCORES = {"love": 0.9124, "politics": 0.1071, "insult": 0.8033, "hate": 0.8815, "normal": 0.2046}
_THRESHOLDS = {"love": 0.775, "politics": 0.703, "insult": 0.7, "hate": 0.802, "normal": 0.5}
# chance that: it was by hand; only recorded; appealed; an appeal is answered; judged without one; commented
_MANUAL, _SHADOW, _APPEALED, _ANSWERED, _JUDGED, _COMMENTED = 0.05, 0.1, 0.12, 0.85, 0.35, 0.1
_DECIDED = (Kind.UPHELD, Kind.UPHELD, Kind.UPHELD, Kind.OVERTURNED, Kind.OVERTURNED, Kind.SHORTENED)


class CaseLog:
    """`count` cases, oldest first: few people and places have most of them, most people have some."""

    def __init__(self, count: int, now: datetime, seed: int) -> None:
        self._count, self._now = count, now
        self._rng = np.random.default_rng(seed)
        self._steps: Counter[tuple[PersonKey, str]] = Counter()

    def __iter__(self) -> Iterator[Case]:
        rng, count = self._rng, self._count
        # after some twenty cases every ladder is at its years, and nobody adds many more
        people, places = max(count // 5, 10), max(count // 250, 4)
        ages = np.sort(rng.random(count))[::-1] * timedelta(days=365 * YEARS).total_seconds()
        who = rng.choice(people, count, p=_shares(people, 1 + people // 50, 0.5))
        where = rng.choice(places, count, p=_shares(places, 3, 1.0))
        what = rng.choice(list(_CATEGORIES), count, p=list(_CATEGORIES.values()))
        chances = rng.random((count, 7))
        for i in range(count):
            at = self._now - timedelta(seconds=float(ages[i]))
            chat = _chat(int(where[i]))
            person = PersonKey(chat.platform, str(100_000 + int(who[i])))
            if chances[i, 6] < 0.15:
                chat = ChatKey(chat.platform, f"9{person.user_id}", private=True)
            yield self._case(i + 1, person, chat, str(what[i]), at, chances[i])

    def _case(
        self, number: int, person: PersonKey, chat: ChatKey, category: str, at: datetime, chances: Sequence[float]
    ) -> Case:
        manual, shadow = chances[0] < _MANUAL and not chat.private, chances[1] < _SHADOW
        step = self._steps[person, category] + 1
        evidence = Evidence(_PROMPT.format(number), _ANSWER, _SCORES, _THRESHOLDS, "bundled-000000000000")
        mode = Mode.SHADOW if shadow and not manual else Mode.ENFORCE
        period = step_period(LADDERS[category], step)
        sanction = Sanction(category, step, at, period, mode, Evidence() if manual else evidence)
        by = moderator(int(chances[2] * 1000)) if manual else None
        issued = Event(Kind.ISSUED, at, by, "said it again and again" if manual else "")
        case = Case(number, person, chat, sanction, (issued,), None if manual else number, everywhere=not manual)
        case = replace(case, events=(issued, *self._later(case, chances)))
        if case.counts:
            self._steps[person, category] += 1
        if case.state is not State.APPEALED and case.end < self._now - RETENTION:
            kept = replace(evidence, prompt="", answer="") if not manual else Evidence()
            case = replace(case, sanction=replace(sanction, evidence=kept), blanked=True)
        return case

    def _later(self, case: Case, chances: Sequence[float]) -> Iterator[Event]:
        """At most four events more."""
        at, judge, hour = case.sanction.at, moderator(case.number), timedelta(hours=1)
        if case.sanction.felt:
            yield Event(Kind.NOTICED, min(at + timedelta(seconds=2), self._now), text="delivered")
        appealed = case.sanction.felt and chances[3] < _APPEALED
        if appealed:
            yield Event(Kind.APPEALED, min(at + hour, self._now), case.person, "노래 가사였어, 다시 봐 줘!")
        if chances[4] < (_ANSWERED if appealed else _JUDGED):
            kind = _DECIDED[int(chances[5] * len(_DECIDED))]
            shorter = case.sanction.period / 2 if kind is Kind.SHORTENED else None
            if shorter != timedelta(0):
                when = at + hour * (2 + 40 * chances[5])
                yield Event(kind, min(when, self._now), judge, "looked at the context", shorter)
        if chances[2] < _COMMENTED:
            yield Event(Kind.COMMENTED, min(at + 50 * hour, self._now), judge, "I know the song")


def moderator(number: int) -> PersonKey:
    """One of the thousand who moderate."""
    return PersonKey("discord", str(10_000 + number % 1000))


async def fill(url: str, log: Iterable[Case]) -> None:
    """A new record with these cases, each of a turn of its own but for those by hand. Raises RecordError."""
    async with await Record.open(url):
        pass  # it has its tables now
    database = await Database.open(url, LOCK_WAIT_S)
    try:
        left = iter(log)
        while some := list(islice(left, _AT_ONCE)):
            await database.write(partial(_insert, some))
    finally:
        await database.close()


def _insert(some: Sequence[Case], connection: Connection) -> None:
    judged = [case for case in some if case.turn is not None]
    heard = [{**rows.of_message(_message(case)), "id": case.turn, "state": ANSWERED} for case in judged]
    made = [
        {"id": case.turn, "inbox_id": case.turn, "final_input": "", "ethics_scores": _SCORES, "bookkeeping": NONE}
        for case in judged
    ]
    connection.execute(insert(inbox), heard)
    connection.execute(insert(turns), made)
    connection.execute(insert(cases), [{**rows.of_case(case), "number": case.number} for case in some])
    logged = [
        {**rows.of_event(event), "number": case.number, "position": position}
        for case in some
        for position, event in enumerate(case.events)
    ]
    connection.execute(insert(case_events), logged)


def _message(case: Case) -> IncomingMessage:
    return IncomingMessage(case.person, case.chat, f"m{case.number}", _PROMPT.format(case.number), case.sanction.at)


def _chat(place: int) -> ChatKey:
    if place == 0:
        return BUSIEST
    return ChatKey(PLATFORMS[place % 2], str(700_000 + place), private=False, place_id=str(500_000 + place))


def _shares(count: int, head: int, fall: float) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """(count,): the first ones have the most; `fall` 0 would be the same for all."""
    weights = (np.arange(count) + head) ** -fall
    shares: np.ndarray[tuple[int], np.dtype[np.float64]] = weights / weights.sum()
    return shares
