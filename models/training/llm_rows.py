"""From rows to the prompts and completions of one task, as models.training.llm tunes on them and tests with them."""

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from core import tasks
from core.errors import ConfigurationError
from core.recall import aged_answer
from models.datasets.schema import PersonaRow, Split, read_rows
from models.training import tutor_rows
from models.training.rows import Example, ExampleMaker, Row, expand_templates, load_rows
from models.training.run_config import LlmRun
from models.training.synonyms import varied

SPECS = {task.name: task for task in (*tasks.TASKS, tutor_rows.TUTOR)}
_TEMPLATE_ROWS = 6


def examples(run: LlmRun, split: Split) -> list[Example]:
    """One example a row. Answers to learn from are said in other words, those to test with are not.

    Raises ConfigurationError where there are no rows.
    """
    rng = random.Random(run.seed)
    rows = _rows(run, split)
    if not rows:
        raise ConfigurationError(f"no {split} rows for {run.task} in {run.data or 'the project’s own data'}")
    if run.augment and split == "train":
        rows = [replace(row, answer=varied(row.answer, rng)) for row in rows]
    if run.recall and run.task != tutor_rows.TUTOR.name:
        return [example for example in ExampleMaker(rows, run.seed).examples() if example.task == run.task]
    return [_example(run.task, replace(row, answer=aged_answer(row.answer, run.age))) for row in rows]


def _rows(run: LlmRun, split: Split) -> list[Row]:
    if run.task == tutor_rows.TUTOR.name:
        return [tutor_rows.row_of(asked) for asked in tutor_rows.questions(run.data, run.texts, split) if asked.answer]
    if run.data is not None:
        return rows_of(run.data, split)
    return load_rows(split) + (expand_templates(_TEMPLATE_ROWS, run.seed) if split == "train" else [])


def rows_of(path: Path, split: str) -> list[Row]:
    """The rows of one split of a file in our schema."""
    if not path.is_file():
        raise ConfigurationError(f"no such file: {path}")
    return [Row.parse(row.intent, row) for row in read_rows(path, PersonaRow) if row.data_type == split]


def _example(task: str, row: Row) -> Example:
    if task == tasks.SUMMARY.name:
        return Example(task, tasks.summary_prompt(row.question, row.answer), f"{row.summary} {tasks.SUMMARY_END}")
    if task == tasks.MEMORY.name:
        return Example(task, tasks.memory_prompt(row.question), f"{row.memory} {tasks.SUMMARY_END}".strip())
    if task == tasks.EYES_MOUTH_POSE.name:
        face = f"{tasks.face_text(row.expression)} {tasks.FACE_END}"
        return Example(task, tasks.expression_prompt(row.answer), face)
    return Example(task, tasks.answer_prompt(row.question), f"{row.answer} {tasks.ANSWER_END}")


def columns(examples: Sequence[Example]) -> dict[str, list[str]]:
    """TRL's prompt and completion."""
    return {
        "prompt": [example.prompt for example in examples],
        # the space is what stands between prompt and completion in the text; the tokenizer swallows it
        "completion": [f" {example.completion}" for example in examples],
    }
