"""The tutor's texts and questions (behaviour.md §9), each question with the whole text that answers it."""

from dataclasses import dataclass
from pathlib import Path

from core.errors import ConfigurationError
from models.datasets.schema import ROOT, TutorQuestion, TutorText, read_rows


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


def _there(path: Path) -> Path:
    if not path.is_file():
        raise ConfigurationError(f"no such file: {path}")
    return path
