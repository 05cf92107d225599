"""Where weights live: a profile is a folder with a base model, four adapters, two encoders and their thresholds.

    profile/
        base/  adapters/{task}/  memory_encoder/  ethics_encoder/     safetensors, tokenizers, cards
        thresholds.json                                               chosen on validation data, with the encoders
        recall.jsonl  recall.safetensors                              persona rows with their vectors (small models)
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from core.errors import ConfigurationError
from core.ethics import Thresholds
from core.recall import PersonaIndex, PersonaRow
from core.tasks import TASKS

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
    def memory_encoder(self) -> Path:
        """Recalls memories and persona rows."""
        return self.root / "memory_encoder"

    @property
    def ethics_encoder(self) -> Path:
        """Judges prompts."""
        return self.root / "ethics_encoder"

    def verify(self) -> None:
        """Raises ConfigurationError naming the first file that is missing or damaged."""
        for folder in self._folders():
            weights = folder / ("adapter_model.safetensors" if folder.parent.name == "adapters" else "model.safetensors")
            if not weights.is_file():
                raise ConfigurationError(f"model file missing: {weights}; restore the folder or run `make bundled`")
            try:
                with safe_open(weights, framework="numpy") as file:
                    file.keys()
            except (SafetensorError, OSError) as error:
                raise ConfigurationError(f"model file damaged: {weights} ({error}); restore it or run `make bundled`") from error
        self.thresholds()
        self.tokenizer()

    def _folders(self) -> Iterator[Path]:
        yield self.base
        yield from self.adapters.values()
        yield self.memory_encoder
        yield self.ethics_encoder

    def thresholds(self) -> tuple[float, Thresholds]:
        """(memory, ethics) cosine thresholds of this profile's encoders."""
        stored = self._read_json(self.root / "thresholds.json")
        return float(stored["memory"]), Thresholds(dict(stored["ethics"]["acts"]), float(stored["ethics"]["veto"]))

    def tokenizer(self) -> Tokenizer:
        """The base model's tokenizer, without torch."""
        path = self.base / "tokenizer.json"
        try:
            return Tokenizer.from_file(str(path))
        except Exception as error:  # tokenizers raises bare Exception for a missing or damaged file
            raise ConfigurationError(f"tokenizer missing or damaged: {path} ({error}); run `make bundled`") from error

    def recall(self) -> PersonaIndex | None:
        """The persona rows of a profile that recalls them, None for one that does not."""
        path = self.root / "recall.jsonl"
        if not path.exists():
            return None
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        vectors = load_file(self.root / "recall.safetensors")
        return PersonaIndex(
            rows=tuple(PersonaRow(row["question"], row["answer"], row["kind"]) for row in rows),
            prompts=vectors["prompts"].astype(np.float32),
            contexts=vectors["contexts"].astype(np.float32),
            threshold=float(self._read_json(self.root / "thresholds.json")["recall"]),
        )

    @property
    def version(self) -> str:
        """Names the models in the evidence of a sanction."""
        return str(self._read_json(self.root / "thresholds.json")["version"])

    def _read_json(self, path: Path) -> dict[str, object]:
        try:
            parsed = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"model file missing or damaged: {path} ({error}); run `make bundled`") from error
        if not isinstance(parsed, dict):
            raise ConfigurationError(f"model file damaged: {path} is no JSON object; run `make bundled`")
        return parsed
