"""From our own rows to training examples: slots filled, contexts mixed in, persona recall in front.

Everything random comes from one seed, so that the same rows give the same examples.
"""

import json
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Self

from core import recall, tasks
from core.expression import Expression
from core.recall import aged_answer
from core.timeinfo import WEEKDAYS
from models.datasets.schema import ROOT, PersonaRow, Template, persona_rows, read_rows

_PREFIX = re.compile(
    r"(?P<memory>\[[^\[\]]+: [^\[\]]+\] )?"
    rf"(?:{re.escape(tasks.LAST_SUMMARY)} (?P<summary>.+?) {re.escape(tasks.QUESTION)} )?"
    r"(?P<time>\(지금은 .요일 ..\) )?"
)
_SLOT = re.compile(r"\{(\w+)(?::([^/}]+)/([^}]+))?\}")
_CALL = re.compile(r"^(로라야|오로라야|너|근데)[,!]? ")


@dataclass(frozen=True, slots=True)
class Row:
    """A persona row, taken apart. `group` is its intent or template; `context` the memory item or summary in front."""

    group: str
    prompt: str
    time: str
    context: str
    kind: str
    answer: str
    memory: str
    summary: str
    expression: Expression

    @property
    def question(self) -> str:
        """The final input: the prompt with its prefixes."""
        return join(self.kind, self.context, self.time, self.prompt)

    @classmethod
    def parse(cls, group: str, source: PersonaRow) -> Self:
        """Take the prefixes off the input; a memory item outranks a time mark as the kind of a row."""
        match = _PREFIX.match(source.input_data)
        assert match is not None  # every part of the pattern is optional
        memory, summary, time = match["memory"], match["summary"], match["time"]
        kind = recall.MEMORY if memory else recall.SUMMARY if summary else recall.TIME if time else recall.NO_CONTEXT
        return cls(
            group=group,
            prompt=source.input_data[match.end() :],
            time=(time or "").strip(),
            context=(memory or summary or "").strip(),
            kind=kind,
            answer=source.output_message,
            memory=source.memory,
            summary=source.summary,
            expression=Expression(source.eyes, source.mouth, source.pose),
        )


@dataclass(frozen=True, slots=True)
class Example:
    """One prompt and its completion for one task."""

    task: str
    prompt: str
    completion: str


def join(kind: str, context: str, time: str, prompt: str) -> str:
    """The final input as core.conversation builds it."""
    timed = f"{time} {prompt}" if time else prompt
    if kind == recall.MEMORY:
        return f"{context} {timed}"
    return tasks.with_summary(context, timed) if kind == recall.SUMMARY else timed


def load_rows(split: str) -> list[Row]:
    """The persona rows of one split."""
    return [Row.parse(row.intent, row) for row in persona_rows() if row.data_type == split]


def expand_templates(per_template: int, seed: int) -> list[Row]:
    """`per_template` rows of every template, each with other values."""
    slots: dict[str, list[str]] = json.loads((ROOT / "slots.json").read_text(encoding="utf-8"))
    rng = random.Random(seed)
    rows = []
    for number, template in enumerate(read_rows(ROOT / "templates.jsonl", Template)):
        for _ in range(per_template):
            filled = _fill(template, slots, rng)
            rows.append(Row.parse(f"template_{number}", filled))
    return rows


def _fill(template: Template, slots: Mapping[str, list[str]], rng: random.Random) -> PersonaRow:
    today = rng.randrange(7)
    values = {name: rng.choice(choices) for name, choices in slots.items()}
    values |= {
        "weekday": f"{WEEKDAYS[today]}요일",
        "tomorrow": f"{WEEKDAYS[(today + 1) % 7]}요일",
        "daypart": rng.choice(("오전", "오후", "저녁")),
        "age": values.get("age", "{age}"),
    }

    def fill(text: str) -> str:
        return _SLOT.sub(lambda slot: _with_particle(values[slot[1]], slot[2], slot[3]), text)

    return PersonaRow(
        intent="template",
        data_type="train",
        input_data=fill(template.input),
        output_message=fill(template.output),
        memory=fill(template.memory),
        summary=fill(template.summary),
        eyes=template.eyes,
        mouth=template.mouth,
        pose=template.pose,
    )


def _with_particle(value: str, after_consonant: str | None, after_vowel: str | None) -> str:
    if after_consonant is None or after_vowel is None:
        return value
    code = ord(value[-1]) - 0xAC00
    tail = code % 28 if 0 <= code < 11172 else 0
    if after_consonant == "으로" and tail == 8:  # ㄹ takes 로
        return value + after_vowel
    return value + (after_consonant if tail else after_vowel)


class ExampleMaker:
    """Draws examples of all tasks from rows; each call of `examples` draws other contexts and other recalls."""

    def __init__(self, rows: Iterable[Row], seed: int) -> None:
        self._rows = list(rows)
        self._rng = random.Random(seed)
        self._groups: dict[str, list[Row]] = defaultdict(list)
        for row in self._rows:
            self._groups[row.group].append(row)
        self._summaries = [row.summary for row in self._rows]
        self._memories = sorted({row.context for row in self._rows if row.kind == recall.MEMORY})

    def examples(self) -> list[Example]:
        """Four examples a row, one for each task, in random order."""
        drawn = [example for row in self._rows for example in self._of(row)]
        self._rng.shuffle(drawn)
        return drawn

    def _of(self, row: Row) -> list[Example]:
        recalled, answer = self._recall(row)
        row = self._vary(row)
        age = self._rng.randint(20, 30)
        answer = aged_answer(answer, age)
        asked = row.question
        if recalled is not None:
            asked = tasks.with_recall(recalled.question, aged_answer(recalled.answer, age), row.question)
        return [
            Example("output_message", tasks.answer_prompt(asked), f"{answer} {tasks.ANSWER_END}"),
            Example(
                "summary",
                tasks.summary_prompt(row.question, aged_answer(row.answer, age)),
                f"{row.summary} {tasks.SUMMARY_END}",
            ),
            Example("memory", tasks.memory_prompt(row.question), f"{row.memory} {tasks.SUMMARY_END}".strip()),
            Example(
                "eyes_mouth_pose",
                tasks.expression_prompt(aged_answer(row.answer, age)),
                f"{tasks.face_text(row.expression)} {tasks.FACE_END}",
            ),
        ]

    def _vary(self, row: Row) -> Row:
        """Another way to type the prompt, and in a running talk some context that has nothing to do with it."""
        rng = self._rng
        prompt = row.prompt
        if rng.random() < 0.3:
            prompt = _CALL.sub("", prompt) if _CALL.match(prompt) else f"로라야 {prompt}"
        if rng.random() < 0.3:
            prompt = prompt.rstrip("?!.~") or prompt
        if row.kind in (recall.NO_CONTEXT, recall.TIME):
            chance = rng.random()
            if chance < 0.35:
                row = replace(row, kind=recall.SUMMARY, context=rng.choice(self._summaries))
            elif chance < 0.42 and self._memories:
                row = replace(row, kind=recall.MEMORY, context=rng.choice(self._memories))
        return replace(row, prompt=prompt)

    def _recall(self, row: Row) -> tuple[Row | None, str]:
        """What recall puts in front, and the answer that is then right.

        A sibling without context answers for the row; one with its own context (another memory, another weekday) only
        shows the manner; an unrelated one must be ignored.
        """
        chance = self._rng.random()
        siblings = [other for other in self._groups[row.group] if other.prompt != row.prompt]
        if chance < 0.12:
            return None, row.answer
        if chance < 0.22 or not siblings:
            return self._rng.choice(self._rows), row.answer
        sibling = self._rng.choice(siblings)
        interchangeable = row.kind == sibling.kind == recall.NO_CONTEXT and not row.memory and not sibling.memory
        return sibling, sibling.answer if interchangeable else row.answer
