"""The base models that are tuned: what they are called, where their weights lie, which of their layers LoRA changes.

A base is named `bundled`, by one of the names in `KNOWN`, by a repository (`owner/model`, `owner/model@revision`), by a
folder, or as `random:llama`, `random:neox`, `random:gemma2`: tiny, with random weights, to try things on.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from huggingface_hub import ModelCard, snapshot_download
from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError
from peft import LoraConfig
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    Gemma2Config,
    GPTNeoXConfig,
    LlamaConfig,
    PretrainedConfig,
    PreTrainedTokenizerBase,
)

from core.errors import ConfigurationError
from models.registry import BUNDLED as BUNDLED_PROFILE

BUNDLED, RANDOM = "bundled", "random:"
LLAMA_MODULES = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


@dataclass(frozen=True)
class Family:
    """`modules` are what LoRA changes; `attention` is how training computes it, None for the default."""

    name: str
    modules: list[str] | str
    attention: str | None = None


@dataclass(frozen=True)
class Known:
    """A published base model. `terms` is where terms are that must be accepted first, "" where there are none."""

    repository: str
    parameters: int
    licence: str
    terms: str = ""


KNOWN: Mapping[str, Known] = {
    "kanana-1.5-2.1b-base": Known("kakaocorp/kanana-1.5-2.1b-base", 2_090_000_000, "apache-2.0"),
    "kanana-1.5-2.1b-instruct-2505": Known("kakaocorp/kanana-1.5-2.1b-instruct-2505", 2_090_000_000, "apache-2.0"),
    "polyglot-ko-1.3b": Known("EleutherAI/polyglot-ko-1.3b", 1_430_000_000, "apache-2.0"),
    "gemma-2-2b-it": Known("google/gemma-2-2b-it", 2_610_000_000, "gemma", "https://ai.google.dev/gemma/terms"),
}
_FAMILIES: Mapping[str, Family] = {
    "llama": Family("Llama", LLAMA_MODULES),
    "gpt_neox": Family("GPT-NeoX", ["query_key_value"]),
    # its soft-capped scores are exact in eager attention only
    "gemma2": Family("Gemma-2", LLAMA_MODULES, "eager"),
}
_TINY = {"vocab_size": 0, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
         "max_position_embeddings": 512, "initializer_range": 0.1}  # fmt: skip


def known(name: str) -> Known | None:
    """What is known of a base that is named by itself or by its repository."""
    plain = name.partition("@")[0]
    return KNOWN.get(plain) or next((base for base in KNOWN.values() if base.repository == plain), None)


def folder_name(name: str) -> str:
    """A base's name as one part of a path."""
    return Path(name).name if Path(name).is_dir() else name.replace("/", "--").replace(":", "-")


def published_name(name: str) -> str:
    """How an adapter names its base: no path of this machine."""
    base = known(name)
    return base.repository if base else folder_name(name) if Path(name).is_dir() else name


def locate(name: str, scratch: Path) -> Path:
    """The folder with a base's weights; nothing is downloaded, a random one is made in `scratch`.

    Raises ConfigurationError that says how to get what is missing.
    """
    if name == BUNDLED:
        return BUNDLED_PROFILE / "base"
    if name.startswith(RANDOM):
        return _random(name.removeprefix(RANDOM), scratch / folder_name(name))
    if Path(name).is_dir():
        return Path(name)
    plain, _, revision = name.partition("@")
    base = known(plain)
    repository = base.repository if base else plain
    try:
        folder = Path(snapshot_download(repository, revision=revision or None, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError) as error:
        accept = f"accept the terms at {base.terms}, then run" if base and base.terms else "run"
        raise ConfigurationError(
            f"no weights of {name} on this machine; {accept} `hf download {repository}`, or give the folder they are in"
        ) from error
    if not any(folder.glob("*.safetensors")):
        raise ConfigurationError(f"no safetensors in {folder}, and weights load in no other format")
    return folder


def family_of(folder: Path) -> Family:
    """By the architecture; of one that is not in the table LoRA changes every linear layer."""
    try:
        kind = str(json.loads((folder / "config.json").read_text(encoding="utf-8"))["model_type"])
    except (OSError, ValueError, KeyError) as error:
        raise ConfigurationError(f"{folder / 'config.json'} does not say what model this is: {error!r}") from error
    return _FAMILIES.get(kind, Family(kind, "all-linear"))


def revision_of(folder: Path) -> str | None:
    """The commit a downloaded base stands at, for `owner/model@revision`."""
    return folder.name if folder.parent.name == "snapshots" else None


def licence_of(name: str, folder: Path) -> str:
    """As the table or the model's own card says."""
    base, card = known(name), folder / "README.md"
    if base:
        return base.licence
    stated = ModelCard.load(card).data.get("license") if card.is_file() else None
    return str(stated or ("none needed" if name.startswith(RANDOM) else "not stated"))


def parameters_of(folder: Path) -> int:
    """How many numbers the model has, without reading any of them."""
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder))  # type: ignore[no-untyped-call]
    return int(model.num_parameters())


def lora(family: Family, rank: int) -> LoraConfig:
    """Alpha, dropout and initialisation of behaviour.md §8."""
    return LoraConfig(
        r=rank,
        lora_alpha=16,
        lora_dropout=0.05,
        init_lora_weights="gaussian",
        target_modules=family.modules,
        task_type="CAUSAL_LM",
    )


def tokenizer_of(folder: Path) -> PreTrainedTokenizerBase:
    """Its tokenizer; where it has no padding the end-of-sequence token pads."""
    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def _random(kind: str, folder: Path) -> Path:
    """Two layers of width 64 under the bundled tokenizer; the same weights every time."""
    if (folder / "model.safetensors").is_file():
        return folder
    tokenizer = tokenizer_of(BUNDLED_PROFILE / "base")
    tokens = {"pad_token_id": tokenizer.pad_token_id, "bos_token_id": None, "eos_token_id": tokenizer.eos_token_id}
    values = {**_TINY, **tokens, "vocab_size": len(tokenizer), "tie_word_embeddings": True}
    configs: dict[str, PretrainedConfig] = {
        "llama": LlamaConfig(**values),
        "neox": GPTNeoXConfig(**values),
        "gemma2": Gemma2Config(**values, num_key_value_heads=2, head_dim=16),
    }
    if kind not in configs:
        raise ConfigurationError(f"no random base is called {kind!r}; there are {', '.join(configs)}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        AutoModelForCausalLM.from_config(configs[kind]).save_pretrained(folder)  # type: ignore[no-untyped-call]
    tokenizer.save_pretrained(folder)
    return folder
