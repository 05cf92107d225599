"""Where weights live: a profile is a folder with a base model, four adapters, two encoders and their thresholds.

profile/
    base/  adapters/{task}/  memory_encoder/  ethics_encoder/     safetensors, tokenizers, cards
    thresholds.json                                               chosen on validation data, with the encoders
    recall.jsonl  recall.safetensors                              persona rows with their vectors (small models):
                                                                  of prompts, and of contexts where there is one
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from core.errors import ConfigurationError
from core.ethics import Thresholds
from core.recall import MEMORY, SUMMARY, PersonaIndex, PersonaRow
from core.tasks import TASKS
from models.weights import Tuned, Weights

BUNDLED = Path(__file__).parent / "bundled"


@dataclass(frozen=True)
class Profile:
    """One set of models that serve together."""

    root: Path

    @property
    def base(self) -> Path:
        """The base model under all adapters."""
        return self.root / "base"

    @property
    def adapters(self) -> dict[str, Path]:
        """Task → adapter folder."""
        return {task.name: self.root / "adapters" / task.name for task in TASKS}

    @property
    def weights(self) -> Weights:
        """All that a device process loads of it."""
        return Weights(
            {task: Tuned(self.base, adapter) for task, adapter in self.adapters.items()},
            {"memory_encoder": self.memory_encoder, "ethics_encoder": self.ethics_encoder},
        )

    @property
    def memory_encoder(self) -> Path:
        """Recalls memories and persona rows."""
        return self.root / "memory_encoder"

    @property
    def tutor_encoder(self) -> Path:
        """Finds the tutor's texts; where it has no folder the memory encoder has learned that, too."""
        own = self.root / "tutor_encoder"
        return own if own.is_dir() else self.memory_encoder

    @property
    def ethics_encoder(self) -> Path:
        """Judges prompts."""
        return self.root / "ethics_encoder"

    def verify(self, weights: Weights | None = None) -> None:
        """Raises ConfigurationError naming the first file that is missing or damaged.

        `weights`: what is served of it and beside it, instead of all its own.
        """
        served = self.weights if weights is None else weights
        for folder in [*served.by_base(), *served.encoders.values()]:
            for file in _weight_files(folder):
                _verify_header(file)
        for tuned in served.tasks.values():
            _verify_header(tuned.adapter / "adapter_model.safetensors")
        for base in served.by_base():
            tokenizer_in(base / "tokenizer.json")
        self.thresholds()
        self.recall()
        _ = self.version

    def thresholds(self) -> tuple[float, Thresholds]:
        """(memory, ethics) cosine thresholds of this profile's encoders."""
        with _sound(self._thresholds):
            stored = json.loads(self._thresholds.read_text(encoding="utf-8"))
            acts = {str(category): float(cosine) for category, cosine in stored["ethics"]["acts"].items()}
            return float(stored["memory"]), Thresholds(acts, float(stored["ethics"]["veto"]))

    def tokenizer(self) -> Tokenizer:
        """The base model's tokenizer, without torch."""
        return tokenizer_in(self.base / "tokenizer.json")

    def recall(self) -> PersonaIndex | None:
        """The persona rows of a profile that recalls them, None for one that does not."""
        path = self.root / "recall.jsonl"
        if not path.exists():
            return None
        with _sound(path), path.open(encoding="utf-8") as lines:
            stored = [json.loads(line) for line in lines]
            rows = tuple(PersonaRow(**row) for row in stored)
        with _sound(self.root / "recall.safetensors"):
            vectors = load_file(self.root / "recall.safetensors")
            prompts, given = unpacked(vectors["prompts"]), unpacked(vectors["contexts"])
            with_context = np.array([row.kind in (MEMORY, SUMMARY) for row in rows])
            if (len(prompts), len(given)) != (len(rows), with_context.sum()) or not rows:
                raise ValueError(f"{len(prompts)} and {len(given)} vectors for {len(rows)} rows of {path.name}")
            contexts = np.zeros_like(prompts)
            contexts[with_context] = given
        with _sound(self._thresholds):
            threshold = float(json.loads(self._thresholds.read_text(encoding="utf-8"))["recall"])
        return PersonaIndex(rows, prompts, contexts, threshold)

    @property
    def version(self) -> str:
        """Names the models in the evidence of a sanction."""
        with _sound(self._thresholds):
            return str(json.loads(self._thresholds.read_text(encoding="utf-8"))["version"])

    @property
    def _thresholds(self) -> Path:
        return self.root / "thresholds.json"


def tokenizer_in(path: Path) -> Tokenizer:
    """A tokenizer.json, read as models.causal_lm reads what people type. Raises ConfigurationError."""
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises bare Exception for a missing or damaged file
        raise ConfigurationError(
            f"tokenizer missing or damaged: {path} ({error}); restore it or run `make bundled`"
        ) from error
    tokenizer.encode_special_tokens = True
    return tokenizer


def _weight_files(folder: Path) -> list[Path]:
    """Of a model, in one file or in several that an index lists."""
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return [folder / "model.safetensors"]
    with _sound(index):
        return [folder / name for name in sorted(set(json.loads(index.read_bytes())["weight_map"].values()))]


def _verify_header(weights: Path) -> None:
    if not weights.is_file():
        raise ConfigurationError(f"model file missing: {weights}; restore the folder or run `make bundled`")
    with _sound(weights), safe_open(weights, framework="numpy") as file:
        file.keys()


def packed(vectors: NDArray[np.float32]) -> NDArray[np.int8]:
    """(rows, width) unit vectors in a byte a number; the length of a row needs no storing, it is 1."""
    stored: NDArray[np.int8] = np.round(vectors / np.abs(vectors).max(axis=1, keepdims=True) * 127).astype(np.int8)
    return stored


def unpacked(stored: NDArray[np.int8]) -> NDArray[np.float32]:
    """The unit vectors again, each within a cosine of 0.999 of what was packed. Raises ValueError for zeros."""
    vectors = stored.astype(np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not lengths.all():
        raise ValueError("a vector of zeros")
    unit: NDArray[np.float32] = vectors / lengths
    return unit


@contextmanager
def _sound(path: Path) -> Iterator[None]:
    """Whatever reading `path` raises inside becomes a ConfigurationError: one sentence with what, where, what to do."""
    try:
        yield
    except (OSError, ValueError, LookupError, TypeError, AttributeError, SafetensorError) as error:
        cause = " ".join(f"{type(error).__name__}: {error}".split())
        raise ConfigurationError(
            f"model file missing or damaged: {path} ({cause}); restore it or run `make bundled`"
        ) from error
