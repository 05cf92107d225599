"""Supervised fine-tuning on our own rows: first the whole base on all four tasks, then one LoRA adapter a task.

The loss counts on completions only. Defaults follow behaviour.md §8; rank 16 because at width 256 the original's
rank 64 would outweigh the base.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from trl import SFTConfig, SFTTrainer

from models.catalogue import LLAMA_MODULES, Family
from models.training.families import lora
from models.training.rows import Example


class Tuner(SFTTrainer):
    """TRL's trainer, without its note to TRL's makers that somebody trains: nothing of a run leaves this machine."""

    def _send_telemetry(self) -> None:
        return


def _settings(work: Path, *, rate: float, seed: int, batch: int) -> SFTConfig:
    return SFTConfig(
        output_dir=str(work),
        num_train_epochs=1,
        per_device_train_batch_size=batch,
        learning_rate=rate,
        lr_scheduler_type="cosine",
        warmup_steps=30,
        bf16=True,
        use_cpu=not torch.cuda.is_available(),
        activation_checkpointing=False,
        logging_steps=50,
        save_steps=500,
        save_total_limit=1,
        report_to=[],
        seed=seed,
        max_length=192,
        completion_only_loss=True,
        train_sampling_strategy="group_by_length",
        dataloader_pin_memory=False,
    )


def _dataset(examples: Sequence[Example]) -> Dataset:
    return Dataset.from_dict(
        {
            "prompt": [example.prompt for example in examples],
            # the space is what stands between prompt and completion in the text; the tokenizer swallows it
            "completion": [f" {example.completion}" for example in examples],
        }
    )


def tune_base(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    examples: Sequence[Example],
    work: Path,
    *,
    rate: float,
    seed: int,
) -> None:
    """All parameters, all tasks, one pass; changes `model` in place."""
    Tuner(
        model=model,
        args=_settings(work, rate=rate, seed=seed, batch=48),
        train_dataset=_dataset(examples),
        processing_class=tokenizer,
    ).train(resume_from_checkpoint=any(work.glob("checkpoint-*")))


def train_adapter(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    examples: Sequence[Example],
    task: str,
    work: Path,
    *,
    rank: int,
    seed: int,
) -> Any:
    """A LoRA adapter for `task`; returns the PEFT model that holds it."""
    trainer = Tuner(
        model=model,
        args=_settings(work, rate=3e-4, seed=seed, batch=32),
        train_dataset=_dataset([example for example in examples if example.task == task]),
        processing_class=tokenizer,
        peft_config=lora(Family("Llama", LLAMA_MODULES), rank),
    )
    trainer.train(resume_from_checkpoint=any(work.glob("checkpoint-*")))
    return trainer.model
