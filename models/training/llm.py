"""`ohlora train llm`: one LoRA adapter for one task, loss on completions only (behaviour.md §8)."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from datasets import Dataset
from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text
from torch.utils.data import Sampler
from transformers import AutoModelForCausalLM, set_seed
from transformers.trainer_pt_utils import get_length_grouped_indices
from trl import SFTConfig, SFTTrainer

from core import Policy
from core.tasks import Rejected
from models.causal_lm import CausalLM, Sampling
from models.training import families, run, unsloth
from models.training.llm_rows import SPECS, columns, examples
from models.training.rows import Example
from models.training.run_config import LlmRun
from models.training.tune import Tuner

WEIGHTS = "adapter_model.safetensors"
MAX_LENGTH = 512  # tokens; more than any row has
_TESTED_TOGETHER = 8


def train(config: LlmRun, output: Path, *, resume: bool = False, force: bool = False) -> dict[str, Any]:
    """Train the adapter into `output` and return its report. Raises run.Stopped after Ctrl-C."""
    checkpoint = run.begin(config, output, resume=resume, force=force)
    work = output / run.CHECKPOINTS
    folder = families.locate(config.base, work)
    rows = examples(config, "train")
    sitting = run.Sitting(checkpoint)
    trainer = trainer_for(config, folder, rows, work)
    trainer.add_callback(sitting)
    with sitting.interruptible():
        trainer.train(resume_from_checkpoint=checkpoint)
    model: Any = trainer.model
    model.peft_config["default"].base_model_name_or_path = families.published_name(config.base)
    model.save_pretrained(str(output), save_embedding_layers=False)
    written = run.report(config, trainer.state.log_history, sitting, len(rows), revision=families.revision_of(folder))
    run.write_report(output, written)
    return written


def trainer_for(config: LlmRun, folder: Path, rows: Sequence[Example], work: Path) -> SFTTrainer:
    """TRL's trainer over a fresh adapter; the seed decides how that begins."""
    set_seed(config.seed)
    family = families.family_of(folder)
    if config.unsloth:
        unsloth.prepare()
        model, tokenizer = unsloth.load(
            folder, rank=config.rank, modules=family.modules, max_length=MAX_LENGTH, seed=config.seed
        )
    else:
        tokenizer = families.tokenizer_of(folder)
        model = AutoModelForCausalLM.from_pretrained(
            folder, dtype=run.weights_dtype(), use_safetensors=True, attn_implementation=family.attention
        )
    trainer = _Trainer(
        model=model,
        args=SFTConfig(
            **run.trainer_arguments(config, work),
            lr_scheduler_type="cosine",
            warmup_steps=0.03,
            activation_checkpointing=False,
            max_length=MAX_LENGTH,
            completion_only_loss=True,
        ),
        train_dataset=Dataset.from_dict(columns(rows)),
        processing_class=tokenizer,
        peft_config=None if config.unsloth else families.lora(family, config.rank),
    )
    return run.quiet(trainer)


class _Sampler(Sampler[int]):
    """Rows of like length one after the other, so that batches hold little padding.

    Each epoch's order follows from the seed and its number alone: a run that goes on finds the rows it has not seen.
    """

    def __init__(self, lengths: Sequence[int], batch: int, seed: int) -> None:
        self._lengths, self._batch, self._seed, self._epoch = lengths, batch, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Which epoch is drawn next."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self._seed + self._epoch)
        indices: list[int] = get_length_grouped_indices(self._lengths, self._batch, generator=generator)  # type: ignore[no-untyped-call]
        return iter(indices)


class _Trainer(Tuner):
    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:
        tokenized: Any = self.train_dataset
        lengths = [len(ids) for ids in tokenized["input_ids"]]
        together = self.args.per_device_train_batch_size * self.args.gradient_accumulation_steps
        return _Sampler(lengths, together, self.args.seed)


def test(config: LlmRun, output: Path) -> dict[str, int]:
    """Complete every validation row once with the adapter in `output`; says of each whether its form is right."""
    task, rows = SPECS[config.task], examples(config, "valid")
    with TemporaryDirectory() as scratch:
        model = CausalLM(families.locate(config.base, Path(scratch)), {task.name: output}, config.seed)
    limit = task.max_new_tokens or Policy().answer_tokens
    table = Table("prompt", "answer", "form", title=f"{task.name} · {output}")
    right = 0
    for start in track(range(0, len(rows), _TESTED_TOGETHER), "inference test", console=Console(stderr=True)):
        prompts = [row.prompt for row in rows[start : start + _TESTED_TOGETHER]]
        sampled = [Sampling(prompt, task.stop, limit, task.temperature) for prompt in prompts]
        for prompt, completion in zip(prompts, model.complete(task.name, sampled), strict=True):
            wrong = isinstance(task.parse(completion.text, completion.ended), Rejected)
            form = Text("format error", "red") if wrong else Text("ok")
            table.add_row(Text(prompt), Text(completion.text), form)
            right += not wrong
    Console().print(table)
    figures = {"rows": len(rows), "ok": right, "format_errors": len(rows) - right}
    print(json.dumps(figures))
    return figures
