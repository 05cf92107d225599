"""The shipped adapters write the same alone, in any batch, with guesses and without, and as the libraries do."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from peft import PeftModel

from core.tasks import TASKS, Task
from models.causal_lm import CausalLM, Sampling, load
from models.registry import BUNDLED, Profile

# transformers says so of PEFT
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing.*:FutureWarning")

PROFILE = Profile(BUNDLED)
LIMIT = 32
NEVER = "이 글은 나오지 않는다"
ASKED = (
    "안녕 (답변 시작)",
    "로라야 너 MBTI 뭐야? (답변 시작)",
    "(제공된 정보) 이름이 뭐야? → 나는 오로라야! 로라라고 불러 줘 😊 (사용자 질문) 너 이름이 뭐니 (답변 시작)",
    "[오늘 일정: 친구랑 카페 방문] (오늘은 토요일) 오늘 나 뭐 하기로 했더라? 까먹었어 (답변 시작)",
)
PROMPTS = [f"{'음 ' * number}{prompt}" for number in range(4) for prompt in ASKED]


@pytest.fixture(scope="module")
def language() -> CausalLM:
    torch.set_num_threads(1)
    return CausalLM(PROFILE.base, PROFILE.adapters)


@pytest.fixture(scope="module")
def library(language: CausalLM) -> PeftModel:
    model: PeftModel = load(PROFILE.base, PROFILE.adapters, language.device)
    return model


def generated(library: PeftModel, language: CausalLM, prompt: str) -> list[int]:
    inputs = language.tokenizer(prompt, return_tensors="pt", add_special_tokens=False)
    inputs.pop("token_type_ids", None)
    written = library.generate(**inputs, max_new_tokens=LIMIT, do_sample=False)
    tokens: list[int] = written[0, inputs["input_ids"].shape[1] :].tolist()
    return tokens


@pytest.mark.parametrize("task", TASKS, ids=lambda task: str(task.name))
@pytest.mark.parametrize("end", ["its own mark", "the limit"])
def test_the_likeliest_tokens_are_the_same_in_any_company(
    language: CausalLM, library: PeftModel, task: Task[Any], end: str
) -> None:
    stop = task.stop if end == "its own mark" else NEVER
    rows = [Sampling(prompt, stop, LIMIT, 0.0, task.likely) for prompt in PROMPTS]
    alone = [language.complete(task.name, [row])[0] for row in rows]
    assert language.complete(task.name, rows[:3]) == alone[:3]
    assert language.complete(task.name, rows) == alone
    assert [language.complete(task.name, [replace(row, likely="")])[0] for row in rows[:4]] == alone[:4]
    library.set_adapter(task.name)
    for prompt, completion in zip(PROMPTS[:4], alone, strict=False):
        tokens = generated(library, language, prompt)
        text = language.tokenizer.decode([token for token in tokens if token != language.tokenizer.eos_token_id])
        assert completion.text == text.partition(stop)[0].strip()
