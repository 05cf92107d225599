"""Our own rows keep their promises: schema, size, no sentence in two splits."""

import re
from collections import Counter
from pathlib import Path

import pytest

from core.errors import ConfigurationError
from core.timeinfo import TIME_WORDS
from models.datasets.schema import (
    ROOT,
    EthicsRow,
    HeldOutQuestion,
    HeldOutUtterance,
    MemoryPair,
    Template,
    persona_rows,
    read_rows,
)
from models.training.rows import Row

PERSONA = persona_rows()
ETHICS = list(read_rows(ROOT / "ethics.jsonl", EthicsRow))
MEMORY = list(read_rows(ROOT / "memory_pairs.jsonl", MemoryPair))
HELD_OUT = list(read_rows(ROOT / "persona_heldout.jsonl", HeldOutQuestion))


def bare(text: str) -> str:
    return re.sub(r"[\s?!.~,]|로라야", "", text)


def test_there_are_150_intents_with_four_phrasings_or_more() -> None:
    phrasings = Counter(row.intent for row in PERSONA)
    assert sum(count >= 4 for count in phrasings.values()) >= 150


def test_a_third_of_the_persona_rows_carry_memory_summary_or_time() -> None:
    assert sum(row.input_data[0] in "[(" for row in PERSONA) / len(PERSONA) >= 1 / 3


def test_no_prompt_stands_twice() -> None:
    assert [text for text, count in Counter(row.input_data for row in PERSONA).items() if count > 1] == []


def test_a_time_mark_stands_exactly_before_prompts_that_speak_of_time() -> None:
    for row in (Row.parse(row.intent, row) for row in PERSONA):
        assert bool(row.time) == any(word in row.prompt for word in TIME_WORDS), row.question


def test_held_out_utterances_are_not_among_the_rows() -> None:
    held_out = list(read_rows(ROOT / "ethics_heldout.jsonl", HeldOutUtterance))
    assert len(held_out) >= 200
    known = {bare(row.text) for row in ETHICS}
    assert [row.text for row in held_out if bare(row.text) in known] == []


def test_held_out_questions_are_not_among_the_rows() -> None:
    assert len(HELD_OUT) >= 100
    known = {bare(row.input_data) for row in PERSONA}
    assert [q.question for q in HELD_OUT if bare(q.question) in known] == []


@pytest.mark.parametrize("rows", [ETHICS, MEMORY], ids=["ethics", "memory"])
def test_no_sentence_trains_and_validates(rows: list[EthicsRow] | list[MemoryPair]) -> None:
    texts = {split: {bare(getattr(r, "text", None) or getattr(r, "message", "")) for r in rows if r.data_type == split}
             for split in ("train", "valid")}  # fmt: skip
    assert texts["train"] & texts["valid"] == set()


def test_ethics_has_800_utterances_and_more_harmless_ones_than_of_any_other_category() -> None:
    categories = Counter(row.category for row in ETHICS)
    assert len(ETHICS) >= 800
    assert set(categories) == {"love", "politics", "insult", "hate", "normal"}
    assert categories["normal"] > 2 * max(count for name, count in categories.items() if name != "normal")


def test_there_are_60_memory_combinations_or_more() -> None:
    assert len(MEMORY) >= 60


def test_templates_are_valid_rows() -> None:
    assert len(list(read_rows(ROOT / "templates.jsonl", Template))) >= 200


def test_a_bad_row_is_named_with_file_line_and_mistake(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"data_type": "train", "memory": "no brackets", "message": "안녕"}\n', encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"rows\.jsonl:1: .*pattern"):
        list(read_rows(path, MemoryPair))
