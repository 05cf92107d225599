"""`ohlora train encoder` on a base with random weights: pairs, thresholds, stopping and going on."""

import json
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file
from transformers import TrainerCallback

from core.errors import ConfigurationError
from core.ethics import CATEGORIES
from models.datasets.schema import ROOT, TutorText, read_rows
from models.encoder import SentenceEncoder
from models.training import encoder, encoder_rows, run, thresholds
from models.training.commands import Asked
from models.training.commands import encoder as train_encoder
from models.training.run_config import EncoderRun

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*gradient_checkpointing.*:FutureWarning"),
    # of tiny random vectors some are all alike
    pytest.mark.filterwarnings("ignore:An input array is constant"),
]

MEMORY = [
    ("오늘 일정: 카페 방문", "오늘 어디 가기로 했지"), ("오늘 일정: 시험 공부", "오늘 뭐 하기로 했더라"),
    ("좋아하는 가수: 에스파", "내가 누구 노래 듣게"), ("좋아하는 가수: 아이유", "내 최애 가수가 누구게"),
    ("이름: 민수", "내 이름이 뭐게"), ("이름: 지우", "나를 뭐라고 불러"),
]  # fmt: skip
ETHICS = [
    ("나랑 사귀자", "love"), ("대통령 누구 뽑아", "politics"), ("너네 엄마 별로야", "insult"),
    ("꺼져 바보야", "hate"), ("오늘 뭐 먹지", "normal"), ("날씨 좋다", "normal"), ("안녕 로라야", "normal"),
]  # fmt: skip


def lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def memory(tmp_path: Path) -> EncoderRun:
    rows = [
        {"data_type": split, "memory": f"[{item}]", "message": message}
        for split in ("train", "valid")
        for item, message in MEMORY
    ]
    data = lines(tmp_path / "memory.jsonl", rows)
    return EncoderRun.of(purpose="memory", base="random:llama", data=data, epochs=4, rate=3e-3)


@pytest.fixture
def ethics(tmp_path: Path) -> EncoderRun:
    rows = [
        {"data_type": split, "text": text, "category": name} for split in ("train", "valid") for text, name in ETHICS
    ]
    data = lines(tmp_path / "ethics.jsonl", rows)
    return EncoderRun.of(
        purpose="ethics", base="random:llama", data=data, epochs=2, rate=3e-3, false_sanctions=0.0
    )  # fmt: skip


@pytest.fixture
def tutor(tmp_path: Path) -> EncoderRun:
    named = [row.name for row in read_rows(ROOT / "tutor_texts.jsonl", TutorText)][:6]
    rows = [
        {"data_type": split, "question": f"{name} 알려 줘", "text": name}
        for split in ("train", "valid")
        for name in named
    ]
    rows += [{"data_type": split, "question": "저녁 뭐 먹지", "text": ""} for split in ("train", "valid")]
    data = lines(tmp_path / "tutor.jsonl", rows)
    texts = ROOT / "tutor_texts.jsonl"
    return EncoderRun.of(purpose="tutor", base="random:llama", data=data, texts=texts, epochs=2, rate=3e-3)


class _CtrlC(TrainerCallback):
    """Presses Ctrl-C in the middle of the fifth step."""

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step == 4:
            signal.raise_signal(signal.SIGINT)


def test_memory_learns_stores_its_threshold_and_going_on_equals_not_stopping(
    memory: EncoderRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, parted = tmp_path / "whole", tmp_path / "parted"
    report = encoder.train(memory, whole)
    losses = [entry["loss"] for entry in report["log"] if "loss" in entry]
    assert losses[-1] < losses[0]
    assert sum("eval_valid_pearson_cosine" in entry for entry in report["log"]) == memory.epochs
    stored = json.loads((whole / "thresholds.json").read_text(encoding="utf-8"))
    assert stored == report["thresholds"]
    assert 0.3 <= stored["memory"] <= 0.95
    assert load_file(whole / "memory_targets.safetensors")["valid"].shape == (len(MEMORY), len(MEMORY))

    made = encoder._trainer

    def with_ctrl_c(*args: Any) -> Any:
        trainer = made(*args)
        trainer.add_callback(_CtrlC())
        return trainer

    monkeypatch.setattr(encoder, "_trainer", with_ctrl_c)
    with pytest.raises(run.Stopped):
        encoder.train(memory, parted)
    monkeypatch.undo()
    encoder.train(EncoderRun.load(parted / run.CONFIG), parted, resume=True)
    once, twice = load_file(whole / "model.safetensors"), load_file(parted / "model.safetensors")
    assert all((once[name] == twice[name]).all() for name in once.keys() | twice.keys())


def test_ethics_acts_on_no_everyday_text_where_none_is_allowed(
    ethics: EncoderRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "ethics_encoder"
    asked = Asked(ethics.model_dump(), output=folder)
    train_encoder(asked, tmp_path)
    acts = json.loads((folder / "thresholds.json").read_text(encoding="utf-8"))["ethics"]["acts"]
    harmless = [text for text, category in ETHICS if category == "normal"]
    scores = thresholds.ethics_scores(SentenceEncoder(folder), harmless)
    limits = np.array([acts.get(name, np.inf) for name in CATEGORIES])
    assert set(acts) == set(CATEGORIES) - {"normal"}
    assert (scores < limits).all()
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["thresholds"]["ethics"]["acts"] == acts
    # a second time it is measured, not trained
    train_encoder(asked, tmp_path)
    assert "valid_pearson_cosine" in json.loads(capsys.readouterr().out.splitlines()[-1])


def test_the_tutors_questions_learn_to_find_their_texts(tutor: EncoderRun, tmp_path: Path) -> None:
    report = encoder.train(tutor, tmp_path / "tutor_encoder")
    assert 0.2 <= report["thresholds"]["tutor"] < 1
    assert report["task"] == "tutor_encoder"


def test_every_memory_meets_every_message(memory: EncoderRun, tmp_path: Path) -> None:
    material = encoder_rows.material(memory, encoder._untuned(memory, tmp_path))
    count = len(MEMORY)
    assert len(material.train.score) == len(material.valid.score) == count * count
    assert material.train.score[:: count + 1] == pytest.approx([1.0] * count)


def test_every_utterance_meets_every_category_and_only_its_own_is_right(ethics: EncoderRun) -> None:
    valid = encoder_rows._ethics(ethics).valid
    assert len(valid.score) == len(ETHICS) * len(CATEGORIES)
    right = [
        (text, name) for text, name, score in zip(valid.sentence1, valid.sentence2, valid.score, strict=True) if score
    ]
    assert right == [(text, CATEGORIES[name]) for text, name in ETHICS]


def test_a_question_without_a_text_is_near_none(tutor: EncoderRun) -> None:
    material = encoder_rows._tutor(tutor)
    scores = {(q, t): s for q, t, s in zip(*vars(material.train).values(), strict=True)}
    assert {score for (question, _), score in scores.items() if question == "저녁 뭐 먹지"} == {0.0}
    assert all(scores[pair] == 1.0 for pair in material.retrieval)


def test_rows_that_say_how_similar_they_are_are_taken_at_their_word(tmp_path: Path) -> None:
    rows = [
        {"data_type": "train", "memory": f"[{item}]", "message": message, "score": 0.25} for item, message in MEMORY
    ]
    config = EncoderRun.of(purpose="memory", base="random:llama", data=lines(tmp_path / "m.jsonl", rows * 4))
    material = encoder_rows.material(config, encoder._untuned(config, tmp_path))
    # none is for validation: a tenth is set apart
    assert (material.train.score, material.valid.score) == ([0.25] * 22, [0.25] * 2)


def test_no_rows_to_train_on_is_one_sentence(tmp_path: Path) -> None:
    config = EncoderRun.of(purpose="ethics", base="random:llama", data=lines(tmp_path / "empty.jsonl", []))
    with pytest.raises(ConfigurationError, match="no rows to train on"):
        encoder.train(config, tmp_path / "ethics_encoder")


@pytest.mark.parametrize(
    ("best", "answered", "lowest", "highest"),
    [
        ([0.9, 0.8, 0.3, 0.2], [True, True, False, False], 0.3, 0.8),
        ([0.9, 0.4, 0.5, 0.2], [True, True, False, False], 0.2, 0.9),
        ([0.9, 0.8], [True, True], 0.5, 0.5),
    ],
)
def test_the_tutors_threshold_stands_between_found_and_not_found(
    best: list[float], answered: list[bool], lowest: float, highest: float
) -> None:
    chosen = thresholds.tutor_threshold(np.array(best, np.float32), np.array(answered))
    assert lowest <= chosen <= highest


def test_the_smallest_threshold_that_keeps_the_bound_is_chosen() -> None:
    scores = np.zeros((1000, 5), np.float32)
    scores[:10, 3] = np.linspace(0.60, 0.69, 10)  # ten everyday texts look like hate
    bounds = dict.fromkeys(thresholds.FALSE_ACTS, 0.004)
    acts = thresholds.ethics_thresholds(scores, bounds)["acts"]
    assert (scores[:, 3] >= acts["hate"]).sum() <= 4
    assert (scores[:, 3] >= acts["hate"] - 0.02).sum() > 4
    assert acts["love"] == 0.5
