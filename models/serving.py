"""A profile ready to serve, as core wants it: on this machine, on model servers, or some of it here and some there."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

from core import Models
from core.errors import ConfigurationError
from core.ports import Completion, Encoder, LanguageModel, Prompt
from core.tasks import EYES_MOUTH_POSE, MEMORY, OUTPUT_MESSAGE, SUMMARY, TASKS
from models.engine import Engine, Lane
from models.ports import EngineEncoder, EngineLanguageModel
from models.registry import Profile

# what the person waits for goes first
LANES = {
    "memory_encoder": Lane(0, batch=64),
    "ethics_encoder": Lane(0, batch=64),
    OUTPUT_MESSAGE.name: Lane(1),
    EYES_MOUTH_POSE.name: Lane(2),
    MEMORY.name: Lane(3),
    SUMMARY.name: Lane(3),
}
ENCODERS = ("memory_encoder", "ethics_encoder")
_ORIGINAL = Path("original")


@dataclass(frozen=True)
class Parts:
    """What one place serves: `tasks` with its language model, and encoders by the names of their lanes.

    `version` names what judges there, for the evidence of a sanction; "" where the profile's version does.
    """

    language: LanguageModel
    tasks: Collection[str]
    encoders: Mapping[str, Encoder]
    version: str = ""


class LanguageModelByTask:
    """core.ports.LanguageModel: each task has one of its own."""

    def __init__(self, models: Mapping[str, LanguageModel]) -> None:
        self._models = models

    async def complete(self, prompt: Prompt) -> Completion:
        """One completion, from the model of its task."""
        return await self._models[prompt.task].complete(prompt)

    def count_tokens(self, task: str, text: str) -> int:
        """Tokens of `text` for the model of `task`."""
        return self._models[task].count_tokens(task, text)


def models_on(engine: Engine | None, profile: Profile, *, recall: bool, remote: Parts | None = None) -> Models:
    """Core's models: `remote` serves what it has, the engine everything else; without an engine it has to have all.

    Raises ConfigurationError when the profile is damaged.
    """
    parts = [*([_on_device(engine, profile)] if engine else []), *([remote] if remote else [])]
    by_task = {task: part.language for part in parts for task in part.tasks}
    encoders = {name: encoder for part in parts for name, encoder in part.encoders.items()}
    memory_threshold, ethics_thresholds = profile.thresholds()
    return Models(
        language=parts[0].language if len(parts) == 1 else LanguageModelByTask(by_task),
        memory_encoder=encoders["memory_encoder"],
        memory_threshold=memory_threshold,
        ethics_encoder=encoders["ethics_encoder"],
        ethics_thresholds=ethics_thresholds,
        recall=profile.recall() if recall else None,
        version=", ".join(filter(None, [profile.version, *(part.version for part in parts)])),
    )


def _on_device(engine: Engine, profile: Profile) -> Parts:
    encoders = {name: EngineEncoder(engine, name) for name in ENCODERS}
    return Parts(EngineLanguageModel(engine, profile.tokenizer()), [task.name for task in TASKS], encoders)


def profile_in(place: Path) -> Profile:
    """The profile of a folder. Raises ConfigurationError for `original`, whose adapters lie on two bases."""
    if place == _ORIGINAL and not place.is_dir():
        raise ConfigurationError(
            "the original adapters lie on two base models, and a profile on this machine has one: let model servers "
            "serve them (models.remote), or put those of one base into a copy of models/bundled and name that folder"
        )
    return Profile(place)


def tokenizer_in(path: Path) -> Tokenizer:
    """A tokenizer.json, read as the models read what people type. Raises ConfigurationError."""
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises bare Exception for a missing or damaged file
        raise ConfigurationError(f"no tokenizer in {path} ({error}); models.remote.tokenizer names the file") from error
    tokenizer.encode_special_tokens = True
    return tokenizer
