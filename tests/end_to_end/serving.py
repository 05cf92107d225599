"""The whole service over fakes that think at once: real adapters, real record, real commands."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bot.adapters.base import Adapter
from bot.app import App, SystemClock, assemble
from bot.config import Settings
from core import Models
from core.ethics import CATEGORIES, Thresholds
from core.ports import Clock, Completion, Prompt, Vectors
from core.tasks import OUTPUT_MESSAGE
from models.fakes import FakeEncoder, FakeLanguageModel, Rule, plain_rule
from storage.hot import InProcess
from storage.record import Record

# in these words only: whoever says them crosses the line of a category
CROSSING = {"사랑해": "love", "꺼져": "hate"}


class FakeJudge(FakeEncoder):
    """An ethics encoder that finds a category's name in the words of CROSSING, and 일반 in all others."""

    async def encode(self, texts: Sequence[str]) -> Vectors:
        """(len(texts), width), each row of length 1."""
        return await super().encode([self._meant(text) for text in texts])

    def _meant(self, text: str) -> str:
        found = next((name for word, name in CROSSING.items() if word in text), "normal")
        return text if text in CATEGORIES.values() else CATEGORIES[found]


class HesitantModel(FakeLanguageModel):
    """Finds no answer before `let` is set; `asked` is set whenever it is asked for one, `times` counts."""

    def __init__(self, rule: Rule = plain_rule) -> None:
        super().__init__(rule)
        self.asked, self.let, self.times = asyncio.Event(), asyncio.Event(), 0

    async def complete(self, prompt: Prompt) -> Completion:
        """What the rule writes, once an answer may be found."""
        if prompt.task == OUTPUT_MESSAGE.name:
            self.times += 1
            self.asked.set()
            await self.let.wait()
        return await super().complete(prompt)


def answering(answer: str) -> Rule:
    """Always this answer, and nothing to remember."""
    return lambda prompt: f"{answer} {prompt.stop}" if prompt.task == OUTPUT_MESSAGE.name else plain_rule(prompt)


@dataclass
class Serving:
    """A service under way."""

    app: App
    record: Record
    language: FakeLanguageModel
    task: asyncio.Task[None] = field(repr=False)


@asynccontextmanager
async def serving(
    folder: Path, adapters: Sequence[Adapter], language: FakeLanguageModel | None = None, clock: Clock | None = None,
    /, **settings: object,
) -> AsyncIterator[Serving]:  # fmt: skip
    """Started, and stopped at the end; a start-up error or a later failure comes out of the block."""
    language = language or FakeLanguageModel()
    values: dict[str, object] = {"data_dir": folder, "cache_dir": folder.parent / "faces", **settings}
    models = Models(language, FakeEncoder(), 0.3, FakeJudge(), Thresholds(), None, "fakes")
    chosen = Settings.model_validate(values)
    time = clock or SystemClock()
    hot = partial(InProcess, clock=lambda: time.now().timestamp())
    async with await Record.open(chosen.record, hot=hot) as record:
        app = assemble(chosen, record, models, adapters, time)
        task = asyncio.create_task(app.run())
        try:
            yield Serving(app, record, language, task)
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
