"""One task's prompts through a language model as a turn sends them: same gate, same attempts, but everything noted."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import perf_counter
from typing import Generic, TypeVar

from rich.console import Console
from rich.progress import Progress

from core import Policy, tasks
from core.messages import PersonKey
from core.ports import Completion, LanguageModel, Prompt
from core.timeinfo import WEEKDAYS, contradicts_calendar

T = TypeVar("T")
POLICY = Policy()
_MARK = re.compile(rf"\(지금은 ([{WEEKDAYS}])요일 (오전|오후|저녁)\)")
_MONDAY = datetime(2025, 1, 6, tzinfo=POLICY.zone)
_HOURS = {"오전": 9, "오후": 14, "저녁": 20}


@dataclass(frozen=True, slots=True)
class Written(Generic[T]):
    """What became of one prompt: the result, and every completion on the way to it.

    `rejected`: how many of those that ended did not pass the gate; `contradicted`: how many were against the calendar;
    `settled`: whether the last one passed both.
    """

    result: T
    completions: tuple[Completion, ...]
    rejected: int
    contradicted: int
    settled: bool

    @property
    def attempts(self) -> int:
        """Completions it took."""
        return len(self.completions)

    @property
    def tokens(self) -> int:
        """New tokens of all attempts."""
        return sum(completion.tokens for completion in self.completions)


@dataclass(frozen=True)
class Batch(Generic[T]):
    """Results in the order of the prompts, and how long they took together."""

    written: tuple[Written[T], ...]
    seconds: float


def moment_of(final_input: str) -> datetime | None:
    """Some moment to which the time mark in a final input fits, None without a mark."""
    marks = _MARK.findall(final_input)
    if not marks:
        return None
    weekday, part = marks[-1]  # persona recall may show another row's mark before it
    return _MONDAY + timedelta(days=WEEKDAYS.index(weekday), hours=_HOURS[part])


async def write(language: LanguageModel, task: tasks.Task[T], prompt: str, moment: datetime | None) -> Written[T]:
    """As core.Conversation writes it; what contradicts the calendar at `moment` is written again, hotter."""
    room = POLICY.answer_tokens - language.count_tokens(task.name, prompt)
    limit = task.max_new_tokens or max(room, 1)
    temperature, latest = task.temperature, task.fallback
    completions: list[Completion] = []
    rejected = contradicted = 0
    settled = False
    while not settled and len(completions) < task.attempts:
        wanted = Prompt(task.name, prompt, task.stop, limit, temperature, PersonKey("evaluation", "1"))
        completion = await language.complete(wanted)
        completions.append(completion)
        result = task.parse(completion.text, completion.ended)
        if isinstance(result, tasks.Rejected) or (task.fewer_than and completion.tokens >= task.fewer_than):
            rejected += completion.ended
            continue
        latest = result
        settled = not (moment and isinstance(result, str) and contradicts_calendar(result, moment, POLICY.zone))
        if not settled:
            contradicted += 1
            temperature += POLICY.retry_heat
    return Written(latest, tuple(completions), rejected, contradicted, settled)


async def write_all(
    language: LanguageModel, task: tasks.Task[T], prompts: Sequence[tuple[str, datetime | None]]
) -> Batch[T]:
    """All prompts at once, in whatever batches the engine makes of them."""
    started = perf_counter()
    written = await gathered(task.name, [write(language, task, prompt, moment) for prompt, moment in prompts])
    return Batch(tuple(written), perf_counter() - started)


async def gathered(label: str, work: Sequence[Awaitable[T]]) -> list[T]:
    """asyncio.gather with a progress bar on standard error."""
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(label, total=len(work))

        async def noted(one: Awaitable[T], advance: Callable[[], None]) -> T:
            result = await one
            advance()
            return result

        return list(await asyncio.gather(*(noted(one, lambda: progress.advance(bar)) for one in work)))
