"""transformers + PEFT: one base model in memory, one LoRA adapter a task on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LogitsProcessor,
    LogitsProcessorList,
    PreTrainedTokenizerBase,
    StoppingCriteria,
    StoppingCriteriaList,
)

from core.ports import Completion


@dataclass(frozen=True, slots=True)
class Sampling:
    """One row's prompt and how to continue it."""

    prompt: str
    stop: str
    max_new_tokens: int
    temperature: float


class CausalLM:
    """Completes batches of prompts. Weights load as safetensors only, without remote code."""

    def __init__(self, base: Path, adapters: Mapping[str, Path], seed: int | None = None) -> None:
        if seed is not None:
            torch.manual_seed(seed)
        # `<eos>` that a person types is text, not the token
        self._tokenizer = AutoTokenizer.from_pretrained(base, split_special_tokens=True)
        self._tokenizer.padding_side = "left"
        self._model = _load(base, adapters)

    @torch.inference_mode()
    def complete(self, task: str, rows: Sequence[Sampling]) -> list[Completion]:
        """One completion a row, each stopped on its own end mark or at its own limit."""
        self._model.set_adapter(task)
        inputs = self._tokenizer(
            [row.prompt for row in rows], return_tensors="pt", padding=True, add_special_tokens=False
        )
        inputs.pop("token_type_ids", None)
        prompt_length = inputs["input_ids"].shape[1]
        stops = _RowStops(self._tokenizer, rows, prompt_length)
        output = self._model.generate(
            **inputs,
            max_new_tokens=max(row.max_new_tokens for row in rows),
            do_sample=True,
            stopping_criteria=StoppingCriteriaList([stops]),
            logits_processor=LogitsProcessorList([_RowTemperatures([row.temperature for row in rows])]),
            pad_token_id=self._tokenizer.pad_token_id,
        )
        return [
            self._completion(output[index, prompt_length:], row, stops.lengths[index]) for index, row in enumerate(rows)
        ]

    def _completion(self, tokens: torch.Tensor, row: Sampling, length: int) -> Completion:
        """tokens: (longest completion of the batch,); what lies behind `length` is padding."""
        # not skip_special_tokens: byte tokens may count as special, and with them every rare character would go
        ends = (self._tokenizer.eos_token_id, self._tokenizer.pad_token_id)
        text = str(self._tokenizer.decode([token for token in tokens[:length].tolist() if token not in ends]))
        before, mark, _ = text.partition(row.stop)
        return Completion(before.strip(), bool(mark), length)


def _load(base: Path, adapters: Mapping[str, Path]) -> Any:
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32, use_safetensors=True)
    peft: Any = None
    for task, path in adapters.items():
        if peft is None:
            peft = PeftModel.from_pretrained(model, path, adapter_name=task)
        else:
            peft.load_adapter(path, adapter_name=task)
    return peft.eval()


class _RowTemperatures(LogitsProcessor):
    def __init__(self, temperatures: Sequence[float]) -> None:
        self._scale = torch.tensor(temperatures).unsqueeze(1)

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        """scores: (rows, vocabulary)."""
        return scores / self._scale  # type: ignore[return-value]


class _RowStops(StoppingCriteria):
    """Each row ends on its own mark, as text, or at its own limit; `lengths` counts its new tokens."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, rows: Sequence[Sampling], prompt_length: int) -> None:
        self._tokenizer = tokenizer
        self._rows = rows
        self._prompt_length = prompt_length
        self._done = [False] * len(rows)
        self.lengths = [0] * len(rows)
        # a mark is looked for in this many last tokens: where none is known whole, each byte of it is one
        self._tail = max(len(row.stop.encode()) for row in rows) + 1

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor, **kwargs: Any) -> torch.BoolTensor:
        """input_ids: (rows, prompt + new tokens) → which rows are done."""
        new = input_ids.shape[1] - self._prompt_length
        tails = input_ids[:, max(self._prompt_length, input_ids.shape[1] - self._tail) :]
        for index, text in enumerate(self._tokenizer.batch_decode(tails)):
            if not self._done[index]:
                self.lengths[index] = new
                row = self._rows[index]
                ended = row.stop in text or int(input_ids[index, -1]) == self._tokenizer.eos_token_id
                self._done[index] = ended or new >= row.max_new_tokens
        return torch.tensor(self._done)  # type: ignore[return-value]
