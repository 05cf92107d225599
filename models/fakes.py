"""Stand-ins for what thinks and for the time: deterministic, quick, without weights.

They ship with the product, so that an adapter can be tried where no model is.
"""

import zlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np

from core.expression import Expression
from core.ports import Completion, Prompt, Vectors
from core.tasks import EYES_MOUTH_POSE, MEMORY, OUTPUT_MESSAGE, SUMMARY, face_text

CHARACTERS_PER_TOKEN = 2
_MEANWHILE = {
    OUTPUT_MESSAGE.name: "응, 듣고 있어!",
    SUMMARY.name: "듣고 있다고 했다",
    MEMORY.name: "",
    EYES_MOUTH_POSE.name: face_text(Expression()),
}

Rule = Callable[[Prompt], str]


def plain_rule(prompt: Prompt) -> str:
    """The same good completion for every prompt of a task; nothing to remember."""
    return f"{_MEANWHILE[prompt.task]} {prompt.stop}"


def count_tokens(text: str) -> int:
    """Two characters are a token, and so is an odd one at the end."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


class FakeLanguageModel:
    """A core.ports.LanguageModel that writes what `rule` says, the end mark included.

    Without the end mark, or with one beyond `max_new_tokens`, the limit comes first. `prompts`: all it was asked.
    """

    def __init__(self, rule: Rule = plain_rule) -> None:
        self.rule = rule
        self.prompts: list[Prompt] = []

    async def complete(self, prompt: Prompt) -> Completion:
        """What the rule writes before the end mark, as far as the limit allows."""
        self.prompts.append(prompt)
        written = self.rule(prompt)
        before, mark, _ = written.partition(prompt.stop)
        tokens = count_tokens(before + mark)
        if mark and tokens <= prompt.max_new_tokens:
            return Completion(before, ended=True, tokens=tokens)
        limit = prompt.max_new_tokens * CHARACTERS_PER_TOKEN
        return Completion(written[:limit], ended=False, tokens=prompt.max_new_tokens)

    def count_tokens(self, task: str, text: str) -> int:
        """Two characters each, whatever the task."""
        del task
        return count_tokens(text)


class FakeEncoder:
    """A core.ports.Encoder over hashed pairs of neighbouring characters: texts that share many are similar.

    `texts`: all it was asked to encode.
    """

    def __init__(self, width: int = 512) -> None:
        self._width = width
        self.texts: list[str] = []

    async def encode(self, texts: Sequence[str]) -> Vectors:
        """(len(texts), width), each row of length 1."""
        self.texts += texts
        return np.stack([self._vector(text) for text in texts]) if texts else np.empty((0, self._width), np.float32)

    def _vector(self, text: str) -> Vectors:
        framed = f"\x02{text}\x03"
        counts = np.zeros(self._width, np.float32)
        for first, second in pairwise(framed):
            # not hash(): it differs from one process to the next
            counts[zlib.crc32((first + second).encode("utf-8", "surrogatepass")) % self._width] += 1
        return counts / np.linalg.norm(counts)


class FakeClock:
    """A core.ports.Clock that stands still until somebody moves it."""

    def __init__(self, moment: datetime = datetime(2025, 11, 21, 3, tzinfo=UTC)) -> None:
        self.moment = moment

    def now(self) -> datetime:
        """The moment it was set to, in UTC."""
        return self.moment.astimezone(UTC)

    def move(self, by: timedelta) -> None:
        """Let time pass."""
        self.moment += by
