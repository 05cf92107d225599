"""Stored cases judged once more, by another encoder or other thresholds: which sanctions would be others.

Judged is what led to a case: scores, thresholds, her answer as it was. A sanction that goes or comes moves the later
steps of the same person and category as it would have then; cases by hand, and those whose prompt is blanked, stay.
What never became a case cannot be judged, so lower thresholds show no more than the other categories of known cases.
"""

from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.cases import Case, Kind, State
from core.ethics import CATEGORIES, Thresholds, acting
from core.messages import PersonKey, PlaceKey
from core.sanctions import Evidence, step_period
from core.text import neutralise, normalise
from models.encoder import Encodes
from models.training.thresholds import ethics_scores

# turns that are encoded together
_AT_ONCE = 256
# of the cases that change, or were only recorded, the newest are kept one by one
KEPT = 2000


@dataclass(frozen=True)
class Judge:
    """`encoder`: None takes the scores as they were; `thresholds`: None those of each case.

    `changed`: category → cosine, whatever the thresholds say; that of `normal` is its veto.
    """

    encoder: Encodes | None = None
    thresholds: Thresholds | None = None
    changed: Mapping[str, float] = field(default_factory=dict)

    def scores(self, evidence: Sequence[Evidence]) -> list[Mapping[str, float]]:
        """Category → cosine of each prompt, as a turn would have found them."""
        if self.encoder is None:
            return [one.scores for one in evidence]
        found = ethics_scores(self.encoder, [seen(one.prompt) for one in evidence])
        return [{name: round(float(row[i]), 4) for i, name in enumerate(CATEGORIES)} for row in found]

    def limits(self, evidence: Evidence) -> Thresholds:
        """What holds for a case; a category that was off in its place stays off."""
        own = self.thresholds
        acts = {**(evidence.thresholds if own is None else {**own.acts, "normal": own.veto}), **self.changed}
        veto = acts.pop("normal", Thresholds().veto)
        on = evidence.thresholds or acts
        return Thresholds({name: cosine for name, cosine in acts.items() if name in on}, veto)

    def can(self, case: Case) -> bool:
        """Whether everything is there that judging takes."""
        evidence = case.sanction.evidence
        return bool(evidence.prompt) and (self.encoder is not None or evidence.scores.keys() >= CATEGORIES.keys())


@dataclass(frozen=True, slots=True)
class Step:
    """A sanction."""

    step: int
    period: timedelta


@dataclass(frozen=True, slots=True)
class Judged:
    """A category of a turn, then and in the replay. `number`: its case, or the turn's first where it had none.

    `scores`, `normal`: cosines then and now, None where none was kept. `then`, `now`: None is no sanction.
    `shadow`: it was recorded and not felt; `now` is what it would be if it were. `state`: of the case.
    """

    number: int
    person: PersonKey
    category: str
    scores: tuple[float | None, float]
    normal: tuple[float | None, float]
    then: Step | None
    now: Step | None
    shadow: bool = False
    state: State | None = None


@dataclass(frozen=True, slots=True)
class _Mark:
    """What a case adds to the count of its category: `then`, `now`, and where shadow were enforced.

    `until`: when it was overturned. `place`: where alone it counts; None: everywhere.
    """

    then: bool
    now: bool
    shadow: bool = False
    until: datetime | None = None
    place: PlaceKey | None = None


@dataclass
class Person:
    """Numbers of the cases that blocked somebody `then`, and of those that would `now`, shadow ones included."""

    then: list[int] = field(default_factory=list)
    now: list[int] = field(default_factory=list)
    marks: dict[str, list[_Mark]] = field(default_factory=lambda: defaultdict(list))


class Replay:
    """Takes turns in their order; after `finish` its findings are complete.

    `counts`: (category, what became of it) → cases. `scores`: category → cosines of its cases, then and now.
    """

    def __init__(self, judge: Judge, ladders: Mapping[str, Sequence[timedelta]]) -> None:
        self._ladders = ladders
        self._waiting: list[list[Case]] = []
        self.judge = judge
        self.counts: Counter[tuple[str, str]] = Counter()
        self.changed: deque[Judged] = deque(maxlen=KEPT)
        self.people: dict[PersonKey, Person] = defaultdict(Person)
        self.scores: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in CATEGORIES}

    def add(self, turn: list[Case]) -> None:
        """The cases of one turn, or one by hand."""
        self._waiting.append(turn)
        if len(self._waiting) == _AT_ONCE:
            self.finish()

    def finish(self) -> None:
        """Judge what waits to be judged together."""
        turns, self._waiting = self._waiting, []
        judged = [turn[0] for turn in turns if self.judge.can(turn[0])]
        found = iter(self.judge.scores([case.sanction.evidence for case in judged]) if judged else ())
        for turn in turns:
            if self.judge.can(turn[0]):
                self._judge(turn, next(found))
            else:
                for case in turn:
                    self._keep(case)

    def _judge(self, turn: list[Case], scores: Mapping[str, float]) -> None:
        evidence = turn[0].sanction.evidence
        acted = acting(scores, evidence.answer, self.judge.limits(evidence))
        cases = {case.sanction.category: case for case in turn}
        for category in CATEGORIES:
            case = cases.get(category)
            if case is None and category not in acted:
                continue
            judged = self._judged(turn[0], case, category, scores, category in acted)
            self._count(judged)
            if judged.then != judged.now or judged.shadow:
                self.changed.append(judged)

    def _judged(self, first: Case, case: Case | None, category: str, scores: Mapping[str, float], acts: bool) -> Judged:
        """Then and now, with the step that each would be; the person's count goes on from there."""
        person = self.people[first.person]
        counting = [mark for mark in person.marks[category] if _counts(mark, first)]
        shadow = case is not None and not case.sanction.felt
        step = sum(mark.now or (shadow and mark.shadow) for mark in counting) + 1
        then = None
        if case is not None:
            step = max(step + case.sanction.step - 1 - sum(mark.then for mark in counting), 1)
            then = Step(case.sanction.step, case.sanction.period)
        same = then is not None and then.step == step
        now = (then if same else Step(step, step_period(self._ladders[category], step))) if acts else None
        person.marks[category].append(_mark(case, then=then is not None and not shadow, now=now is not None))
        number = (case or first).number
        if then and then.period and not shadow:
            person.then.append(number)
        if now and now.period:
            person.now.append(number)
        was = first.sanction.evidence.scores
        return Judged(
            number,
            first.person,
            category,
            (was.get(category), scores[category]),
            (was.get("normal"), scores["normal"]),
            None if shadow else then,
            now,
            shadow,
            None if case is None else case.state,
        )

    def _keep(self, case: Case) -> None:
        """As it was, for nobody can say otherwise."""
        category, felt = case.sanction.category, case.sanction.felt
        person = self.people[case.person]
        person.marks[category].append(_mark(case, then=felt, now=felt))
        if felt and case.sanction.period:
            person.then.append(case.number)
            person.now.append(case.number)
        self.counts[category, "by hand" if case.manual else "not replayable"] += 1

    def _count(self, judged: Judged) -> None:
        if judged.state is None:
            became = "comes"
        elif judged.shadow:
            became = "shadow" if judged.now else "shadow goes"
        elif judged.now is None:
            became = "goes"
        else:
            became = "stays" if judged.then == judged.now else "another step"
        self.counts[judged.category, became] += 1
        if judged.state is None:
            return
        self.counts[judged.category, f"{judged.state}, {'kept' if judged.now else 'gone'}"] += 1
        if self.judge.encoder is not None and judged.scores[0] is not None:
            then, now = self.scores[judged.category]
            then.append(judged.scores[0])
            now.append(judged.scores[1])


async def turns_of(cases: AsyncIterator[Case]) -> AsyncIterator[list[Case]]:
    """Cases in the order of their numbers → those of each turn together, those by hand alone."""
    turn: list[Case] = []
    async for case in cases:
        if turn and (case.manual or case.turn != turn[0].turn):
            yield turn
            turn = []
        turn.append(case)
    if turn:
        yield turn


def seen(prompt: str) -> str:
    """A prompt as the encoder gets it, but for the disguises that it undoes itself."""
    return neutralise(normalise(prompt))


def _counts(mark: _Mark, case: Case) -> bool:
    """Whether it counted when the case arose."""
    return (mark.until is None or mark.until > case.sanction.at) and mark.place in (None, case.place)


def _mark(case: Case | None, *, then: bool, now: bool) -> _Mark:
    if case is None:
        return _Mark(then, now)
    until = next((event.at for event in case.events if event.kind is Kind.OVERTURNED), None)
    shadow = not case.sanction.felt
    return _Mark(then, now and not shadow, now and shadow, until, None if case.everywhere else case.place)
