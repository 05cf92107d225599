"""What people say while things break, and models that make of it what anybody can work out beforehand."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from benchmarks import _script
from benchmarks._script import LOVE, number_in
from core import Models, tasks
from core.ports import Completion, Prompt, Vectors
from models.fakes import FakeEncoder, FakeLanguageModel

# every so many messages one that love's ladder acts on
LOVE_EVERY = 5
# so many memories has a person at most: a newer one takes the place of its key
KEYS = 10


def text_of(number: int) -> str:
    """A person's message; they count from 1."""
    return f"{number}번 {LOVE}" if is_love(number) else f"{number}번 취미 이야기"


def is_love(number: int) -> bool:
    """Whether a message is sanctioned."""
    return number % LOVE_EVERY == 0


def reply_to(number: int) -> str:
    """What she answers."""
    return f"미안, {number}번은 부담스러워" if is_love(number) else f"{number}번 취미 좋다!"


def memory_of(number: int) -> tuple[str, str]:
    """Key and value of what she learns."""
    return f"취미 {number % KEYS}", f"{number}번 이야기"


def summary_of(number: int) -> str:
    """Of her answer."""
    return f"{number}번 요약"


def _rule(prompt: Prompt) -> str:
    if prompt.task != tasks.MEMORY.name:
        return _script.rule(prompt)
    key, value = memory_of(number_in(prompt.text))
    return f"[{key}: {value}] {prompt.stop}"


class _Language(FakeLanguageModel):
    """Takes its time, a few completions at once, and keeps nothing of what it was asked."""

    def __init__(self, takes_s: float, at_once: int) -> None:
        super().__init__(_rule)
        self._takes_s = takes_s
        self._places = asyncio.Semaphore(at_once)

    async def complete(self, prompt: Prompt) -> Completion:
        async with self._places:
            await asyncio.sleep(self._takes_s)
            completion = await super().complete(prompt)
            self.prompts.clear()
            return completion


class _Encoder(FakeEncoder):
    """Keeps nothing of what it was asked."""

    async def encode(self, texts: Sequence[str]) -> Vectors:
        vectors = await super().encode(texts)
        self.texts.clear()
        return vectors


def models(takes_s: float, at_once: int) -> Models:
    """Each completion takes `takes_s` seconds, `at_once` of them side by side; a turn needs four."""
    thinking = _script.models(_Language(takes_s, at_once))
    return replace(thinking, memory_encoder=_Encoder(), ethics_encoder=_Encoder())
