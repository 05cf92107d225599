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
    TutorQuestion,
    TutorText,
    persona_rows,
    read_rows,
)
from models.training.rows import Row

PERSONA = persona_rows()
ETHICS = list(read_rows(ROOT / "ethics.jsonl", EthicsRow))
MEMORY = list(read_rows(ROOT / "memory_pairs.jsonl", MemoryPair))
TUTOR_TEXTS = list(read_rows(ROOT / "tutor_texts.jsonl", TutorText))
TUTOR_QUESTIONS = list(read_rows(ROOT / "tutor_questions.jsonl", TutorQuestion))
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


@pytest.mark.parametrize(
    "sentences",
    [
        [(row.data_type, row.text) for row in ETHICS],
        [(row.data_type, row.message) for row in MEMORY],
        [(row.data_type, row.question) for row in TUTOR_QUESTIONS],
    ],
    ids=["ethics", "memory", "tutor"],
)
def test_no_sentence_trains_and_validates(sentences: list[tuple[str, str]]) -> None:
    texts = {split: {bare(text) for kind, text in sentences if kind == split} for split in ("train", "valid")}
    assert texts["train"] & texts["valid"] == set()


def test_every_ethics_category_has_500_utterances_and_two_look_alikes_stand_against_each() -> None:
    categories = Counter(row.category for row in ETHICS)
    harmless = categories.pop("normal")
    assert set(categories) == {"love", "politics", "insult", "hate"}
    assert min(categories.values()) >= 500
    assert harmless >= 2 * categories.total()


def test_a_tenth_of_the_ethics_utterances_chooses_thresholds() -> None:
    assert 0.1 <= sum(row.data_type == "valid" for row in ETHICS) / len(ETHICS) <= 0.15


def test_memory_has_230_combinations_to_train_on_and_40_to_validate() -> None:
    splits = Counter(row.data_type for row in MEMORY)
    assert splits["train"] >= 230
    assert splits["valid"] >= 40


def test_the_tutor_knows_150_texts_by_different_names() -> None:
    assert len({text.name for text in TUTOR_TEXTS}) == len(TUTOR_TEXTS) >= 150


def test_a_fifth_of_the_tutors_questions_has_no_text_and_the_others_name_one() -> None:
    assert len(TUTOR_QUESTIONS) >= 600
    assert {row.text for row in TUTOR_QUESTIONS} == {text.name for text in TUTOR_TEXTS} | {""}
    for split in ("train", "valid"):
        asked = [row for row in TUTOR_QUESTIONS if row.data_type == split]
        assert sum(not row.text for row in asked) / len(asked) >= 0.2, split


def test_the_tutor_admits_that_it_may_be_wrong_exactly_where_it_has_no_text() -> None:
    assert [row.question for row in TUTOR_QUESTIONS if ("틀릴 수도" in row.answer) == bool(row.text)] == []


def test_templates_are_valid_rows() -> None:
    assert len(list(read_rows(ROOT / "templates.jsonl", Template))) >= 200


def test_a_bad_row_is_named_with_file_line_and_mistake(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"data_type": "train", "memory": "no brackets", "message": "안녕"}\n', encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"rows\.jsonl:1: .*pattern"):
        list(read_rows(path, MemoryPair))
