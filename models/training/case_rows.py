"""Cases that moderators judged, as rows of models/datasets that an ethics encoder learns from."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from core.cases import Case, State
from core.errors import ConfigurationError
from models.datasets.schema import EthicsRow
from models.training.evaluation.replay import seen

NORMAL = "normal"


class CaseRows:
    """Takes turns, and gives a row for each sentence that they agree on. Blanked cases have no sentence any more."""

    def __init__(self) -> None:
        self._labels: dict[str, set[str]] = defaultdict(set)

    def add(self, turn: Sequence[Case]) -> None:
        """The cases of one turn, or one by hand, which has no sentence either."""
        if (label := _label(turn)) and (text := seen(turn[0].sanction.evidence.prompt)):
            self._labels[text].add(label)

    @property
    def rows(self) -> list[EthicsRow]:
        """As they were first said; without sentences that were judged one way here and another way there."""
        agreed = {text: next(iter(labels)) for text, labels in self._labels.items() if len(labels) == 1}
        return [
            EthicsRow.model_validate({"category": label, "data_type": "train", "text": text})
            for text, label in agreed.items()
        ]

    @property
    def disputed(self) -> int:
        """How many sentences were judged in more than one way."""
        return sum(len(labels) > 1 for labels in self._labels.values())


def write(rows: Sequence[EthicsRow], path: Path) -> None:
    """As JSON Lines into a new file, readable by its owner alone. Raises ConfigurationError where there is one."""
    must_be_new(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text("".join(f"{row.model_dump_json()}\n" for row in rows), encoding="utf-8")


def must_be_new(path: Path) -> None:
    """Raises ConfigurationError where there is something."""
    if path.exists():
        raise ConfigurationError(f"{path} exists; give another name")


def _label(turn: Sequence[Case]) -> str:
    """Of several upheld categories the nearest; normal when every case was overturned; "" when nobody can say."""
    upheld = [case.sanction for case in turn if case.state is State.UPHELD]
    if upheld:
        return max(upheld, key=lambda sanction: sanction.evidence.scores.get(sanction.category, 0.0)).category
    return NORMAL if all(case.state is State.OVERTURNED for case in turn) else ""
