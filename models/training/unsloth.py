"""Unsloth, where it can be used: less time and memory for LoRA on an NVIDIA GPU of compute capability 7.0 or newer."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from core.errors import ConfigurationError

CAPABILITY = (7, 0)  # Triton's own lower bound; the original's Quadro M6000 (5.2) failed on it


def missing() -> str:
    """One sentence that says which of the two is missing, "" when nothing is."""
    wants = []
    if find_spec("unsloth") is None:
        wants.append("the package unsloth, which is not installed (pip install unsloth)")
    if not torch.cuda.is_available():
        wants.append("an NVIDIA GPU of compute capability 7.0 or newer, which is not here")
    elif (capability := torch.cuda.get_device_capability()) < CAPABILITY:
        wants.append(f"a GPU of compute capability 7.0 or newer, where this one has {capability[0]}.{capability[1]}")
    return f"Unsloth needs {' and '.join(wants)}." if wants else ""


def prepare() -> None:
    """Call before transformers, PEFT and TRL are imported: Unsloth changes them. Raises ConfigurationError."""
    if reason := missing():
        raise ConfigurationError(reason)
    import unsloth  # type: ignore[import-not-found]  # noqa: F401


def load(folder: Path, *, rank: int, modules: list[str] | str, max_length: int, seed: int) -> tuple[Any, Any]:
    """(model with a fresh LoRA, tokenizer), alpha, dropout and initialisation as models.training.families.lora."""
    from unsloth import FastLanguageModel

    model, tokenizer = FastLanguageModel.from_pretrained(
        model_name=str(folder), max_seq_length=max_length, dtype=None, load_in_4bit=False, local_files_only=True
    )
    model = FastLanguageModel.get_peft_model(
        model,
        r=rank,
        target_modules=modules,
        lora_alpha=16,
        lora_dropout=0.05,
        init_lora_weights="gaussian",
        use_gradient_checkpointing="unsloth",
        random_state=seed,
    )
    return model, tokenizer
