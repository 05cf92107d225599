"""What is asked and answered, as far as OpenAI's protocol is served. Decisions only."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from core.ports import Completion, Vectors
from core.tasks import TASKS

LONGEST_TEXT = 32_768
# a turn asks for a handful; a batch has to fit into one line of the device process (models.device)
MOST_TEXTS = 64
# where nobody names a mark: nothing that is written ends with it
_NEVER = "\0" * 3
_LIKELY = {(task.name, task.stop): task.likely for task in TASKS}

Json = dict[str, Any]
Text = Annotated[str, Field(max_length=LONGEST_TEXT)]
Mark = Annotated[str, Field(min_length=1, max_length=64)]


def _several(given: object) -> object:
    """One may stand without a list around it, and null is none."""
    return [] if given is None else [given] if isinstance(given, str) else given


class BadRequest(ValueError):
    """The asker's fault, in a sentence that repeats nothing of what was asked."""


class _Asked(BaseModel, strict=True):
    """Fields that change nothing here are no error: every server has some of its own."""

    model: str


class CompletionAsked(_Asked):
    """One prompt, one completion. What would change the answer and is not served has one value only."""

    prompt: Annotated[Text, Field(min_length=1)]
    stop: Annotated[list[Mark], BeforeValidator(_several)] = Field(default=[], max_length=1)
    max_tokens: int = Field(default=16, ge=1, le=8192)
    temperature: float = Field(default=1.0, ge=0, le=2)
    user: str = Field(default="", max_length=256)
    n: Literal[1] = 1
    best_of: Literal[1] = 1
    stream: Literal[False] = False
    echo: Literal[False] = False

    @property
    def mark(self) -> str:
        """Where the completion ends."""
        return self.stop[0] if self.stop else _NEVER

    @property
    def likely(self) -> str:
        """What a task of ours is probably answered with; the protocol has no field for it."""
        return _LIKELY.get((self.model, self.mark), "")


class EmbeddingsAsked(_Asked):
    """Texts to encode."""

    input: Annotated[list[Text], BeforeValidator(_several)] = Field(min_length=1, max_length=MOST_TEXTS)
    encoding_format: Literal["float"] = "float"


Asked = TypeVar("Asked", bound=_Asked)


def parsed(kind: type[Asked], body: bytes) -> Asked:
    """Raises BadRequest."""
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        faults = error.errors(include_input=False, include_context=False, include_url=False)
        wrong = "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'the body'}: {fault['msg']}" for fault in faults[:3])
        raise BadRequest(wrong) from None


def models_listed(adapters: Mapping[str, str], encoders: Sequence[str]) -> Json:
    """`adapters`: name → its base, where that is served, too. Bases are listed behind those that lie on them."""
    parents: dict[str, str | None] = {name: base or None for name, base in adapters.items()}
    parents |= dict.fromkeys([*filter(None, adapters.values()), *encoders])
    cards = [
        {"id": name, "object": "model", "created": 0, "owned_by": "ohlora", "parent": parent}
        for name, parent in parents.items()
    ]
    return {"object": "list", "data": cards}


def completed(asked: CompletionAsked, completion: Completion, prompt_tokens: int) -> Json:
    """What ends without the mark it was to end with counts as cut short, as it does on this machine."""
    ended = completion.ended or (not asked.stop and completion.tokens < asked.max_tokens)
    choice = {"index": 0, "text": completion.text, "logprobs": None, "finish_reason": "stop" if ended else "length"}
    usage = {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion.tokens,
        "total_tokens": prompt_tokens + completion.tokens,
    }
    return {"object": "text_completion", "model": asked.model, "choices": [choice], "usage": usage}


def embedded(asked: EmbeddingsAsked, vectors: Vectors) -> Json:
    """One row for each text, in order."""
    rows = [{"object": "embedding", "index": at, "embedding": row} for at, row in enumerate(vectors.tolist())]
    return {"object": "list", "model": asked.model, "data": rows}


def refusal(sentence: str, status: int) -> Json:
    """An error as OpenAI's clients read it."""
    return {"error": {"message": sentence, "type": "invalid_request_error" if status < 500 else "server_error"}}
