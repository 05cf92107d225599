"""A profile ready to serve, as core wants it: on this machine, on model servers, or some of it here and some there."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from core import Models
from core.ports import Completion, Encoder, LanguageModel, Prompt
from core.tasks import EYES_MOUTH_POSE, MEMORY, OUTPUT_MESSAGE, SUMMARY
from models.catalogue import ADAPTERS
from models.catalogue import BUNDLED as BUNDLED_NAME
from models.downloads import located
from models.engine import Engine, Lane
from models.inventory import folder_of
from models.ports import EngineEncoder, EngineLanguageModel
from models.registry import BUNDLED, Profile, tokenizer_in
from models.weights import Tuned, Weights

_ORIGINAL = Path("original")
# what the person waits for goes first
LANES = {
    "memory_encoder": Lane(0, batch=64),
    "ethics_encoder": Lane(0, batch=64),
    OUTPUT_MESSAGE.name: Lane(1),
    EYES_MOUTH_POSE.name: Lane(2),
    MEMORY.name: Lane(3),
    SUMMARY.name: Lane(3),
}


def lanes_of(weights: Weights) -> dict[str, Lane]:
    """LANES, where tasks on the same base may share a batch."""
    groups = {task: str(base) for base, adapters in weights.by_base().items() for task in adapters}
    return {name: replace(lane, group=groups.get(name, "")) for name, lane in LANES.items()}


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


def models_on(
    engine: Engine | None,
    profile: Profile,
    weights: Weights | None = None,
    *,
    recall: bool,
    remote: Parts | None = None,
) -> Models:
    """Core's models: `remote` serves what it has, the engine what `weights` names; together they have to be everything.

    The profile gives the thresholds of its encoders, the persona rows for its own answers, and all weights where none
    are named. Raises ConfigurationError when it is damaged.
    """
    here = profile.weights if weights is None else weights
    parts = [*([_on_device(engine, here)] if engine else []), *([remote] if remote else [])]
    by_task = {task: part.language for part in parts for task in part.tasks}
    encoders = {name: encoder for part in parts for name, encoder in part.encoders.items()}
    memory_threshold, ethics_thresholds = profile.thresholds()
    return Models(
        language=parts[0].language if len(parts) == 1 else LanguageModelByTask(by_task),
        memory_encoder=encoders["memory_encoder"],
        memory_threshold=memory_threshold,
        ethics_encoder=encoders["ethics_encoder"],
        ethics_thresholds=ethics_thresholds,
        recall=profile.recall() if recall and _answers_as(profile, here) else None,
        version=", ".join(filter(None, [profile.version, *(part.version for part in parts)])),
    )


def served_here(
    place: Path, chosen: Mapping[str, str], models: Path, elsewhere: Collection[str] = ()
) -> tuple[Profile, Weights]:
    """What a machine loads: all tasks and encoders of a profile, but for those that are served `elsewhere`.

    `place` is a profile's folder, or `original`: the published adapters on their two bases, with the bundled encoders.
    `chosen` has another profile for single tasks: `bundled`, `original` or a folder. `models` is the folder of what was
    pulled or trained. Raises ConfigurationError that says how to get what is missing.
    """
    original = place == _ORIGINAL and not place.is_dir()
    profile = Profile(BUNDLED if original else place)
    of_all = dict.fromkeys(profile.adapters, str(_ORIGINAL)) if original else {}
    own = profile.weights.without(elsewhere)
    others = {task: _tuned(task, name, models) for task, name in {**of_all, **chosen}.items() if task not in elsewhere}
    return profile, Weights({**own.tasks, **others}, own.encoders)


def _tuned(task: str, name: str, models: Path) -> Tuned:
    if name == str(_ORIGINAL):
        adapter = ADAPTERS[f"{name}-{task}"]
        return Tuned(located(adapter.base), folder_of(adapter.name, models))
    return Profile(BUNDLED if name == BUNDLED_NAME else Path(name).expanduser()).weights.tasks[task]


def _answers_as(profile: Profile, weights: Weights) -> bool:
    """Persona rows are for the small model that learned to answer with them."""
    tuned = weights.tasks.get(OUTPUT_MESSAGE.name)
    return tuned is None or tuned.base == profile.base


def _on_device(engine: Engine, weights: Weights) -> Parts:
    tokenizers = {base: tokenizer_in(base / "tokenizer.json") for base in weights.by_base()}
    by_task = {task: tokenizers[tuned.base.resolve()] for task, tuned in weights.tasks.items()}
    encoders = {name: EngineEncoder(engine, name) for name in weights.encoders}
    return Parts(EngineLanguageModel(engine, by_task), list(by_task), encoders)
