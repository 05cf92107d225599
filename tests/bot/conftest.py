"""A whole service without weights: fakes that think, a platform that writes down what it shows, a real record."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.adapters.base import Handlers
from bot.service import Service
from core import Conversation, Models, Policy
from core.errors import DeliveryError
from core.ethics import Thresholds
from core.messages import ChatKey, IncomingMessage, PersonKey, Reply
from core.ports import Completion, Prompt
from models.fakes import FakeClock, FakeEncoder, FakeLanguageModel
from storage.record import Record

MINA = PersonKey("paper", "mina")
HOME = ChatKey("paper", "home", private=True)


class PaperAdapter:
    """A platform that keeps its replies in a list; `torn` makes it take none."""

    platform = "paper"

    def __init__(self, *, recognises_repetition: bool = False) -> None:
        self.recognises_repetition = recognises_repetition
        self.torn = False
        self.replies: list[Reply] = []
        self.ran = False

    async def run(self, handlers: Handlers) -> None:
        self.ran = True

    async def post(self, reply: Reply) -> None:
        if self.torn:
            raise DeliveryError("the paper is torn")
        self.replies.append(reply)

    @contextlib.asynccontextmanager
    async def typing(self, chat: ChatKey) -> AsyncIterator[None]:
        yield

    @property
    def notices(self) -> list[str]:
        return [notice.kind.value for reply in self.replies for notice in reply.notices]


class FailingModel(FakeLanguageModel):
    """Raises `error` for the tasks in `failing`."""

    def __init__(self) -> None:
        super().__init__()
        self.error: Exception = RuntimeError("unused")
        self.failing: set[str] = set()

    async def complete(self, prompt: Prompt) -> Completion:
        if prompt.task in self.failing:
            raise self.error
        return await super().complete(prompt)


def say(text: str, number: int = 1) -> IncomingMessage:
    return IncomingMessage(MINA, HOME, f"m{number}", text, FakeClock().now())


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def language() -> FailingModel:
    return FailingModel()


@pytest.fixture
def paper() -> PaperAdapter:
    return PaperAdapter()


@pytest_asyncio.fixture
async def record(tmp_path: Path) -> AsyncIterator[Record]:
    async with await Record.open(f"sqlite+aiosqlite:///{tmp_path / 'record.db'}") as opened:
        yield opened


@pytest.fixture
def conversation(language: FailingModel, record: Record, clock: FakeClock) -> Conversation:
    nobody = Thresholds({"love": 2.0, "politics": 2.0, "insult": 2.0, "hate": 2.0}, 0.5)
    models = Models(language, FakeEncoder(), 0.3, FakeEncoder(), nobody, None, "fakes")
    return Conversation(models, record, clock, Policy())


@pytest.fixture
def service(conversation: Conversation, record: Record, paper: PaperAdapter) -> Service:
    return Service(conversation, record.turns, [paper])
