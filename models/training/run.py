"""What training runs share: precision by device, checkpoints, Ctrl-C, and the report beside the trained model."""

import json
import os
import platform
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from math import isfinite
from pathlib import Path
from shutil import rmtree
from time import perf_counter
from types import FrameType
from typing import Any, Literal, TypeVar

import psutil
import torch
from transformers import ProgressCallback, Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from core.errors import ConfigurationError
from models.training.run_config import EncoderRun, LlmRun

CONFIG, REPORT, CHECKPOINTS = "run.json", "training.json", "checkpoints"
T = TypeVar("T", bound=Trainer)
_SPENT = "spent.json"
_PACKAGES = ("torch", "transformers", "peft", "trl", "sentence-transformers", "accelerate", "datasets")


class Stopped(KeyboardInterrupt):
    """Ctrl-C ended a run; its checkpoint is written."""


def precision() -> Literal["bf16", "fp16", "float32"]:
    """bf16 where the device computes it, fp16 on older GPUs, else float32."""
    if torch.cuda.is_available():
        return "bf16" if torch.cuda.get_device_capability() >= (8, 0) else "fp16"
    able = torch.cpu.get_capabilities()
    return "bf16" if able.get("avx512_bf16") or able.get("amx_bf16") else "float32"


def weights_dtype() -> torch.dtype:
    """How frozen weights lie in memory: on a GPU as they are computed, elsewhere whole."""
    if not torch.cuda.is_available():
        return torch.float32
    return torch.bfloat16 if precision() == "bf16" else torch.float16


def device_name() -> str:
    """For reports."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"{platform.machine()} CPU, {torch.get_num_threads()} threads"


def trainer_arguments(run: LlmRun | EncoderRun, work: Path) -> dict[str, Any]:
    """What the arguments of both trainers have in common."""
    return {
        "output_dir": str(work),
        "num_train_epochs": run.epochs,
        "per_device_train_batch_size": run.batch,
        "gradient_accumulation_steps": run.accumulate,
        "learning_rate": run.rate,
        "bf16": precision() == "bf16",
        "fp16": precision() == "fp16",
        "use_cpu": not torch.cuda.is_available(),
        "logging_steps": 0.01,
        "logging_first_step": True,
        "save_strategy": "steps",
        "save_steps": run.checkpoint_steps,
        "save_total_limit": 1,
        "report_to": [],
        "seed": run.seed,
        "dataloader_pin_memory": torch.cuda.is_available(),
    }


def begin(run: LlmRun | EncoderRun, output: Path, *, resume: bool, force: bool) -> str | None:
    """Make `output` ready; returns the checkpoint to go on from, None to begin at the first step.

    Raises ConfigurationError rather than forget an unfinished run.
    """
    work = output / CHECKPOINTS
    last = _last_checkpoint(work)
    if resume:
        return last
    if last is not None and not force:
        raise ConfigurationError(f"an unfinished run lies in {work}; go on with --resume, or start over with --force")
    rmtree(work, ignore_errors=True)
    run.save(output)
    return None


def _last_checkpoint(work: Path) -> str | None:
    """The newest one that was written to its end; the trainer's state comes last."""
    whole = [path.parent for path in work.glob("checkpoint-*/trainer_state.json")]
    return str(max(whole, key=lambda path: int(path.name.rpartition("-")[2]))) if whole else None


class Sitting(TrainerCallback):
    """Counts time and peak memory, over all sittings of a run; Ctrl-C ends it after the step under way."""

    def __init__(self, checkpoint: str | None = None) -> None:
        stored = Path(checkpoint or "") / _SPENT
        spent = json.loads(stored.read_text(encoding="utf-8")) if checkpoint and stored.is_file() else {}
        self._before = float(spent.get("seconds", 0.0))
        self._peak_before = float(spent.get("peak_memory_mb", 0.0))
        self._memory = PeakMemory()
        self._started = perf_counter()
        self._interrupted = False

    @property
    def spent(self) -> dict[str, float]:
        """{"seconds", "peak_memory_mb"} until now."""
        return {
            "seconds": round(self._before + perf_counter() - self._started, 2),
            "peak_memory_mb": max(self._peak_before, self._memory.megabytes),
        }

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Inside, the first Ctrl-C asks for a checkpoint and raises Stopped; a second one ends at once."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        previous = signal.signal(signal.SIGINT, self._interrupt)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, previous)
        if self._interrupted:
            raise Stopped

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        if self._interrupted:
            raise KeyboardInterrupt
        self._interrupted = True
        # not print: the signal may have come in the middle of one
        os.write(2, "\nstopping after this step …\n".encode())

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """A run that is to stop leaves a checkpoint first; after its last step it is finished all the same."""
        if self._interrupted and state.global_step < state.max_steps:
            control.should_save = True
            control.should_training_stop = True
        elif state.global_step >= state.max_steps:
            self._interrupted = False

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """What was spent so far travels with the checkpoint."""
        checkpoint = Path(str(args.output_dir)) / f"checkpoint-{state.global_step}"
        (checkpoint / _SPENT).write_text(json.dumps(self.spent), encoding="utf-8")


class Bar(ProgressCallback):
    """The trainers' own progress bar with the loss behind it, instead of a line for every logged step."""

    def on_log(self, args: Any, state: TrainerState, control: Any, logs: Any = None, **kwargs: Any) -> None:
        """The latest loss."""
        if self.training_bar is not None and logs and "loss" in logs:
            self.training_bar.set_postfix(loss=f"{logs['loss']:.4f}", refresh=False)


def quiet(trainer: T) -> T:
    """The same trainer behind a quiet progress bar."""
    trainer.remove_callback(ProgressCallback)
    trainer.add_callback(Bar())
    return trainer


class PeakMemory:
    """The most memory in use since it was made: of the GPU where there is one, else of this process."""

    def __init__(self) -> None:
        self._resettable = False
        if torch.cuda.is_available():
            torch.cuda.reset_peak_memory_stats()
            return
        try:  # Linux forgets the old peak when asked so
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
            self._resettable = True
        except OSError:
            pass

    @property
    def megabytes(self) -> float:
        """Rounded to a tenth."""
        if torch.cuda.is_available():
            return round(torch.cuda.max_memory_allocated() / 2**20, 1)
        if self._resettable:
            for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
                if line.startswith("VmHWM:"):
                    return round(int(line.split()[1]) / 1024, 1)
        info = psutil.Process().memory_info()
        peak: int = getattr(info, "peak_wset", info.rss)
        return round(peak / 2**20, 1)


def report(
    run: LlmRun | EncoderRun, log: list[dict[str, Any]], sitting: Sitting, rows: int, **more: Any
) -> dict[str, Any]:
    """What training.json holds."""
    arguments = run.model_dump(mode="json")
    return {
        "task": run.task if isinstance(run, LlmRun) else f"{run.purpose}_encoder",
        "base": run.base,
        "seed": run.seed,
        "arguments": arguments,
        "rows": rows,
        **sitting.spent,
        "device": device_name(),
        "precision": precision(),
        "versions": {name: version(name) for name in _PACKAGES} | {"python": platform.python_version()},
        **more,
        "log": [kept for entry in log if (kept := _kept(entry))],
    }


def write_report(output: Path, written: Mapping[str, Any]) -> None:
    """`output`/training.json, and the checkpoints are gone: the run is finished."""
    text = json.dumps(written, indent=2, ensure_ascii=False) + "\n"
    (output / REPORT).write_text(text, encoding="utf-8")
    rmtree(output / CHECKPOINTS, ignore_errors=True)


def _kept(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The trainer's own summary at the end stays out; times of evaluations too."""
    if "loss" not in entry and not any(name.startswith("eval_") for name in entry):
        return {}
    dropped = ("_runtime", "_per_second", "num_tokens")
    # a correlation with nothing that varies is not a number, and JSON has no word for that
    finite = {name: value if isfinite(value) else None for name, value in entry.items()}
    return {name: value for name, value in finite.items() if not name.endswith(dropped)}
