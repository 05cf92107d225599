"""The base models that are tuned: what they are called, where their weights lie, which of their layers LoRA changes.

A base is named `bundled`, by a name of models.catalogue, by a repository (`owner/model`, `owner/model@revision`), by a
folder, or as `random:llama`, `random:neox`, `random:gemma2`: tiny, with random weights, to try things on.
"""

import json
from pathlib import Path

import torch
from huggingface_hub import ModelCard
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
from models.catalogue import BUNDLED, FAMILIES, Family, folder_name, known
from models.downloads import located
from models.wide_heads import accept_wide_heads

RANDOM = "random:"
_TINY = {"vocab_size": 0, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
         "max_position_embeddings": 512, "initializer_range": 0.1}  # fmt: skip


def published_name(name: str) -> str:
    """How an adapter names its base: no path of this machine."""
    base = known(name)
    return base.repository if base else folder_name(name) if Path(name).is_dir() else name


def locate(name: str, scratch: Path) -> Path:
    """The folder with a base's weights; nothing is downloaded, a random one is made in `scratch`.

    Raises ConfigurationError that says how to get what is missing.
    """
    accept_wide_heads()
    if name.startswith(RANDOM):
        return _random(name.removeprefix(RANDOM), scratch / folder_name(name))
    return located(name)


def family_of(folder: Path) -> Family:
    """By the architecture; of one that is not in the table LoRA changes every linear layer."""
    try:
        kind = str(json.loads((folder / "config.json").read_text(encoding="utf-8"))["model_type"])
    except (OSError, ValueError, KeyError) as error:
        raise ConfigurationError(f"{folder / 'config.json'} does not say what model this is: {error!r}") from error
    return FAMILIES.get(kind, Family(kind, "all-linear"))


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
    tokenizer = tokenizer_of(located(BUNDLED))
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
