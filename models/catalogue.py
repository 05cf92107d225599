"""The base models and adapters of behaviour.md §8: what is known of each before anything is downloaded.

No commit is written down here, because none could be looked up when this table was made: `revision` is a branch, the
first `ohlora models pull` resolves it to a commit, models.downloads keeps that in a lock, and every later pull uses it.
Nor is a repository of the original adapters on record: whoever pulls one says where it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

BUNDLED = "bundled"
LLAMA_MODULES = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
# licences that are not free → where their terms are
TERMS: Mapping[str, str] = {
    "gemma": "https://ai.google.dev/gemma/terms and https://ai.google.dev/gemma/prohibited_use_policy"
}


@dataclass(frozen=True)
class Family:
    """`modules` are what LoRA changes; `attention` is how training computes it, None for the default."""

    name: str
    modules: list[str] | str
    attention: str | None = None


# model_type of config.json → family
FAMILIES: Mapping[str, Family] = {
    "llama": Family("Llama", LLAMA_MODULES),
    "gpt_neox": Family("GPT-NeoX", ["query_key_value"]),
    # its soft-capped scores are exact in eager attention only
    "gemma2": Family("Gemma-2", LLAMA_MODULES, "eager"),
}


@dataclass(frozen=True)
class Base:
    """A published base model; `context` in tokens, `dtype` for a GPU (a processor computes in float32)."""

    name: str
    repository: str
    parameters: int
    licence: str
    model_type: str
    context: int
    dtype: str = "bfloat16"
    revision: str = "main"

    @property
    def family(self) -> Family:
        """What its layers are called."""
        return FAMILIES[self.model_type]

    @property
    def terms(self) -> str:
        """Where terms are that must be accepted first, "" where there are none."""
        return TERMS.get(self.licence, "")


@dataclass(frozen=True)
class Adapter:
    """An adapter of the original service: a task on a base, with its LoRA rank."""

    name: str
    task: str
    base: str
    rank: int


_BASES = (
    Base("kanana-1.5-2.1b-base", "kakaocorp/kanana-1.5-2.1b-base", 2_090_000_000, "apache-2.0", "llama", 32768),
    Base(
        "kanana-1.5-2.1b-instruct-2505", "kakaocorp/kanana-1.5-2.1b-instruct-2505",
        2_090_000_000, "apache-2.0", "llama", 32768,
    ),
    Base("polyglot-ko-1.3b", "EleutherAI/polyglot-ko-1.3b", 1_430_000_000, "apache-2.0", "gpt_neox", 2048),
    Base("gemma-2-2b-it", "google/gemma-2-2b-it", 2_610_000_000, "gemma", "gemma2", 8192),
)  # fmt: skip
_ADAPTERS = (
    Adapter("original-output_message", "output_message", "kanana-1.5-2.1b-base", 64),
    Adapter("original-output_message-2505", "output_message", "kanana-1.5-2.1b-instruct-2505", 16),
    Adapter("original-summary", "summary", "kanana-1.5-2.1b-base", 64),
    Adapter("original-memory", "memory", "polyglot-ko-1.3b", 64),
    Adapter("original-eyes_mouth_pose", "eyes_mouth_pose", "polyglot-ko-1.3b", 64),
    Adapter("original-tutor", "tutor", "kanana-1.5-2.1b-instruct-2505", 64),
)
BASES: Mapping[str, Base] = {base.name: base for base in _BASES}
ADAPTERS: Mapping[str, Adapter] = {adapter.name: adapter for adapter in _ADAPTERS}


def known(name: str) -> Base | None:
    """What is known of a base that is named by itself or by its repository, with or without `@revision`."""
    plain = name.partition("@")[0]
    return BASES.get(plain) or next((base for base in _BASES if base.repository == plain), None)


def known_in(path: str) -> Base | None:
    """The base that a repository or a path of any computer ends in, C:\\… and a hub's cache folders included."""
    for part in reversed(PureWindowsPath(path).parts):
        if base := known(part) or known(part.removeprefix("models--").replace("--", "/")):
            return base
    return None


def folder_name(name: str) -> str:
    """A base's name as one part of a path."""
    return Path(name).name if Path(name).is_dir() else name.replace("/", "--").replace(":", "-")
