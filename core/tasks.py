"""The four language-model tasks: prompt, stop mark, sampling, and the gate a completion must pass (behaviour.md §4).

Parsing never raises: a completion is either a result or `REJECTED`, and a rejected one is written again.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from itertools import cycle, islice
from typing import Final, Generic, TypeVar

from core.expression import EYES, MOUTH, POSE, Expression

ANSWER_START, ANSWER_END = "(답변 시작)", "(답변 종료)"
SUMMARY_START, SUMMARY_END = "(요약 시작)", "(요약 종료)"
FACE_START, FACE_END = "(표정 출력 시작)", "(표정 출력 종료)"
LAST_SUMMARY, LAST_ANSWER = "(오로라 답변 요약)", "(오로라 답변)"
QUESTION, GIVEN, ARROW = "(사용자 질문)", "(제공된 정보)", "→"
MARKS = (
    ANSWER_START, ANSWER_END, SUMMARY_START, SUMMARY_END, FACE_START, FACE_END,
    LAST_SUMMARY, LAST_ANSWER, QUESTION, GIVEN, ARROW,
)  # fmt: skip

NO_REPLY = "(읽씹)"

T = TypeVar("T")


class Rejected(Enum):
    """A completion that did not pass the gate."""

    REJECTED = "rejected"


REJECTED: Final = Rejected.REJECTED


@dataclass(frozen=True)
class Task(Generic[T]):
    """One adapter's work. `max_new_tokens` None: what is left of the answer's total (Policy.answer_tokens).

    `fewer_than`: a completion of this many new tokens or more is rejected, even when it ended. `likely`: words that its
    completions are made of, which saves time and changes nothing else.
    """

    name: str
    stop: str
    max_new_tokens: int | None
    temperature: float
    attempts: int
    parse: Callable[[str, bool], T | Rejected]
    fallback: T
    fewer_than: int | None = None
    likely: str = ""


_STRAY = ("답변 종료", "답변 시작", "(사용자", "요약)", "(요약", "(오로라", "(제공된", "(지금은", "표정 출력", ARROW)
_NUMBERED = re.compile(r"^\s*(?:\d{1,2}\s*[.)](?!\d)\s*|[-*•]\s+)+")
_ITEM = re.compile(r"\[\s*([^\[\]:\s][^\[\]:]*?)\s*:\s*([^\[\]\s][^\[\]]*?)\s*\]")
_FACE = re.compile(r"\(?\s*눈\s*([가-힣 ]+?)\s*,\s*입\s*([가-힣 ]+?)\s*,\s*고개\s*돌림\s*([가-힣 ]+?)\s*\)?$")


def clean(completion: str) -> str | Rejected:
    """What every task shares: invisible spaces removed, no addresses."""
    text = completion.replace("\u200b", "").replace("\xa0", "").strip()
    return REJECTED if "http" in text else text


def parse_answer(completion: str, ended: bool) -> str | Rejected:
    """Her answer: not empty, no stray mark, no leading list number; two known slips are mended."""
    text = clean(completion)
    if text is REJECTED or not ended:
        return REJECTED
    text = _NUMBERED.sub("", text).replace("오늘는", "오늘은").replace("내일는", "내일은").strip()
    return REJECTED if not text or "\ufffd" in text or any(mark in text for mark in _STRAY) else text


def parse_summary(completion: str, ended: bool) -> str | Rejected:
    """At least 2 characters, ended within the limit, no stray mark."""
    text = clean(completion)
    if text is REJECTED or not ended or len(text) < 2 or any(mark in text for mark in _STRAY):
        return REJECTED
    return text


def parse_memory(completion: str, ended: bool) -> tuple[str, str] | Rejected | None:
    """(key, value) of exactly one `[key: value]`; None when there is nothing to remember."""
    text = clean(completion)
    if text is REJECTED or not ended or "\ufffd" in text or " " * 5 in text:
        return REJECTED
    if not text:
        return None
    folded = text.translate(str.maketrans("(){}", "[][]"))
    match = _ITEM.fullmatch(folded)
    return (match[1], match[2]) if match else REJECTED


def parse_expression(completion: str, ended: bool) -> Expression | Rejected:
    """The three labels."""
    text = clean(completion)
    match = _FACE.search(text) if text is not REJECTED and ended else None
    if match is None or match[1] not in EYES or match[2] not in MOUTH or match[3] not in POSE:
        return REJECTED
    return Expression(*match.groups())


def face_text(expression: Expression) -> str:
    """The completion that means `expression`."""
    return f"(눈 {expression.eyes}, 입 {expression.mouth}, 고개 돌림 {expression.pose})"


def _every_label() -> str:
    """Faces that have every label among them, the commonest last."""
    faces = map(Expression, cycle(EYES), cycle(MOUTH), cycle(POSE))
    return " ".join(map(face_text, [*islice(faces, len(EYES)), Expression()]))


OUTPUT_MESSAGE = Task[str]("output_message", ANSWER_END, None, 0.6, 5, parse_answer, NO_REPLY)
SUMMARY = Task[str | None]("summary", SUMMARY_END, 64, 0.6, 3, parse_summary, None, fewer_than=60)
MEMORY = Task[tuple[str, str] | None]("memory", SUMMARY_END, 24, 0.6, 5, parse_memory, None, fewer_than=24)
EYES_MOUTH_POSE = Task[Expression](
    "eyes_mouth_pose", FACE_END, 36, 1.0, 5, parse_expression, Expression(), likely=_every_label()
)
TASKS = (OUTPUT_MESSAGE, SUMMARY, MEMORY, EYES_MOUTH_POSE)


def with_summary(summary: str, prompt: str) -> str:
    """The final input of a turn whose prompt matches no memory but follows another."""
    return f"{LAST_SUMMARY} {summary} {QUESTION} {prompt}"


def with_recall(question: str, answer: str, final_input: str) -> str:
    """The final input behind the most related of our own persona rows."""
    return f"{GIVEN} {question} {ARROW} {answer} {QUESTION} {final_input}"


def answer_prompt(final_input: str) -> str:
    """For `output_message`; the completion is `{answer} (답변 종료)`."""
    return f"{final_input} {ANSWER_START}"


def summary_prompt(final_input: str, answer: str) -> str:
    """For `summary`; the completion is `{summary} (요약 종료)`."""
    return f"{final_input} {LAST_ANSWER} {answer} {SUMMARY_START}"


def memory_prompt(final_input: str) -> str:
    """For `memory`; the completion is `[key: value] (요약 종료)`, or just the end mark."""
    return f"{final_input} {SUMMARY_START}"


def expression_prompt(answer: str) -> str:
    """For `eyes_mouth_pose`; the completion is three labels and the end mark."""
    return f"{answer} {FACE_START}"
