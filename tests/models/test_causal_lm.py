"""The local backend on tiny models of each family: batches, end marks, cancellation."""

from collections.abc import Container
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    Gemma2Config,
    GPTNeoXConfig,
    LlamaConfig,
    PretrainedConfig,
)

from models.causal_lm import CausalLM, Sampling, load
from models.registry import BUNDLED

# from inside the libraries, nothing of ours
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")

TASKS = ("output_message", "summary")
NEVER = "이 글은 나오지 않는다"
WORDS = ("안녕", "로라야", "오늘 뭐 했어?", "내일은 혜나랑 카페에 갈 거야", "좋아하는 가수가", "😊", "날씨", "산책하러")
PROMPTS = [" ".join(WORDS[start:] + WORDS[:length]) + " (답변 시작)" for start in range(8) for length in (1, 4)]
# what the published ones say of where their base is
FOREIGN = "C:\\Users\\someone\\models\\base"


def row(prompt: str, limit: int = 8, stop: str = NEVER) -> Sampling:
    return Sampling(prompt, stop, limit, 0.0)


FAMILIES: dict[str, tuple[type[PretrainedConfig], dict[str, Any], list[str]]] = {
    "kanana": (LlamaConfig, {"num_key_value_heads": 2, "head_dim": 8}, ["q_proj", "v_proj", "down_proj"]),
    "polyglot": (GPTNeoXConfig, {"rotary_pct": 0.5, "use_parallel_residual": True}, ["query_key_value"]),
    "gemma-2": (Gemma2Config, {"num_key_value_heads": 2, "head_dim": 8, "sliding_window": 16}, ["q_proj", "v_proj"]),
}


@pytest.fixture(scope="module", params=FAMILIES)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base with random weights under the bundled tokenizer, and two adapters on it that were trained elsewhere."""
    folder = tmp_path_factory.mktemp(request.param)
    torch.manual_seed(1)
    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(BUNDLED / "base")
    tokenizer.save_pretrained(folder / "base")
    kind, own, modules = FAMILIES[request.param]
    config = kind(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        initializer_range=0.3, pad_token_id=None, bos_token_id=None, eos_token_id=tokenizer.eos_token_id, **own,
    )  # fmt: skip
    AutoModelForCausalLM.from_config(config).save_pretrained(folder / "base")
    for task in TASKS:
        lora = LoraConfig(r=4, lora_alpha=32, init_lora_weights=False, target_modules=modules, task_type="CAUSAL_LM")
        peft = get_peft_model(AutoModelForCausalLM.from_pretrained(folder / "base"), lora)
        peft.peft_config["default"].base_model_name_or_path = FOREIGN
        peft.save_pretrained(str(folder / task), save_embedding_layers=False)
    return folder


@pytest.fixture(scope="module")
def language(folder: Path) -> CausalLM:
    return CausalLM(folder / "base", {task: folder / task for task in TASKS})


@pytest.mark.parametrize("task", TASKS)
def test_a_batch_of_any_size_writes_what_each_row_would_get_alone(language: CausalLM, task: str) -> None:
    alone = [language.complete(task, [row(prompt)])[0] for prompt in PROMPTS]
    assert len({completion.text for completion in alone}) > 1
    assert language.complete(task, [row(prompt) for prompt in PROMPTS[:3]]) == alone[:3]
    assert language.complete(task, [row(prompt) for prompt in PROMPTS]) == alone


def oracle(language: CausalLM, folder: Path, task: str, prompt: str, limit: int) -> list[int]:
    """What transformers' own `generate` writes with PEFT's own layers."""
    model = load(folder / "base", {task: folder / task}, language.device)
    inputs = language.tokenizer(prompt, return_tensors="pt", add_special_tokens=False)
    inputs.pop("token_type_ids", None)
    written = model.generate(**inputs, max_new_tokens=limit, do_sample=False, pad_token_id=0)
    return list(written[0, inputs["input_ids"].shape[1] :].tolist())


@pytest.mark.parametrize("task", TASKS)
def test_the_likeliest_tokens_are_those_of_the_libraries_themselves(
    language: CausalLM, folder: Path, task: str
) -> None:
    for prompt in PROMPTS[:4]:
        expected = language.tokenizer.decode(oracle(language, folder, task, prompt, 12)).strip()
        (alone,) = language.complete(task, [row(prompt, 12)])
        assert alone.text == expected.removesuffix(str(language.tokenizer.eos_token)).strip()


def test_guesses_save_steps_and_change_nothing(language: CausalLM, folder: Path) -> None:
    """What is said to be likely is what will be written: all of it is judged at once."""
    (plain,) = language.complete("summary", [row(PROMPTS[0], 24)])
    steps: list[int] = []

    def between() -> Container[int]:
        steps.append(1)
        return ()

    told = replace(row(PROMPTS[0], 24), likely=f"{PROMPTS[0]}{plain.text}")
    (guessed,) = language.complete("summary", [told], between)
    assert guessed == plain
    if "gemma" not in str(folder):
        assert len(steps) < plain.tokens
    mixed = language.complete("summary", [told, *(row(prompt, 24) for prompt in PROMPTS[1:3])])
    assert mixed[0] == plain


def test_each_adapter_writes_otherwise(language: CausalLM) -> None:
    written = [[completion.text for completion in language.complete(task, [row(PROMPTS[0])])] for task in TASKS]
    assert written[0] != written[1]


def test_a_row_that_nobody_waits_for_ends_between_two_tokens_and_the_others_go_on(language: CausalLM) -> None:
    looks = 0

    def between() -> Container[int]:
        nonlocal looks
        looks += 1
        return {1} if looks >= 5 else ()

    rows = [row(prompt) for prompt in PROMPTS[:3]]
    whole = language.complete("summary", rows)
    first, cancelled, last = language.complete("summary", rows, between)
    assert (first, last) == (whole[0], whole[2])
    assert cancelled.tokens == 5 < whole[1].tokens


def test_a_batch_that_nobody_waits_for_ends_at_once(language: CausalLM) -> None:
    completions = language.complete("summary", [row(prompt, 10_000) for prompt in PROMPTS[:3]], lambda: range(3))
    assert [completion.tokens for completion in completions] == [1, 1, 1]
