"""Loss and learning rate of a training, as the training left them beside the model in `training.json`."""

import json
from pathlib import Path

from core.errors import ConfigurationError
from models.training.evaluation import plots
from models.training.evaluation.metrics import Figures
from models.training.evaluation.parts import Part, Picture

_DRAWN = (
    ("loss", "Training loss"),
    ("eval_loss", "Validation loss"),
    ("eval_valid_pearson_cosine", "Correlation on validation pairs"),
    ("learning_rate", "Learning rate"),
)
_SPENT = ("seconds", "peak_memory_mb", "rows")


def part_of(model: Path, title: str, prefix: str = "training") -> Part | None:
    """None where no log is beside the model. Raises ConfigurationError for a damaged one."""
    path = model / "training.json"
    if not path.is_file():
        return None
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        log = stored["log"]
        pictures = [picture for key, caption in _DRAWN if (picture := _picture(log, key, caption)) is not None]
        figures: Figures = {
            f"{prefix}_steps": max((int(entry["step"]) for entry in log), default=0),
            f"{prefix}_loss_last": next((float(entry["loss"]) for entry in reversed(log) if "loss" in entry), None),
        }
        figures |= {f"{prefix}_{name}": stored[name] for name in _SPENT if name in stored}
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ConfigurationError(f"training log damaged: {path} ({type(error).__name__}: {error})") from error
    return Part(f"training · {title}", "As the training logged it.", figures, tuple(pictures))


def _picture(log: list[dict[str, float]], key: str, caption: str) -> Picture | None:
    points = [(float(entry["step"]), float(entry[key])) for entry in log if entry.get(key) is not None]
    return plots.line(caption, key.replace("_", " "), points) if points else None
