"""Ethics, memory and tutor encoders, by vectors that a test can count on."""

import numpy as np
import pytest

from core.ethics import CATEGORIES
from models.datasets.schema import MemoryPair
from models.training.evaluation import ethics, memory, tutor
from models.training.tutor_rows import Asked
from tests.models.evaluation_samples import THRESHOLDS, ScriptedEncoder, category_encoder

ROWS = [("만나줘", "love"), ("누구 찍어", "politics"), ("네 부모", "insult"), ("꺼져", "hate"), ("안녕", "normal")]


def right_but(**changed: dict[str, float]) -> ScriptedEncoder:
    """Every row points at its own category, but for those of `changed`, by category."""
    return category_encoder({text: changed.get(category, {category: 1.0}) for text, category in ROWS})


def test_an_encoder_that_is_always_right_has_the_best_figures() -> None:
    figures = ethics.part_of(right_but(), THRESHOLDS, ROWS, None, seed=1).figures
    assert figures["ethics_accuracy"] == figures["ethics_macro_recall"] == figures["ethics_correlation"] == 1
    assert figures["ethics_mse"] == figures["ethics_mae"] == figures["ethics_lookalikes_acted_on"] == 0
    assert figures["ethics_hate_precision"] == figures["ethics_hate_recall"] == 1


@pytest.mark.parametrize(
    "scores",
    [
        pytest.param({"hate": 0.6, "normal": 0.4, "love": 0.7}, id="under its threshold"),
        pytest.param({"hate": 0.8, "normal": 0.6}, id="vetoed by normal"),
    ],
)
def test_macro_recall_counts_only_what_acts(scores: dict[str, float]) -> None:
    figures = ethics.part_of(right_but(hate=scores), THRESHOLDS, ROWS, None, seed=1).figures
    assert (figures["ethics_recall_hate"], figures["ethics_macro_recall"]) == (0, 0.75)


def test_everyday_text_on_which_a_score_acts_is_counted_and_shown() -> None:
    everyday = ethics.Everyday.of(right_but(normal={"insult": 1.0}), THRESHOLDS, ["안녕", "누가 봐도 좋은 말"])
    part = ethics.part_of(right_but(), THRESHOLDS, ROWS, everyday, seed=1)
    assert part.figures["ethics_everyday_acted_on"] == 0.5
    assert ("안녕", "insult") in part.tables[2].rows


def test_the_thresholds_are_drawn_into_the_pictures() -> None:
    pictures = ethics.part_of(right_but(), THRESHOLDS, ROWS, None, seed=1).pictures
    assert len(pictures) == 1 + len(CATEGORIES) + 4
    assert all("0.7" in p.alt or "0.5" in p.alt for p in pictures[1:])


def test_memory_similarity_is_taken_of_every_memory_with_every_message() -> None:
    pairs = [
        MemoryPair(data_type="valid", memory="[이름: 민수]", message="내 이름 뭐야"),
        MemoryPair(data_type="valid", memory="[취미: 등산]", message="내 취미 뭐야"),
    ]
    encoder = ScriptedEncoder(
        {"[이름: 민수]": [1, 0], "[취미: 등산]": [0, 1], "내 이름 뭐야": [1, 0], "내 취미 뭐야": [1, 0]}, 2
    )
    figures = memory.part_of(encoder, pairs, np.eye(2, dtype=np.float32), 0.9).figures
    assert figures["memory_pairs"] == 4
    assert (figures["memory_mse"], figures["memory_mae"], figures["memory_correlation"]) == (0.5, 0.5, 0.0)
    assert (figures["memory_right_first"], figures["memory_precision"], figures["memory_recall"]) == (0.5, 0.5, 0.5)


def test_pairs_that_carry_their_similarity_are_measured_by_it() -> None:
    pairs = [
        MemoryPair(data_type="valid", memory="[이름: 민수]", message=m, score=s) for m, s in (("이름?", 1), ("밥?", 0))
    ]
    encoder = ScriptedEncoder({"[이름: 민수]": [1, 0], "이름?": [1, 0], "밥?": [0, 1]}, 2)
    figures = memory.scored_part(encoder, pairs).figures
    assert figures == {"memory_pairs": 2, "memory_mse": 0, "memory_mae": 0, "memory_correlation": 1}


TUTOR = ScriptedEncoder({"F1": [1, 0], "Recall": [0, 1], "에프원?": [1, 0.1], "재현율?": [1, 0.4], "밥?": [-1, -1]}, 2)


def asked(question: str, text: str = "", score: float | None = None) -> Asked:
    return Asked(question, text, "", score)


def test_the_tutor_finds_the_right_text_first_and_knows_when_there_is_none() -> None:
    rows = [asked("에프원?", "F1"), asked("재현율?", "Recall"), asked("밥?")]
    figures = tutor.part_of(TUTOR, ["F1", "Recall"], rows, [], 0.5).figures
    assert (figures["tutor_texts"], figures["tutor_questions"]) == (2, 3)
    assert (figures["tutor_right_first"], figures["tutor_match_kept"]) == (0.5, 1)
    assert figures["tutor_no_match_recognised"] == 1


def test_a_question_without_text_that_finds_one_all_the_same_is_not_recognised() -> None:
    figures = tutor.part_of(TUTOR, ["F1", "Recall"], [asked("에프원?"), asked("재현율?", "Recall")], [], 0.5).figures
    assert figures["tutor_no_match_recognised"] == 0


def test_scored_pairs_are_measured_as_the_original_did() -> None:
    rows = [asked("에프원?", "F1", 1.0), asked("재현율?", "Recall", 1.0), asked("밥?", "F1", 0.0)]
    figures = tutor.part_of(TUTOR, ["F1", "Recall"], rows, [], 0.5).figures
    assert figures["tutor_questions"] == 2
    assert 0 < figures["tutor_correlation"] < 1


def test_a_text_is_also_found_by_the_questions_it_is_known_to_answer() -> None:
    rows, known = [asked("재현율?", "Recall")], [asked("재현율?", "Recall")]
    texts = ["F1", "Recall"]
    assert tutor.part_of(TUTOR, texts, rows, [], 0.5).figures["tutor_right_first"] == 0
    assert tutor.part_of(TUTOR, texts, rows, known, 0.5).figures["tutor_right_first"] == 1
