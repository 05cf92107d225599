"""Rows as cases of a language task: the prompt to complete, what is expected, what the model may know of it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from core import tasks
from core.ports import Encoder, LanguageModel
from core.recall import MEMORY, NO_CONTEXT, SUMMARY, Asked, PersonaIndex, aged_answer
from models.training.evaluation.writing import POLICY, moment_of
from models.training.rows import Row
from models.training.tutor_rows import TUTOR


@dataclass(frozen=True)
class Case:
    """One row for one task. `shown` is what a reader sees as the question; `moment` is set where the calendar counts.

    `expected` is the result of the row; `references` are all texts that were written for its intent, where the task
    writes text. `unseen_intent`: no training row shares the intent, the phrasing alone is new otherwise.
    """

    shown: str
    prompt: str
    moment: datetime | None
    expected: Any
    references: tuple[str, ...]
    unseen_intent: bool


@dataclass(frozen=True)
class Recalling:
    """Persona recall as a turn has it: the index and the encoder behind it."""

    index: PersonaIndex
    encoder: Encoder

    async def in_front(self, rows: Sequence[Row], language: LanguageModel) -> list[str]:
        """The final input of each row, behind the related persona row where there is one and it fits."""
        prompts = await self._vectors([row.prompt for row in rows])
        contexts = await self._vectors([row.context or row.prompt for row in rows])
        inputs = []
        for row, prompt, context in zip(rows, prompts, contexts, strict=True):
            given = row.kind in (MEMORY, SUMMARY)
            asked = Asked(prompt, bool(row.time), row.kind if given else NO_CONTEXT, context if given else None)
            found = self.index.most_related(asked)
            text = row.question
            if found is not None:
                text = tasks.with_recall(
                    found.question, aged_answer(found.answer, POLICY.her_age(datetime.now(UTC))), row.question
                )
            used = language.count_tokens(tasks.OUTPUT_MESSAGE.name, tasks.answer_prompt(text))
            inputs.append(text if used + POLICY.answer_room <= POLICY.answer_tokens else row.question)
        return inputs

    async def _vectors(self, texts: Sequence[str]) -> list[Any]:
        """Sixty-four at a time: what one batch of the device holds."""
        return [
            vector
            for start in range(0, len(texts), 64)
            for vector in await self.encoder.encode(list(texts[start : start + 64]))
        ]


def seen_groups(rows: Iterable[Row]) -> frozenset[str]:
    """The intents that training knows."""
    return frozenset(row.group for row in rows)


async def cases_of(
    task: str, rows: Sequence[Row], training: Sequence[Row], language: LanguageModel, recalling: Recalling | None
) -> list[Case]:
    """A case for each of `rows`; `training` says which intents are known and how they are answered."""
    seen, written = seen_groups(training), defaultdict(list)
    for row in (*training, *rows):
        written[row.group].append(row)
    inputs = [row.question for row in rows]
    if task == tasks.OUTPUT_MESSAGE.name and recalling is not None:
        inputs = await recalling.in_front(rows, language)
    cases = []
    for row, final_input in zip(rows, inputs, strict=True):
        shown, prompt, expected, references = _of_task(task, row, final_input, written[row.group])
        moment = moment_of(row.question) if task == tasks.OUTPUT_MESSAGE.name else None
        cases.append(Case(shown, prompt, moment, expected, references, row.group not in seen))
    return cases


def _of_task(task: str, row: Row, final_input: str, group: Iterable[Row]) -> tuple[str, str, Any, tuple[str, ...]]:
    age = POLICY.her_age(datetime.now(UTC))
    answer = aged_answer(row.answer, age)
    if task in (tasks.OUTPUT_MESSAGE.name, TUTOR.name):
        answers = tuple(dict.fromkeys(aged_answer(other.answer, age) for other in group))
        return row.question, tasks.answer_prompt(final_input), answer, answers
    if task == tasks.SUMMARY.name:
        shown = f"{row.question} {tasks.LAST_ANSWER} {answer}"
        return shown, tasks.summary_prompt(row.question, answer), row.summary, (row.summary,)
    if task == tasks.MEMORY.name:
        item = tasks.parse_memory(row.memory, True)
        return row.question, tasks.memory_prompt(row.question), item, ()
    return answer, tasks.expression_prompt(answer), row.expression, ()
