"""Wiring of a worker that serves models: the same engine as a turn has, with a door in front of it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial

from tokenizers import Tokenizer

from bot.config import Settings
from bot.model_service.device import bases
from bot.model_service.server import ModelService, Served, listening
from bot.observing.checks import Check, Seldom
from bot.observing.metrics import Metrics
from bot.reload import Reload
from core.errors import ConfigurationError, EngineError
from core.messages import PersonKey
from core.ports import Prompt
from models.device import DeviceProcess
from models.engine import Engine, Lane
from models.ports import EngineEncoder, EngineLanguageModel
from models.registry import tokenizer_in
from models.serving import LANES, lanes_of, served_here
from models.weights import Weights

log = logging.getLogger(__name__)

_WORDS = "안녕"
# whoever asks meanwhile is told what it was last
_SELDOM_S = 30.0


def chosen(tasks: str) -> frozenset[str]:
    """Tasks and encoders as `--tasks` names them, with commas between. Raises ConfigurationError."""
    names = frozenset(filter(None, map(str.strip, tasks.split(","))))
    if unknown := sorted(names - LANES.keys()):
        raise ConfigurationError(f"--tasks: there is no {', '.join(unknown)}; there are {', '.join(LANES)}")
    if not names:
        raise ConfigurationError(f"--tasks names nothing; there are {', '.join(LANES)}")
    return names


@dataclass(frozen=True)
class ModelServiceApp:
    """Models that are served at `url`; `run` lasts until it is cancelled."""

    url: str
    checks: Mapping[str, Check]
    reload: Reload | None = None

    async def run(self) -> None:
        """The server does the work."""
        await asyncio.Event().wait()


@asynccontextmanager
async def build_model_service(
    settings: Settings, names: Collection[str], metrics: Metrics
) -> AsyncIterator[ModelServiceApp]:
    """These tasks and encoders of the configured models, once they have loaded and answered.

    At the end what is under way is finished. Raises ConfigurationError.
    """
    models = settings.models
    profile, weights = served_here(models.profile, models.instead, settings.models_dir, LANES.keys() - set(names))
    profile.verify(weights)
    device = DeviceProcess(weights, models.threads, models.seed, worker="bot.model_service.device")
    engine = Engine(device, lanes_with_bases(weights), settings.serve.line, metrics.registry)
    try:
        await device.start()
        served = await served_by(engine, weights)
        answer = partial(_answer, served)
        await answer()
        service = ModelService(served, settings.serve.api_key.get_secret_value(), settings.turn.within_s)
        async with listening(service, settings.serve) as url:
            log.info("%s are served at %s", ", ".join(sorted(names)), url)
            yield ModelServiceApp(url, {"models": Seldom(answer, _SELDOM_S)})
    finally:
        await engine.close()


def lanes_with_bases(weights: Weights) -> dict[str, Lane]:
    """As urgent as on any machine; bases are asked when somebody starts, and may come along with their adapters."""
    lanes = {name: lane for name, lane in lanes_of(weights).items() if name in {*weights.tasks, *weights.encoders}}
    least = max(lane.rank for lane in lanes.values())
    return lanes | {base: replace(lanes[tasks[0]], rank=least) for base, tasks in bases(weights).items()}


async def served_by(engine: Engine, weights: Weights) -> Served:
    """Bases are listed where they can be asked: under an adapter of another kind than LoRA's plain one they cannot."""
    adapters: dict[str, str] = {}
    tokenizers: dict[str, Tokenizer] = {}
    for (base, tasks), path in zip(bases(weights).items(), weights.by_base(), strict=True):
        request = {"task": base, "prompt": _WORDS, "stop": " ", "max_new_tokens": 1, "temperature": 0.0}
        try:
            await engine.submit(base, request)
            asked = base
        except EngineError:
            log.warning("%s cannot be asked without an adapter; nobody can compare %s with it", path, ", ".join(tasks))
            asked = ""
        adapters |= dict.fromkeys(tasks, asked)
        tokenizers |= dict.fromkeys([base, *tasks], tokenizer_in(path / "tokenizer.json"))
    encoders = {name: EngineEncoder(engine, name) for name in weights.encoders}
    return Served(EngineLanguageModel(engine, tokenizers), adapters, encoders)


async def _answer(served: Served) -> None:
    """Every model does something. Raises EngineError."""
    complete, nobody = served.language.complete, PersonKey("check", "")
    await asyncio.gather(
        *(complete(Prompt(task, _WORDS, " ", 1, 0.0, nobody)) for task in served.adapters),
        *(encoder.encode([_WORDS]) for encoder in served.encoders.values()),
    )
