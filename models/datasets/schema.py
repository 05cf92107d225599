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
Score = Annotated[float, Field(ge=-1.0, le=1.0)]
Eyes = Literal["작게", "보통", "크게", "아주 크게"]
Mouth = Literal["보통", "크게", "아주 크게"]
Pose = Literal["없음", "보통", "많이"]


class DataRow(BaseModel):
    """What all rows share: no unknown columns, no changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PersonaRow(DataRow):
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


class Template(DataRow):
    """A persona row with slots such as `{food}` or `{food:을/를}`; see models.training.rows."""

    input: Text
    memory: Item | Literal[""]
    output: Text
    summary: Text
    eyes: Eyes
    mouth: Mouth
    pose: Pose


class HeldOutUtterance(DataRow):
    """An utterance and its category, written apart from the rows."""

    category: Literal["love", "politics", "insult", "hate", "normal"]
    text: Text


class EthicsRow(HeldOutUtterance):
    """One utterance and its category; `valid` rows choose the thresholds."""

    data_type: Split


class MemoryPair(DataRow):
    """A memory item and a message for which it is the helpful one, or, with a score, how helpful it is there."""

    data_type: Split
    memory: Item
    message: Text
    score: Score | None = None


class TutorText(DataRow):
    """A text of the tutor's knowledge base; `text` is how it is embedded and shown: `name : explanation`."""

    name: Annotated[str, StringConstraints(pattern=r"^[^:]+$")]
    explanation: Text

    @property
    def text(self) -> str:
        """`F1 Score 개념 : Recall 과 Precision 의 조화 평균`."""
        return f"{self.name} : {self.explanation}"


class TutorQuestion(DataRow):
    """A question about machine learning and the text that answers it, "" where none does; a score says how well.

    Our own rows give the text by its name, and the answer in her words.
    """

    data_type: Split
    question: Text
    text: str
    answer: str = ""
    score: Score | None = None


class HeldOutQuestion(DataRow):
    """A question about her, written apart from the rows; any of `facts` in the answer makes it right."""

    question: Text
    facts: Annotated[list[Text], Field(min_length=1)]


R = TypeVar("R", bound=DataRow)


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
