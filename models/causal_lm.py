"""transformers + PEFT: one base model in memory, one LoRA adapter a task on it."""

from collections.abc import Callable, Container, Mapping, Sequence
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
from models.adapters import checked_config


@dataclass(frozen=True, slots=True)
class Sampling:
    """One row's prompt and how to continue it. `temperature` 0 takes the likeliest token each time."""

    prompt: str
    stop: str
    max_new_tokens: int
    temperature: float


def _everybody_waits() -> Container[int]:
    return ()


class CausalLM:
    """Completes batches of prompts: bfloat16 on a GPU where there is one, else float32 on the processor.

    Weights load as safetensors only, without remote code.
    """

    def __init__(self, base: Path, adapters: Mapping[str, Path], seed: int | None = None) -> None:
        if seed is not None:
            torch.manual_seed(seed)
        # `<eos>` that a person types is text, not the token
        self.tokenizer = AutoTokenizer.from_pretrained(base, split_special_tokens=True)
        self.tokenizer.padding_side = "left"
        if self.tokenizer.pad_token_id is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model = _load(base, adapters, self.device)
        self._task = ""

    @torch.inference_mode()
    def complete(
        self, task: str, rows: Sequence[Sampling], between: Callable[[], Container[int]] = _everybody_waits
    ) -> list[Completion]:
        """One completion a row, each stopped on its own end mark or at its own limit.

        `between` is called between two tokens and returns the rows to stop there.
        """
        if task != self._task:  # a walk through all layers
            self.model.set_adapter(task)
            self._task = task
        inputs = self.tokenizer(
            [row.prompt for row in rows], return_tensors="pt", padding=True, add_special_tokens=False
        ).to(self.device)
        inputs.pop("token_type_ids", None)
        prompt_length = inputs["input_ids"].shape[1]
        stops = _RowStops(self.tokenizer, rows, prompt_length, between)
        output = self.model.generate(
            **inputs,
            max_new_tokens=max(row.max_new_tokens for row in rows),
            do_sample=True,
            # each row has its own; what a base model's generation_config.json recommends is for chats with it
            temperature=1.0,
            top_p=1.0,
            stopping_criteria=StoppingCriteriaList([stops]),
            logits_processor=LogitsProcessorList([_RowTemperatures(rows, self.device)]),
            pad_token_id=self.tokenizer.pad_token_id,
        )
        return [
            self._completion(output[index, prompt_length:], row, stops.lengths[index]) for index, row in enumerate(rows)
        ]

    def _completion(self, tokens: torch.Tensor, row: Sampling, length: int) -> Completion:
        """tokens: (longest completion of the batch,); what lies behind `length` is padding."""
        # not skip_special_tokens: byte tokens may count as special, and with them every rare character would go
        ends = (self.tokenizer.eos_token_id, self.tokenizer.pad_token_id)
        text = str(self.tokenizer.decode([token for token in tokens[:length].tolist() if token not in ends]))
        before, mark, _ = text.partition(row.stop)
        return Completion(before.strip(), bool(mark), length)


def _load(base: Path, adapters: Mapping[str, Path], device: torch.device) -> Any:
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    model = AutoModelForCausalLM.from_pretrained(base, dtype=dtype, use_safetensors=True).to(device)  # type: ignore[arg-type]
    peft: Any = None
    for task, path in adapters.items():
        config = checked_config(path, base)
        # in the precision of the base: float32 adapters on a bfloat16 base are cast back and forth in every layer
        options: Any = {"adapter_name": task, "autocast_adapter_dtype": False}
        if peft is None:
            peft = PeftModel.from_pretrained(model, path, config=config, **options)
        else:
            peft.add_adapter(peft_config=config, **options)
            peft.load_adapter(path, **options)
    return peft.eval()


class _RowTemperatures(LogitsProcessor):
    def __init__(self, rows: Sequence[Sampling], device: torch.device) -> None:
        temperatures = torch.tensor([row.temperature for row in rows], device=device).unsqueeze(1)
        self._greedy = temperatures == 0
        self._scale = torch.where(self._greedy, 1.0, temperatures)

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        """scores: (rows, vocabulary)."""
        best = scores.argmax(dim=1, keepdim=True)
        likeliest = torch.full_like(scores, -torch.inf).scatter(1, best, 0.0)
        return torch.where(self._greedy, likeliest, scores / self._scale)  # type: ignore[return-value]


class _RowStops(StoppingCriteria):
    """Each row ends on its own mark, as text, or at its own limit; `lengths` counts its new tokens."""

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        rows: Sequence[Sampling],
        prompt_length: int,
        between: Callable[[], Container[int]],
    ) -> None:
        self._tokenizer = tokenizer
        self._between = between
        self._rows = rows
        self._prompt_length = prompt_length
        self._done = [False] * len(rows)
        self.lengths = [0] * len(rows)
        # a mark is looked for in this many last tokens: where none is known whole, each byte of it is one
        self._tail = max(len(row.stop.encode()) for row in rows) + 1

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor, **kwargs: Any) -> torch.BoolTensor:
        """input_ids: (rows, prompt + new tokens) → which rows are done."""
        new = input_ids.shape[1] - self._prompt_length
        tails = input_ids[:, max(self._prompt_length, input_ids.shape[1] - self._tail) :].tolist()
        gone = self._between()
        for index, row in enumerate(self._rows):
            if not self._done[index]:
                self.lengths[index] = new
                ended = tails[index][-1] == self._tokenizer.eos_token_id or index in gone
                ended = ended or new >= row.max_new_tokens or row.stop in self._tokenizer.decode(tails[index])
                self._done[index] = ended
        return torch.tensor(self._done, device=input_ids.device)  # type: ignore[return-value]
