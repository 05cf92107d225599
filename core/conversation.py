"""The turn, top to bottom, in the order a person would tell it (behaviour.md §2)."""

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import TypeVar
from zoneinfo import ZoneInfo

import numpy as np

from core import cases, memory, recall, sanctions, tasks, texts
from core.ethics import CATEGORIES, Thresholds, acting
from core.messages import IncomingMessage, Notice, NoticeKind, PersonKey, Reply, Turn
from core.notices import notice, sanction_notices
from core.order import Lines
from core.ports import Clock, Counters, Encoder, Fence, LanguageModel, Past, Prompt, TurnStore, Vectors
from core.rules import Bounds, Rulebook, Rules
from core.text import neutralise, normalise, unmask
from core.timeinfo import contradicts_calendar, with_time

T = TypeVar("T")

# No language packs a token into more characters than this on average; longer texts are refused unread.
_CHARACTERS_PER_TOKEN = 16


@dataclass(frozen=True)
class Policy:
    """The numbers of a turn; their home is bot.config.Settings."""

    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Seoul"))
    birthday: date = date(2003, 10, 11)
    prompt_tokens: int = 40
    answer_tokens: int = 128
    # memory, summary and recall are left out where they would leave less than this for the answer
    answer_room: int = 48
    retry_heat: float = 0.1
    # nobody waits longer for one completion of an answer
    within_s: float = 300.0
    # a blocked person is told so at most this often
    tell_blocked_every: timedelta = timedelta(minutes=10)
    ladders: Mapping[str, tuple[timedelta, ...]] = field(default_factory=lambda: sanctions.LADDERS)
    bounds: Bounds = field(default_factory=Bounds)

    def her_age(self, now: datetime) -> int:
        """In years, on the day it is where she lives."""
        today, born = now.astimezone(self.zone).date(), self.birthday
        return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


@dataclass(frozen=True)
class Models:
    """What thinks: one language model, two encoders with their thresholds, and the rows to recall, if any.

    `version` names them in the evidence of a sanction.
    """

    language: LanguageModel
    memory_encoder: Encoder
    memory_threshold: float
    ethics_encoder: Encoder
    ethics_thresholds: Thresholds
    recall: recall.PersonaIndex | None
    version: str


class Conversation:
    """오로라 talking: `reply` finds what she says, `remember` what she keeps of it.

    Both belong inside `exclusive(person)`, so that a person's next turn waits for the bookkeeping of the last.
    Errors: EngineError when the models fail, RecordError when the record does; nothing is written then.
    """

    def __init__(
        self,
        models: Models,
        turns: TurnStore,
        clock: Clock,
        policy: Policy,
        counters: Counters | None = None,
        rulebook: Rulebook | None = None,
    ) -> None:
        """`counters`: without them a blocked person is told so each time. `rulebook`: where the operator's rules may
        change meanwhile; else those of the models and the policy hold."""
        self._rulebook = rulebook or Rulebook(models.ethics_thresholds, policy.ladders, policy.bounds)
        self._models = models
        self._turns = turns
        self._clock = clock
        self._policy = policy
        self._lines = Lines()
        self._category_vectors: Vectors | None = None
        self._counters = counters

    def exclusive(self, person: PersonKey) -> AbstractAsyncContextManager[None]:
        """One turn at a time for a person, in the order of asking; different persons do not wait for each other."""
        return self._lines.of(person)

    async def reply(self, message: IncomingMessage) -> Turn:
        """What 오로라 answers, with her face and whatever notices are due. Writes nothing."""
        now = self._clock.now()
        past = await self._turns.past(message.person, message.chat)
        current = cases.standing(past.cases, now, message.chat.place)
        if current.blocked_until is not None:
            return await self._blocked(message, current.blocked_until, current.reasons)
        turn = await self._unblocked(message, past, current, now)
        if past.person.introduced:
            return turn
        introduction = notice(message.language, NoticeKind.INTRODUCTION)
        return replace(turn, reply=replace(turn.reply, notices=(*turn.reply.notices, introduction)))

    async def _unblocked(self, message: IncomingMessage, past: Past, current: cases.Standing, now: datetime) -> Turn:
        if len(message.text) > self._policy.prompt_tokens * _CHARACTERS_PER_TOKEN:
            return _only(message, notice(message.language, NoticeKind.TOO_LONG))
        prompt = neutralise(normalise(message.text))
        if not prompt:
            return _only(message, notice(message.language, NoticeKind.EMPTY))
        if self._models.language.count_tokens(tasks.OUTPUT_MESSAGE.name, prompt) > self._policy.prompt_tokens:
            return _only(message, notice(message.language, NoticeKind.TOO_LONG))
        rules = self._rulebook.of(past.place)  # now: a turn is judged by what it began with
        vectors, scores = await asyncio.gather(self._models.memory_encoder.encode([prompt]), self._score(prompt))
        final_input, asked = self._final_input(message, prompt, vectors[0], past, now)
        answer = await self._answer(message.person, self._recalled(final_input, asked, now), now)
        face = await self._write(tasks.EYES_MOUTH_POSE, tasks.expression_prompt(answer), message.person)
        issued = self._judge(message, answer, scores, rules, current, now)
        reply = Reply(message, answer, face, sanction_notices(message.language, issued))
        return Turn(reply, "" if past.person.paused else final_input, issued, scores)

    async def remember(self, turn_id: int, turn: Turn, fence: Fence | None = None) -> None:
        """Extract memory and summary and store them, once for each turn. Raises Superseded by `fence`."""
        person, scope = turn.message.person, turn.message.chat.scope
        learned, summary = await asyncio.gather(
            self._write(tasks.MEMORY, tasks.memory_prompt(turn.final_input), person),
            self._write(tasks.SUMMARY, tasks.summary_prompt(turn.final_input, turn.reply.text), person),
        )
        learned_texts = _readings(learned)
        wanted = [*learned_texts, *([summary] if summary else [])]
        vectors = await self._models.memory_encoder.encode(wanted) if wanted else np.empty((0, 0), np.float32)
        new = None
        if learned:
            aged = vectors[1] if len(learned_texts) > 1 else None
            new = memory.MemoryItem(*learned, scope, turn.message.sent_at, vectors[0], aged)
        change = partial(memory.change, new=new, now=turn.message.sent_at, zone=self._policy.zone)
        kept = memory.Summary(summary, vectors[-1]) if summary else None
        await self._turns.remember(turn_id, change, kept, fence)

    async def _blocked(self, message: IncomingMessage, until: datetime, reasons: tuple[str, ...]) -> Turn:
        told = f"told blocked:{message.person.platform}:{message.person.user_id}"
        if self._counters and await self._counters.count(told, self._policy.tell_blocked_every) > 1:
            return Turn(Reply(message))
        shown = texts.moment(message.language, until, self._policy.zone)
        category = texts.categories(message.language, reasons)
        return _only(message, notice(message.language, NoticeKind.BLOCKED, category=category, until=shown))

    async def _score(self, prompt: str) -> dict[str, float]:
        """Cosine of the prompt with each category name; the names are embedded once."""
        encoder = self._models.ethics_encoder
        if self._category_vectors is None:
            self._category_vectors = await encoder.encode(list(CATEGORIES.values()))
        cosines = self._category_vectors @ (await encoder.encode([unmask(prompt)]))[0]
        return {category: round(float(cosine), 4) for category, cosine in zip(CATEGORIES, cosines, strict=True)}

    def _final_input(
        self, message: IncomingMessage, prompt: str, vector: Vectors, past: Past, now: datetime
    ) -> tuple[str, recall.Asked]:
        """The prompt behind what it needs of the past, and what persona recall compares."""
        timed = with_time(prompt, now, self._policy.zone)
        marked = timed != prompt
        if past.person.paused:
            return timed, recall.Asked(vector, marked)
        scope, threshold = message.chat.scope, self._models.memory_threshold
        item = memory.best(past.items, vector, threshold, scope, now, self._policy.zone)
        if item is not None and self._leaves_room(reminded := f"{item.text} {timed}"):
            return reminded, recall.Asked(vector, marked, recall.MEMORY, item.vector)
        summary = past.summary
        if summary is not None and self._leaves_room(following := tasks.with_summary(summary.text, timed)):
            return following, recall.Asked(vector, marked, recall.SUMMARY, summary.vector)
        return timed, recall.Asked(vector, marked)

    def _leaves_room(self, final_input: str) -> bool:
        """Whether an answer still fits behind it; a context that does not leave it that room stays out."""
        used = self._models.language.count_tokens(tasks.OUTPUT_MESSAGE.name, tasks.answer_prompt(final_input))
        return used + self._policy.answer_room <= self._policy.answer_tokens

    async def _answer(self, person: PersonKey, final_input: str, now: datetime) -> str:
        """Up to five attempts at an answer that passes the gate and the calendar."""
        task, language = tasks.OUTPUT_MESSAGE, self._models.language
        prompt = tasks.answer_prompt(final_input)
        room = self._policy.answer_tokens - language.count_tokens(task.name, prompt)
        temperature, latest = task.temperature, task.fallback
        for _ in range(task.attempts):
            wanted = Prompt(task.name, prompt, task.stop, max(room, 1), temperature, person, self._policy.within_s)
            completion = await language.complete(wanted)
            answer = task.parse(completion.text, completion.ended)
            if answer is tasks.REJECTED:
                continue
            if not contradicts_calendar(answer, now, self._policy.zone):
                return answer
            latest, temperature = answer, temperature + self._policy.retry_heat
        return latest

    def _recalled(self, final_input: str, asked: recall.Asked, now: datetime) -> str:
        """The final input, behind the most related persona row where the profile has recall and it fits."""
        row = self._models.recall.most_related(asked) if self._models.recall else None
        if row is None:
            return final_input
        answer = recall.aged_answer(row.answer, self._policy.her_age(now))
        text = tasks.with_recall(row.question, answer, final_input)
        return text if self._leaves_room(text) else final_input

    async def _write(self, task: tasks.Task[T], prompt: str, person: PersonKey) -> T:
        for _ in range(task.attempts):
            limit = task.max_new_tokens or self._policy.answer_tokens
            completion = await self._models.language.complete(
                Prompt(task.name, prompt, task.stop, limit, task.temperature, person, likely=task.likely)
            )
            if task.fewer_than is not None and completion.tokens >= task.fewer_than:
                continue
            result = task.parse(completion.text, completion.ended)
            if not isinstance(result, tasks.Rejected):
                return result
        return task.fallback

    def _judge(
        self,
        message: IncomingMessage,
        answer: str,
        scores: Mapping[str, float],
        rules: Rules,
        current: cases.Standing,
        now: datetime,
    ) -> tuple[sanctions.Sanction, ...]:
        """What the turn is sanctioned for."""
        evidence = sanctions.Evidence(
            message.text,
            answer,
            dict(scores),
            {**rules.thresholds.acts, "normal": rules.thresholds.veto},
            self._models.version,
        )
        acted = acting(scores, answer, rules.thresholds)
        at = sanctions.issue_time(now, message.sent_at)
        return sanctions.next_sanctions(acted, current.counts, at, evidence, rules.ladders, rules.modes)


def _readings(item: tuple[str, str] | None) -> list[str]:
    """The text of a new memory item, and what it will say tomorrow if it ages."""
    if item is None:
        return []
    tomorrow = memory.aged_text(*item)
    return [f"[{item[0]}: {item[1]}]", *([tomorrow] if tomorrow else [])]


def _only(message: IncomingMessage, said: Notice) -> Turn:
    return Turn(Reply(message, notices=(said,)))
