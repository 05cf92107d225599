"""The language tasks on rows that no training saw: form, content, cost, and the answers themselves."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

from core import tasks
from core.expression import EYES, MOUTH, POSE, Expression
from models.training.evaluation import metrics, plots
from models.training.evaluation.cases import Case
from models.training.evaluation.metrics import Figures, mean, share
from models.training.evaluation.parts import Part, Picture, Table, confusion_table
from models.training.evaluation.writing import Batch

# task → what its figures' names begin with
PREFIX = {"output_message": "answer", "summary": "summary", "memory": "extraction", "eyes_mouth_pose": "expression",
          "tutor": "tutor_answer"}  # fmt: skip
_TEXTS = ("output_message", "summary", "tutor")
_ANSWERS = ("output_message", "tutor")
_ASPECTS = (("eyes", tuple(EYES)), ("mouth", tuple(MOUTH)), ("pose", tuple(POSE)))


@dataclass(frozen=True)
class Answers:
    """What `model` made of all cases of a task."""

    model: str
    task: str
    cases: Sequence[Case]
    batch: Batch[Any]

    @property
    def results(self) -> list[Any]:
        """In the order of the cases."""
        return [written.result for written in self.batch.written]


def part_of(answers: Answers, against: Answers | None = None) -> Part:
    """The section on one task; `against` stands beside it, answer by answer."""
    figures = figures_of(answers)
    pictures = [_attempts(answers), _tokens(answers)]
    tables = []
    if against is not None:
        other = figures_of(against)
        rows = [(name, value, other.get(name)) for name, value in figures.items()]
        tables.append(Table("The two models", ("figure", answers.model, against.model), rows))
    if answers.task == tasks.EYES_MOUTH_POSE.name:
        for place, (aspect, labels) in enumerate(_ASPECTS):
            confusion = _confusion(answers, place, labels)
            pictures.append(plots.confusion(f"Labels of {aspect}", confusion))
            tables.append(confusion_table(f"Labels of {aspect}, counted", confusion))
    tables.append(_side_by_side(answers, against))
    note = (
        f"{len(answers.cases)} rows that no training saw, completed as a turn completes them: same gate, same "
        f"attempts. An unseen phrasing asks for an intent that training knows in other words; an unseen intent has no "
        f"training row at all. Seconds are those of all rows, in the batches the engine makes, over the rows."
    )
    return Part(f"{answers.task} · {answers.model}", note, figures, tuple(pictures), tuple(tables))


def figures_of(answers: Answers) -> Figures:
    """Form and cost for every task, content for each in its own way; content also by what was unseen."""
    figures = _form(answers) | _content(answers, [True] * len(answers.cases))
    for name, unseen in (("phrasings", False), ("intents", True)):
        split = _content(answers, [case.unseen_intent == unseen for case in answers.cases])
        figures |= {f"{key}_unseen_{name}": value for key, value in split.items()}
    prefix = PREFIX[answers.task]
    return {f"{prefix}_{name}": value for name, value in figures.items()}


def _form(answers: Answers) -> Figures:
    """How completions ended, what they cost, and for tasks that write text how it reads."""
    written, count = answers.batch.written, len(answers.cases)
    completions = [completion for w in written for completion in w.completions]
    figures: Figures = {
        "rows": count,
        "ended_on_mark": share(sum(c.ended for c in completions), len(completions)),
        "format_errors": share(sum(w.rejected for w in written), len(completions)),
        "attempts": mean([w.attempts for w in written], 3),
        "tokens": mean([w.tokens for w in written], 1),
        "seconds": share(answers.batch.seconds, count, 3),
    }
    if answers.task in _TEXTS:
        texts = [result or "" for result in answers.results]
        figures |= {
            "empty": share(sum(not w.completions[0].text.strip() for w in written), count),
            "repeated": metrics.repeated(texts),
            "distinct_1": metrics.distinct(texts, 1),
            "distinct_2": metrics.distinct(texts, 2),
        }
    return figures | _answer_form(answers) if answers.task in _ANSWERS else figures


def _answer_form(answers: Answers) -> Figures:
    """What only her answers are measured by. `number_written` counts what the gate stripped too."""
    written, texts = answers.batch.written, answers.results
    completions = [completion for w in written for completion in w.completions]
    dated = [w for w, case in zip(written, answers.cases, strict=True) if case.moment]
    return {
        "no_reply": share(texts.count(tasks.NO_REPLY), len(texts)),
        "number_prefixed": share(sum(map(number_prefixed, texts)), len(texts)),
        "number_written": share(sum(number_prefixed(c.text) for c in completions), len(completions)),
        "weekday_rows": len(dated),
        "weekday_errors": share(sum(w.contradicted > 0 for w in dated), len(dated)),
        "weekday_errors_said": share(sum(w.contradicted > 0 and not w.settled for w in dated), len(dated)),
    }


def number_prefixed(text: str) -> bool:
    """Whether an answer begins like an item of a list."""
    text = text.lstrip()
    digits = len(text) - len(text.lstrip("0123456789"))
    return 0 < digits <= 2 and text[digits : digits + 1] in (".", ")") and not text[digits + 1 : digits + 2].isdigit()


def _content(answers: Answers, select: Sequence[bool]) -> Figures:
    chosen = list(compress(zip(answers.cases, answers.results, strict=True), select))
    expected, results = [case.expected for case, _ in chosen], [result for _, result in chosen]
    if answers.task == tasks.MEMORY.name:
        return {"f1": metrics.item_f1(expected, results), "nothing_right": metrics.nothing_right(expected, results)}
    if answers.task == tasks.EYES_MOUTH_POSE.name:
        pairs = list(zip(expected, results, strict=True))
        return {
            "all_equal": share(sum(a == b for a, b in pairs), len(pairs)),
            "within_one": share(sum(_steps(a, b) <= 1 for a, b in pairs), len(pairs)),
        }
    return {"overlap": mean([metrics.overlap(result or "", case.references) for case, result in chosen])}


def _steps(first: Expression, second: Expression) -> int:
    """How far apart the two are in the label that differs most."""
    return max(
        abs(labels.index(getattr(first, aspect)) - labels.index(getattr(second, aspect))) for aspect, labels in _ASPECTS
    )


def _confusion(answers: Answers, place: int, labels: tuple[str, ...]) -> metrics.Confusion:
    """Labels in English: pictures carry no Korean font."""
    aspect = _ASPECTS[place][0]
    shown = [Expression(**{aspect: label}).tag.split("_")[place].partition("-")[2] for label in labels]
    true = [labels.index(getattr(case.expected, aspect)) for case in answers.cases]
    said = [labels.index(getattr(result, aspect)) for result in answers.results]
    return metrics.Confusion.of(shown, true, said)


def _attempts(answers: Answers) -> Picture:
    counts = Counter(written.attempts for written in answers.batch.written)
    longest = max(counts, default=1)
    return plots.bars(
        "Attempts used", "attempts", "rows", {str(n): counts[n] for n in range(1, longest + 1)},
        f"{counts[1]} of {len(answers.cases)} rows needed one attempt, the longest took {longest}.",
    )  # fmt: skip


def _tokens(answers: Answers) -> Picture:
    tokens = [written.tokens for written in answers.batch.written]
    return plots.counts("New tokens per row, all attempts", "tokens", tokens)


def _side_by_side(answers: Answers, against: Answers | None) -> Table:
    header = ["prompt", "expected", answers.model, *([against.model] if against else []), "unseen"]
    columns = [answers.results, *([against.results] if against else [])]
    rows = [
        (case.shown, shown(case.expected), *map(shown, results), "intent" if case.unseen_intent else "phrasing")
        for case, *results in zip(answers.cases, *columns, strict=True)
    ]
    return Table("Prompts and what was written", tuple(header), rows, long=True)


def shown(result: object) -> str:
    """A result of any task as text."""
    if isinstance(result, Expression):
        return tasks.face_text(result)
    return f"[{result[0]}: {result[1]}]" if isinstance(result, tuple) else str(result or "–")
