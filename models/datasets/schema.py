"""The rows of models/datasets: one pydantic model a file kind, read with line numbers in every error."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from core.errors import ConfigurationError

ROOT = Path(__file__).parent

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=False)]
Item = Annotated[str, StringConstraints(pattern=r"^\[[^\[\]:]+: [^\[\]]+\]$")]
Split = Literal["train", "valid"]
Eyes = Literal["작게", "보통", "크게", "아주 크게"]
Mouth = Literal["보통", "크게", "아주 크게"]
Pose = Literal["없음", "보통", "많이"]


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PersonaRow(_Row):
    """One example of all four language tasks; the columns of the original plus `intent`. `{age}` is her age."""

    intent: Text
    data_type: Split
    input_data: Text
    output_message: Text
    memory: Item | Literal[""]
    summary: Text
    eyes: Eyes
    mouth: Mouth
    pose: Pose


class Template(_Row):
    """A persona row with slots such as `{food}` or `{food:을/를}`; see models.training.rows."""

    input: Text
    memory: Item | Literal[""]
    output: Text
    summary: Text
    eyes: Eyes
    mouth: Mouth
    pose: Pose


class HeldOutUtterance(_Row):
    """An utterance and its category, written apart from the rows."""

    category: Literal["love", "politics", "insult", "hate", "normal"]
    text: Text


class EthicsRow(HeldOutUtterance):
    """One utterance and its category; `valid` rows choose the thresholds."""

    data_type: Split


class MemoryPair(_Row):
    """A memory item and a message for which it is the helpful one."""

    data_type: Split
    memory: Item
    message: Text


class HeldOutQuestion(_Row):
    """A question about her, written apart from the rows; any of `facts` in the answer makes it right."""

    question: Text
    facts: Annotated[list[Text], Field(min_length=1)]


R = TypeVar("R", bound=_Row)


def read_rows(path: Path, kind: type[R]) -> Iterator[R]:
    """The rows of a JSONL file. Raises ConfigurationError that names file, line and what is wrong there."""
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            try:
                yield kind.model_validate_json(line)
            except ValidationError as error:
                raise ConfigurationError(f"{path}:{number}: {error.errors()[0]['msg']}: {line.strip()[:80]}") from error


def persona_rows() -> list[PersonaRow]:
    """All persona rows, topic after topic in the order of the file names."""
    return [row for path in sorted((ROOT / "persona").glob("*.jsonl")) for row in read_rows(path, PersonaRow)]
