"""What a replay of stored cases found, as a section of a report. No prompts: reports outlive what a record forgets."""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from core import texts
from core.messages import PersonKey
from models.training.evaluation import plots
from models.training.evaluation.ethics import SANCTIONED
from models.training.evaluation.metrics import Figures, share
from models.training.evaluation.parts import Part, Picture, Table
from models.training.evaluation.replay import KEPT, Judged, Replay, Step

# what became of a case → as a table calls it
_BECAME = {
    "stays": "stays",
    "another step": "other step",
    "goes": "gone",
    "comes": "new",
    "shadow": "shadow acts",
    "shadow goes": "shadow gone",
    "not replayable": "unknown",
    "by hand": "by hand",
}
_NUMBERS = 20


def part_of(replay: Replay) -> Part:
    """Figures, who would be concerned, and the newest cases that would be others."""
    note = (
        "Each stored case judged once more: its prompt and her answer as they were, with the model and the thresholds "
        "named above. A sanction that goes or comes moves the later steps of the same person. Cases that were only "
        "recorded are shown as if they were enforced. A category that a place had switched off stays off; what a "
        "place chose for itself otherwise counts only where scores and thresholds of the case are kept. Not "
        "replayable are cases whose prompt was deleted after its time. What never became a case is in no record, so "
        "nothing here says how much more lower thresholds would find. `/mod case N` shows what was said."
    )
    return Part("cases", note, _figures(replay), tuple(_pictures(replay)), tuple(_tables(replay)))


def changes(replay: Replay) -> Table:
    """The same cases in fewer columns, for a terminal."""
    header = ("case", "person", "category", "score", "decision", "moderators")
    rows = []
    for row in map(_row, reversed(replay.changed)):
        number, who, category, score, now_score, _, _, then, now, state = row
        scores = score if score == now_score else f"{score} → {now_score}"
        rows.append((number, who, category, scores, f"{then} → {now}", state))
    return Table("Cases that would be others, the newest first", header, rows)


def _figures(replay: Replay) -> Figures:
    of_all: Counter[str] = Counter()
    for (_, became), cases in replay.counts.items():
        of_all[became] += cases
    kept = ("stays", "another step", "goes", "shadow", "shadow goes")
    replayed = sum(of_all[became] for became in kept)
    overturned = of_all["overturned, kept"] + of_all["overturned, gone"]
    upheld = of_all["upheld, kept"] + of_all["upheld, gone"]
    return {
        "cases": replayed + of_all["not replayable"] + of_all["by hand"],
        "cases_replayed": replayed,
        "cases_not_replayable": of_all["not replayable"],
        "cases_by_hand": of_all["by hand"],
        "cases_stay": of_all["stays"],
        "cases_another_step": of_all["another step"],
        "cases_would_not_arise": of_all["goes"],
        "cases_would_newly_arise": of_all["comes"],
        "cases_recorded_only_would_act": of_all["shadow"],
        "people_not_blocked_any_more": len(_spared(replay)),
        "people_newly_blocked": len(_struck(replay)),
        "overturned_would_not_arise": share(of_all["overturned, gone"], overturned),
        "upheld_would_arise": share(of_all["upheld, kept"], upheld),
    }


def _pictures(replay: Replay) -> Iterable[Picture]:
    """Only where scores are new ones."""
    for category in SANCTIONED:
        then, now = replay.scores[category]
        if then:
            groups = {"then": np.array(then, np.float32), "replay": np.array(now, np.float32)}
            own = replay.judge.thresholds
            limit = replay.judge.changed.get(category, own.acts.get(category) if own else None)
            yield plots.histogram(f"Scores of {category} cases", groups, limit)


def _tables(replay: Replay) -> Iterable[Table]:
    rows = [(name, *(replay.counts[name, became] for became in _BECAME)) for name in SANCTIONED]
    caption = "What would become of the cases (new: would arise beside them; shadow: only recorded; unknown: no prompt)"
    yield Table(caption, ("category", *_BECAME.values()), rows)
    yield _who("Would not have been blocked", "was by case", _spared(replay))
    yield _who("Would have been blocked", "by case", _struck(replay))
    columns = (
        "case", "person", "category", "score then", "in the replay", "normal then", "in the replay", "then",
        "in the replay", "moderators",
    )  # fmt: skip
    caption = f"Cases that would be others, and those only recorded (the newest {KEPT} at most)"
    yield Table(caption, columns, [_row(judged) for judged in reversed(replay.changed)], long=True)


def _spared(replay: Replay) -> list[tuple[PersonKey, Sequence[int]]]:
    """Who was blocked, and would not have been; with their cases."""
    return [(who, one.then) for who, one in replay.people.items() if one.then and not one.now]


def _struck(replay: Replay) -> list[tuple[PersonKey, Sequence[int]]]:
    """Who was never blocked, and would have been."""
    return [(who, one.now) for who, one in replay.people.items() if one.now and not one.then]


def _who(caption: str, by: str, people: Sequence[tuple[PersonKey, Sequence[int]]]) -> Table:
    rows = [(_name(who), _some(numbers)) for who, numbers in people[:KEPT]]
    return Table(caption, ("person", by), rows, long=True)


def _row(judged: Judged) -> tuple[object, ...]:
    then = "recorded only" if judged.shadow else _said(judged.then)
    state = "–" if judged.state is None else judged.state.value
    pairs = (*judged.scores, *judged.normal)
    return (judged.number, _name(judged.person), judged.category, *pairs, then, _said(judged.now), state)


def _said(step: Step | None) -> str:
    if step is None:
        return "–"
    length = texts.period("en", step.period) if step.period else "warning"
    return f"step {step.step}: {length}"


def _name(person: PersonKey) -> str:
    return f"{person.platform}:{person.user_id}"


def _some(numbers: Sequence[int]) -> str:
    """Two of a turn have one number."""
    different = list(dict.fromkeys(numbers))
    shown = ", ".join(map(str, different[:_NUMBERS]))
    return f"{shown}, …" if len(different) > _NUMBERS else shown
