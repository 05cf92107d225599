"""The tutor's texts and questions (behaviour.md §9), each question with the whole text that answers it."""

from dataclasses import dataclass, replace
from pathlib import Path

from core import recall, tasks
from core.errors import ConfigurationError
from core.expression import Expression
from models.datasets.schema import ROOT, TutorQuestion, TutorText, read_rows
from models.training.rows import Row

NOTHING_GIVEN = "알맞은 정보를 찾을 수 없음"
# a tutor's answer has the form of any answer
TUTOR = replace(tasks.OUTPUT_MESSAGE, name="tutor")


@dataclass(frozen=True, slots=True)
class Asked:
    """`text` is "" where none answers; `score` is set where the row says how well, instead of 1."""

    question: str
    text: str
    answer: str
    score: float | None


def texts(path: Path | None) -> dict[str, str]:
    """Name → text as it is embedded and shown: our own, or those of a file."""
    return {row.name: row.text for row in read_rows(_there(path or ROOT / "tutor_texts.jsonl"), TutorText)}


def questions(data: Path | None, texts_of: Path | None, split: str) -> list[Asked]:
    """The questions of one split; a row gives its text whole or by name."""
    named = texts(texts_of) if data is None or texts_of is not None else {}
    rows = read_rows(_there(data or ROOT / "tutor_questions.jsonl"), TutorQuestion)
    return [
        Asked(row.question, named.get(row.text, row.text), row.answer, row.score)
        for row in rows
        if row.data_type == split
    ]


def row_of(asked: Asked) -> Row:
    """What the tutor is asked, behind the text it found, is its final input; nothing stands before that.

    Questions about one text are of one intent.
    """
    final_input = f"{tasks.GIVEN} {asked.text or NOTHING_GIVEN} {tasks.QUESTION} {asked.question}"
    return Row(asked.text, final_input, "", "", recall.NO_CONTEXT, asked.answer, "", "", Expression())


def _there(path: Path) -> Path:
    if not path.is_file():
        raise ConfigurationError(f"no such file: {path}")
    return path
