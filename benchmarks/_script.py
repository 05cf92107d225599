"""A fixed conversation whose every turn is known beforehand.

Each message carries its number; whatever the models write about it carries the same number, so that the record can be
checked without asking the code under test.
"""

import re
from datetime import UTC, datetime, timedelta

from core import Models, tasks
from core.ethics import Thresholds
from core.messages import ChatKey, IncomingMessage, PersonKey
from core.ports import LanguageModel, Prompt
from models.fakes import FakeEncoder

PLATFORM = "crash"
PEOPLE = ("mina", "jun")
ROUNDS = 5
# a word of love's category name, so that the fake encoder finds it similar
LOVE = "사랑 고백"
START = datetime(2025, 3, 3, 3, 0, tzinfo=UTC)
# longer than the longest block of this script (24 hours, the third step of love): nobody is blocked in the next round
BETWEEN_ROUNDS = timedelta(days=20)

_NUMBER = re.compile(r"(\d+)번")
# cosines lie in -1 … 1
_NEVER = 2.0
_SIMILAR = 0.3


def rounds(now: datetime) -> list[list[IncomingMessage]]:
    """What is said at the same time, round after round: two messages from each person.

    The second message of every other round is one that love's ladder acts on: a warning, 1 hour, 24 hours.
    """
    return [
        [
            _message(person, 2 * index + place, now + index * BETWEEN_ROUNDS, loving=place == 2 and index % 2 == 0)
            for place in (1, 2)
            for person in PEOPLE
        ]
        for index in range(ROUNDS)
    ]


def _message(user_id: str, number: int, sent_at: datetime, *, loving: bool) -> IncomingMessage:
    text = f"{number}번 {LOVE}" if loving else f"{number}번 취미 이야기"
    person, chat = PersonKey(PLATFORM, user_id), ChatKey(PLATFORM, f"home of {user_id}", private=True)
    return IncomingMessage(person, chat, f"{user_id}-{number}", text, sent_at)


def number_in(text: str) -> int:
    """The number of the message a prompt is about: the last one in it, behind the summary of an earlier turn."""
    return int(_NUMBER.findall(text)[-1])


def rule(prompt: Prompt) -> str:
    """models.fakes.Rule: what is written about the message in a prompt."""
    number = number_in(prompt.text)
    written = {
        tasks.OUTPUT_MESSAGE.name: f"미안, {number}번은 부담스러워"
        if LOVE in prompt.text
        else f"{number}번 취미 좋다!",
        tasks.MEMORY.name: f"[취미 {number}: {number}번 이야기]",
        tasks.SUMMARY.name: f"{number}번 요약",
        tasks.EYES_MOUTH_POSE.name: tasks.face_text(tasks.EYES_MOUTH_POSE.fallback),
    }[prompt.task]
    return f"{written} {prompt.stop}"


def models(language: LanguageModel) -> Models:
    """Only love acts, and no memory is recalled, so that every prompt starts with the last turn's summary."""
    acts = {"love": _SIMILAR, "politics": _NEVER, "insult": _NEVER, "hate": _NEVER}
    ethics = Thresholds(acts, veto=_NEVER)
    return Models(language, FakeEncoder(), _NEVER, FakeEncoder(), ethics, None, "script")
