"""Runs and their defaults, bases and their families, precision by device, synonyms, Unsloth."""

import random
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
import torch

from bot import cli
from core.errors import ConfigurationError
from models.catalogue import LLAMA_MODULES
from models.training import families, run, unsloth
from models.training.run_config import EncoderRun, LlmRun
from models.training.synonyms import varied


@pytest.mark.parametrize(
    ("task", "base", "expected"),
    [
        ("output_message", None, ("kanana-1.5-2.1b-base", 64, 5, 2)),
        ("summary", None, ("kanana-1.5-2.1b-base", 64, 10, 2)),
        ("memory", None, ("polyglot-ko-1.3b", 64, 20, 2)),
        ("eyes_mouth_pose", None, ("polyglot-ko-1.3b", 64, 30, 2)),
        ("tutor", None, ("kanana-1.5-2.1b-instruct-2505", 64, 15, 2)),
        ("output_message", "kanana-1.5-2.1b-instruct-2505", ("kanana-1.5-2.1b-instruct-2505", 16, 5, 2)),
        ("summary", "gemma-2-2b-it", ("gemma-2-2b-it", 64, 10, 2)),
        ("memory", "bundled", ("bundled", 16, 1, 32)),
    ],
)
def test_defaults_follow_task_and_base(task: str, base: str | None, expected: tuple[str, int, int, int]) -> None:
    made = LlmRun.of(task=task, base=base)
    assert (made.base, made.rank, made.epochs, made.batch) == expected
    assert made.rate == 3e-4


def test_what_is_given_stands_over_the_file_and_the_file_over_the_defaults(tmp_path: Path) -> None:
    LlmRun.of(task="memory", base="bundled", epochs=7, rank=8).save(tmp_path)
    made = LlmRun.of(tmp_path / "run.json", rank=4, seed=None)
    assert (made.task, made.base, made.epochs, made.rank, made.batch) == ("memory", "bundled", 7, 4, 32)


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        ("{", "no saved run"),
        ("[]", "an object was expected"),
        ('{"task": "memory", "rnak": 3}', "rnak"),
        ('{"task": "memory", "epochs": 0}', "epochs"),
        ('{"task": "poetry"}', "--task is one of"),
    ],
)
def test_a_bad_configuration_is_one_sentence(tmp_path: Path, stored: str, message: str) -> None:
    (tmp_path / "run.json").write_text(stored, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=message):
        LlmRun.of(tmp_path / "run.json")


def test_an_encoder_of_another_base_is_trained_as_the_original_was() -> None:
    made = EncoderRun.of(purpose="ethics", base="klue/roberta-base")
    assert (made.batch, made.epochs) == (16, 10)
    assert made.place == Path("klue--roberta-base/ethics_encoder")


@pytest.mark.parametrize(
    ("kind", "name", "modules"),
    [
        ("llama", "Llama", LLAMA_MODULES),
        ("gpt_neox", "GPT-NeoX", ["query_key_value"]),
        ("gemma2", "Gemma-2", LLAMA_MODULES),
        ("mamba", "mamba", "all-linear"),
    ],
)
def test_lora_changes_the_layers_of_the_family(tmp_path: Path, kind: str, name: str, modules: list[str] | str) -> None:
    (tmp_path / "config.json").write_text(f'{{"model_type": "{kind}"}}', encoding="utf-8")
    family = families.family_of(tmp_path)
    assert (family.name, family.modules) == (name, modules)
    lora = families.lora(family, 32)
    assert (lora.r, lora.lora_alpha, lora.lora_dropout, lora.init_lora_weights) == (32, 16, 0.05, "gaussian")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("polyglot-ko-1.3b", "hf download EleutherAI/polyglot-ko-1.3b"),
        ("google/gemma-2-2b-it", "accept the terms at https://ai.google.dev/gemma/terms"),
        ("random:mamba", "llama, neox, gemma2"),
        ("no such thing", "no weights of no such thing"),
    ],
)
def test_a_base_that_is_not_here_says_how_to_get_it(
    name: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ConfigurationError, match=message):
        families.locate(name, tmp_path)


@pytest.mark.parametrize(
    ("capability", "cpu", "expected"),
    [
        ((9, 0), {}, "bf16"),
        ((8, 0), {}, "bf16"),
        ((7, 5), {"avx512_bf16": True}, "fp16"),
        (None, {"avx512_bf16": True}, "bf16"),
        (None, {"amx_bf16": True}, "bf16"),
        (None, {"avx512_f": True}, "float32"),
    ],
)
def test_precision_follows_the_device(
    capability: tuple[int, int] | None, cpu: dict[str, bool], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: capability is not None)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: cpu)
    assert run.precision() == expected


@pytest.mark.parametrize(
    ("installed", "capability", "named", "unnamed"),
    [
        (True, (7, 0), "", "unsloth"),
        (True, (5, 2), "this one has 5.2", "not installed"),
        (True, None, "which is not here", "not installed"),
        (False, (9, 0), "not installed", "GPU"),
        (False, None, "not installed", "this one has"),
    ],
)
def test_unsloth_says_in_one_sentence_what_is_missing(
    installed: bool, capability: tuple[int, int] | None, named: str, unnamed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unsloth, "find_spec", lambda name: ModuleSpec(name, None) if installed else None)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: capability is not None)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)
    sentence = unsloth.missing()
    assert named in sentence
    assert unnamed not in sentence
    assert sentence.count(". ") == 0


def test_asking_for_unsloth_where_it_is_not_ends_with_that_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(unsloth, "find_spec", lambda name: None)
    monkeypatch.setattr(sys, "argv", ["ohlora", "train", "llm", "--task=memory", "--base=bundled", "--with-unsloth"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 1
    assert capsys.readouterr().err == f"ohlora: {unsloth.missing()}\n"


@pytest.mark.parametrize(
    ("text", "others"),
    [
        ("난 ENTJ야", {"난 ENTJ야", "나는 ENTJ야", "난 엔티제야", "나는 엔티제야"}),
        ("인공지능은 노래를", {"인공지능은 노래를", "AI는 노래를", "인공지능은 음악을", "AI는 음악을"}),
        ("LLM으로", {"LLM으로", "거대 언어 모델로", "대형 언어 모델로"}),
        ("AI야!", {"AI야!", "인공지능이야!"}),
        ("AI라서", {"AI라서", "인공지능이라서"}),
        ("축하해 ㅠㅠ", {f"{a} {b}" for a in ("축하해", "축하축하", "ㅊㅋㅊㅋ") for b in ("ㅠㅠ", "ㅜㅜ", "ㅠ")}),
        ("오! 진짜?", {"오! 진짜?", "우와! 진짜?", "와우! 진짜?"}),
        # words that only begin or end like one of them
        ("하나는 신나는 노래방 난리", {"하나는 신나는 노래방 난리"}),
        ("인공지능학과에서 노래 부르기", {"인공지능학과에서 노래 부르기"}),
        ("ㅠㅠㅠ 축하해요", {"ㅠㅠㅠ 축하해요"}),
    ],
)
def test_synonyms_are_swapped_with_the_particle_that_fits(text: str, others: set[str]) -> None:
    assert {varied(text, random.Random(seed)) for seed in range(200)} == others


def test_the_same_seed_says_it_the_same_way() -> None:
    text = "나는 AI야! 음악이 좋아 ㅠㅠ 축하해"
    assert varied(text, random.Random(5)) == varied(text, random.Random(5))
