"""What `--model` names: a profile, an adapter or an encoder; opened in the way its evaluation needs it."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from core.errors import ConfigurationError
from core.ethics import Thresholds
from core.ports import LanguageModel
from core.tasks import TASKS
from models.device import DeviceProcess
from models.encoder import SentenceEncoder
from models.engine import Engine, Json, Lane
from models.ports import EngineLanguageModel
from models.registry import BUNDLED, Profile
from models.serving import LANES, models_on
from models.training import families
from models.training.evaluation.cases import Recalling

# more prompts than any evaluation has at once
LIMIT = 65536


@dataclass(frozen=True)
class Opened:
    """A language model ready to be asked, and its persona recall, if it has any."""

    name: str
    language: LanguageModel
    recalling: Recalling | None


class InProcess:
    """models.engine.Device over one adapter, in a thread: nobody waits for the event loop here."""

    def __init__(self, base: Path, adapter: Path, task: str, seed: int) -> None:
        from models.causal_lm import CausalLM

        self._model = CausalLM(base, {task: adapter}, seed)

    async def run(self, lane: str, requests: Sequence[Json]) -> list[Json]:
        """One completion for each request."""
        from models.causal_lm import Sampling

        rows = [Sampling(**request) for request in requests]
        return [asdict(completion) for completion in await asyncio.to_thread(self._model.complete, lane, rows)]

    def cancel(self, row: int) -> None:
        """Nothing ends early: evaluations wait for all they ask."""

    async def close(self) -> None:
        """Nothing to let go of."""


@asynccontextmanager
async def language_model(model: Path, task: str, seed: int, *, recall: bool | None) -> AsyncIterator[Opened]:
    """A profile folder or an adapter folder. `recall` None: as a profile has it, as an adapter was trained.

    Raises ConfigurationError for a folder that is neither.
    """
    process = None
    if is_profile(model) and task not in {known.name for known in TASKS}:
        model = model / "adapters" / task  # served by no profile yet
    if is_profile(model):
        profile = Profile(model)
        profile.verify()
        process = DeviceProcess(profile.weights, seed=seed)
        engine = Engine(process, LANES, limit=LIMIT)
        ports = models_on(engine, profile, recall=recall is not False)
        recalling = Recalling(ports.recall, ports.memory_encoder) if ports.recall else None
        opened = Opened(profile.version, ports.language, recalling)
    else:
        made = _trained_as(model)
        with TemporaryDirectory() as scratch:  # for a base of random weights, which lies nowhere
            base = _base(model, made["base"], Path(scratch))
            device = await asyncio.to_thread(InProcess, base, model, task, seed)
            engine = Engine(device, {task: Lane(1)}, limit=LIMIT)
            language = EngineLanguageModel(engine, {task: _tokenizer(base)})
        small = made.get("recall", base == BUNDLED / "base") if recall is None else recall
        opened = Opened(str(model), language, _bundled_recall() if small else None)
    try:
        if process is not None:
            await process.start()  # loading belongs to no answer's time
        yield opened
    finally:
        await engine.close()


def is_profile(model: Path) -> bool:
    """Whether a folder holds a whole profile."""
    return (model / "base").is_dir() and (model / "adapters").is_dir()


def _trained_as(adapter: Path) -> dict[str, Any]:
    """How an adapter was made: `base`, and `recall` where `ohlora train llm` made it.

    Raises ConfigurationError for a folder without an adapter.
    """
    try:
        named = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))["base_model_name_or_path"]
        run = adapter / "run.json"
        return {"base": named} | (json.loads(run.read_text(encoding="utf-8")) if run.is_file() else {})
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ConfigurationError(f"neither a profile nor an adapter: {adapter} ({type(error).__name__})") from error


def _base(adapter: Path, name: str, scratch: Path) -> Path:
    """Beside the adapter in its own profile, or wherever `ohlora train llm` finds a base of that name."""
    own = adapter.parent.parent / "base"
    return own if name == "base" and own.is_dir() else families.locate(name, scratch)


def encoder(model: Path, name: str) -> SentenceEncoder:
    """`name` of a profile (`ethics_encoder` and so on), or the encoder that `model` itself is."""
    return SentenceEncoder(encoder_path(model, name))


def encoder_path(model: Path, name: str) -> Path:
    """Where the encoder's own files are."""
    return Path(getattr(Profile(model), name)) if is_profile(model) else model


def thresholds_of(model: Path) -> dict[str, Any]:
    """`thresholds.json` of a profile, of an encoder, or of the profile an encoder is part of; empty where none is."""
    for folder in (model, model.parent):
        path = folder / "thresholds.json"
        if path.is_file():
            try:
                return dict(json.loads(path.read_text(encoding="utf-8")))
            except (ValueError, TypeError) as error:
                raise ConfigurationError(f"thresholds damaged: {path} ({error})") from error
    return {}


def ethics_thresholds(model: Path) -> Thresholds:
    """Those stored with the encoder; the original's where none are."""
    stored = thresholds_of(model)
    stored = stored.get("ethics", stored)
    if "acts" not in stored:
        return Thresholds()
    return Thresholds({str(name): float(cosine) for name, cosine in stored["acts"].items()}, float(stored["veto"]))


def _tokenizer(base: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(base, split_special_tokens=True).backend_tokenizer


class _Encoder:
    """core.ports.Encoder over an encoder in this process."""

    def __init__(self, encoder: SentenceEncoder) -> None:
        self._encoder = encoder

    async def encode(self, texts: Sequence[str]) -> Any:
        """(len(texts), width)."""
        return await asyncio.to_thread(self._encoder.encode, texts)


def _bundled_recall() -> Recalling | None:
    profile = Profile(BUNDLED)
    index = profile.recall()
    return Recalling(index, _Encoder(SentenceEncoder(profile.memory_encoder))) if index else None
