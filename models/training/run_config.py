"""What a training run is made of; saved as run.json, from which the same run can be made again."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from core import Policy
from core.errors import ConfigurationError
from core.tasks import OUTPUT_MESSAGE
from models.catalogue import BUNDLED, folder_name, known

LlmTask = Literal["output_message", "summary", "memory", "eyes_mouth_pose", "tutor"]
Purpose = Literal["memory", "ethics", "tutor"]
File = Annotated[Path, AfterValidator(Path.absolute)]

# behaviour.md §8: task → base, epochs; the rank is 64 throughout
_LLM: Mapping[str, tuple[str, int]] = {
    "output_message": ("kanana-1.5-2.1b-base", 5),
    "summary": ("kanana-1.5-2.1b-base", 10),
    "memory": ("polyglot-ko-1.3b", 20),
    "eyes_mouth_pose": ("polyglot-ko-1.3b", 30),
    "tutor": ("kanana-1.5-2.1b-instruct-2505", 15),
}
_RANK = 64
_INSTRUCT = "kakaocorp/kanana-1.5-2.1b-instruct-2505"
# rank 64 would outweigh a base of width 256, and two cores want large batches (models.training.bundled)
_BUNDLED_LLM: Mapping[str, Any] = {"rank": 16, "batch": 32, "recall": True}
_BUNDLED_EPOCHS: Mapping[str, int] = {"output_message": 2, "tutor": 6}
_BUNDLED_ENCODER: Mapping[Purpose, Mapping[str, Any]] = {
    "memory": {"epochs": 2, "batch": 64, "rate": 3e-4},
    "ethics": {"epochs": 3, "batch": 64, "rate": 3e-4},
    "tutor": {"epochs": 6, "batch": 64, "rate": 3e-4},
}


class _Run(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    base: str
    epochs: int = Field(ge=1)
    batch: int = Field(default=2, ge=1)
    # batches whose gradients make one step
    accumulate: int = Field(default=1, ge=1)
    rate: float = Field(gt=0, lt=1)
    seed: int = Field(default=11, ge=0, lt=2**32)
    # rows in our schema; None: the project's own
    data: File | None = None
    # the tutor's texts, where the rows of `data` name theirs
    texts: File | None = None
    # steps between two checkpoints
    checkpoint_steps: int = Field(default=200, ge=1)

    @classmethod
    def _made(cls, values: Mapping[str, Any], config: Path | None) -> Self:
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise ConfigurationError(f"bad training run{f' in {config}' if config else ''}: {wrong}") from error

    @classmethod
    def load(cls, path: Path) -> Self:
        """Raises ConfigurationError that names the file and what is wrong in it."""
        return cls._made(_stored(path), path)

    def save(self, folder: Path) -> None:
        """Write `folder`/run.json."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "run.json").write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")


class LlmRun(_Run):
    """One LoRA adapter. `recall`: persona rows stand in front of prompts, as small models are served.

    `age` is what `{age}` in answers becomes where no recall shows it: her age on the day the run was first made.
    """

    task: LlmTask
    rank: int = Field(default=_RANK, ge=1)
    rate: float = Field(default=3e-4, gt=0, lt=1)
    augment: bool = True
    recall: bool = False
    age: int = Field(default_factory=lambda: Policy().her_age(datetime.now(UTC)), ge=0)
    unsloth: bool = False

    @property
    def place(self) -> Path:
        """Where the adapter goes under a folder of models: as in a profile, one folder for each base."""
        return Path(folder_name(self.base), "adapters", self.task)

    @classmethod
    def of(cls, config: Path | None = None, **given: Any) -> Self:
        """`given` (None: not given) over what `config` holds over the defaults of the task and the base."""
        asked = _merged(config, given)
        task: Any = asked.get("task")
        if task not in _LLM:
            raise ConfigurationError(f"--task is one of {', '.join(get_args(LlmTask))}, not {task!r}")
        base, epochs = _LLM[task]
        defaults: dict[str, Any] = {"base": base, "epochs": epochs}
        named = known(asked.get("base", base))
        if asked.get("base") == BUNDLED:
            defaults |= {**_BUNDLED_LLM, "epochs": _BUNDLED_EPOCHS.get(task, 1)}
        elif task == OUTPUT_MESSAGE.name and named and named.repository == _INSTRUCT:
            defaults["rank"] = 16
        return cls._made(defaults | asked, config)


class EncoderRun(_Run):
    """One sentence encoder. `false_sanctions`: of everyday text, the share on which one ethics category may act.

    None leaves each category the share of models.training.thresholds. `corpus` is the folder with public text: it
    prepares the bundled trunk, teaches ethics, and is the everyday text on which thresholds are chosen.
    """

    purpose: Purpose
    base: str = BUNDLED
    epochs: int = Field(default=10, ge=1)
    batch: int = Field(default=16, ge=1)
    rate: float = Field(default=2e-5, gt=0, lt=1)
    corpus: File | None = None
    false_sanctions: float | None = Field(default=None, ge=0, lt=1)

    @property
    def place(self) -> Path:
        """Where the encoder goes under a folder of models: as in a profile, one folder for each base."""
        return Path(folder_name(self.base), f"{self.purpose}_encoder")

    @classmethod
    def of(cls, config: Path | None = None, **given: Any) -> Self:
        """`given` (None: not given) over what `config` holds over the defaults of the purpose and the base."""
        values = _merged(config, given)
        purpose: Any = values.get("purpose")
        if purpose not in get_args(Purpose):
            raise ConfigurationError(f"--for is one of {', '.join(get_args(Purpose))}, not {purpose!r}")
        if values.get("base", BUNDLED) == BUNDLED:
            values = {**_BUNDLED_ENCODER[purpose], **values}
        return cls._made(values, config)


def _merged(config: Path | None, given: Mapping[str, Any]) -> dict[str, Any]:
    stored = _stored(config) if config else {}
    return {**stored, **{name: value for name, value in given.items() if value is not None}}


def _stored(path: Path) -> dict[str, Any]:
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"no saved run in {path}: {error}") from error
    if not isinstance(stored, dict):
        raise ConfigurationError(f"no saved run in {path}: an object was expected")
    return stored
