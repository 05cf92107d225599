"""transformers + PEFT: one base model in memory, one LoRA adapter a task on it."""

import re
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from core.errors import ConfigurationError
from core.ports import Completion
from models.adapters import checked_config
from models.decoding import Decoder, Row
from models.drafts import Draft
from models.lora import Adapters
from models.wide_heads import accept_wide_heads


@dataclass(frozen=True, slots=True)
class Sampling:
    """One row's prompt and how to continue it: core.ports.Prompt, as far as the model needs it."""

    prompt: str
    stop: str
    max_new_tokens: int
    temperature: float
    likely: str = ""
    task: str = ""


def _everybody_waits() -> Container[int]:
    return ()


class CausalLM:
    """Completes batches of prompts: bfloat16 on a GPU where there is one, else float32 on the processor.

    Weights load as safetensors only, without remote code.
    """

    def __init__(self, base: Path, adapters: Mapping[str, Path], seed: int | None = None) -> None:
        if seed is not None:
            torch.manual_seed(seed)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        peft = load(base, adapters, self.device)
        # `<eos>` that a person types is text, not the token
        self.tokenizer = AutoTokenizer.from_pretrained(base, split_special_tokens=True)
        self.tokenizer.padding_side = "left"
        if self.tokenizer.pad_token_id is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token
        self._adapters = Adapters(peft)
        self._decoder = Decoder(peft.get_base_model(), self.tokenizer.backend_tokenizer, self.tokenizer.eos_token_id)
        # a handful: core.tasks writes them, nobody else
        self._usuals: dict[tuple[str, str], list[int]] = {}

    def complete(
        self, task: str, rows: Sequence[Sampling], between: Callable[[], Container[int]] = _everybody_waits
    ) -> list[Completion]:
        """One completion a row, each stopped on its own end mark or at its own limit, and with its own adapter.

        `task`: of the rows that name none. `between` is called between two tokens and returns the rows to stop there.
        """
        tasks = [row.task or task for row in rows]
        order = sorted(range(len(rows)), key=tasks.__getitem__)
        parts = [order] if self._adapters.mixes else [list(part) for _, part in groupby(order, tasks.__getitem__)]
        completions: dict[int, Completion] = {}
        for part in parts:
            self._write(part, tasks, rows, between, completions)
        return [completions[at] for at in range(len(rows))]

    def _write(
        self,
        part: Sequence[int],
        tasks: Sequence[str],
        rows: Sequence[Sampling],
        between: Callable[[], Container[int]],
        completions: dict[int, Completion],
    ) -> None:
        """The rows at the places in `part`, those of one task one after the other, in one batch."""
        mine = [rows[at] for at in part]
        inputs = self.tokenizer(
            [row.prompt for row in mine], return_tensors="pt", padding=True, add_special_tokens=False
        ).to(self.device)
        prompts, mask = inputs["input_ids"], inputs["attention_mask"]
        usuals = [self._usual(row.likely, row.stop) for row in mine]
        written = [
            Row(row.stop, row.max_new_tokens, row.temperature, Draft([*usual, *prompt[shown.bool()].tolist()]))
            for row, usual, prompt, shown in zip(mine, usuals, prompts, mask, strict=True)
        ]

        def gone() -> Container[int]:
            stopped = between()
            return [place for place, at in enumerate(part) if at in stopped]

        def left(writing: Sequence[int]) -> None:
            self._adapters.use([tasks[part[place]] for place in writing])

        self._decoder.write(written, prompts, mask, gone, left)
        completions.update(zip(part, map(self._completion, written), strict=True))

    def _usual(self, likely: str, stop: str) -> list[int]:
        """Tokens that completions of a task are made of and end with."""
        if (likely, stop) not in self._usuals:
            self._usuals[likely, stop] = self.tokenizer(f"{likely} {stop}", add_special_tokens=False)["input_ids"]
        return self._usuals[likely, stop]

    def _completion(self, row: Row) -> Completion:
        # not skip_special_tokens: byte tokens may count as special, and with them every rare character would go
        text = str(self.tokenizer.decode([token for token in row.tokens if token != self.tokenizer.eos_token_id]))
        before, mark, _ = text.partition(row.stop)
        return Completion(before.strip(), bool(mark), len(row.tokens))


def load(base: Path, adapters: Mapping[str, Path], device: torch.device) -> Any:
    """A PeftModel with one adapter a task. Raises ConfigurationError for one that does not fit, or adds nothing."""
    accept_wide_heads()
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
        _require_tuned(peft, task, path)
    return peft.eval()


def _require_tuned(peft: Any, task: str, path: Path) -> None:
    """Whatever an adapter adds goes through its B: one without a number in it was never trained."""
    its = re.compile(rf"lora_(embedding_)?B\.{task}\b")
    if not any(weight.count_nonzero() for name, weight in peft.named_parameters() if its.search(name)):
        raise ConfigurationError(f"the adapter {path} answers like its base: it was never trained; train or pull it")
