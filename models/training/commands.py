"""What `ohlora train llm` and `ohlora train encoder` do with what was asked: test, train, go on, stop."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console

from models.training import encoder as encoders
from models.training import llm as adapters
from models.training import run
from models.training.run_config import EncoderRun, LlmRun

R = TypeVar("R", LlmRun, EncoderRun)


@dataclass(frozen=True)
class Asked:
    """`values` are a run's fields, None where nothing was said; `output` None: its place among all models."""

    values: Mapping[str, Any]
    config: Path | None = None
    output: Path | None = None
    resume: bool = False
    force: bool = False


def llm(asked: Asked, models: Path) -> None:
    """Train an adapter, or test the one that is there."""
    made, output = _settled(LlmRun, asked, models)
    if (output / adapters.WEIGHTS).is_file() and not (asked.resume or asked.force):
        adapters.test(made, output)
    else:
        _trained("llm", adapters.train, made, output, asked)


def encoder(asked: Asked, models: Path) -> None:
    """Train an encoder, or measure the one that is there."""
    made, output = _settled(EncoderRun, asked, models)
    if (output / encoders.MODULES).is_file() and not (asked.resume or asked.force):
        encoders.test(made, output)
    else:
        _trained("encoder", encoders.train, made, output, asked)


def _settled(kind: type[R], asked: Asked, models: Path) -> tuple[R, Path]:
    """A run that goes on is made as it was; what is asked now only says where it lies."""
    if asked.resume and asked.output is not None:
        return kind.load(asked.output / run.CONFIG), asked.output
    made = kind.of(asked.config, **asked.values)
    output = asked.output or models / made.place
    return (kind.load(output / run.CONFIG) if asked.resume else made), output


def _trained(command: str, train: Callable[..., dict[str, Any]], made: R, output: Path, asked: Asked) -> None:
    try:
        report = train(made, output, resume=asked.resume, force=asked.force)
    except run.Stopped:
        again = f"ohlora train {command} --resume --output {output}"
        Console(stderr=True, soft_wrap=True).print(f"Stopped; its checkpoint is written. Go on with: {again}")
        raise
    losses = [entry["loss"] for entry in report["log"] if "loss" in entry]
    Console().print(f"{output}: trained on {report['rows']} rows in {report['seconds']} s", soft_wrap=True)
    shown = {name: report.get(name) for name in ("task", "base", "rows", "seconds", "peak_memory_mb", "thresholds")}
    print(json.dumps({"output": str(output), **shown, "first_loss": losses[0], "last_loss": losses[-1]}))
