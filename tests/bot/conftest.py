"""A whole service without weights: fakes that think, a platform that writes down what it shows, a real record."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from bot.adapters.base import Begin, Host
from bot.adapters.desk import CommandDesk, Rows
from bot.app import App, assemble
from bot.config import Settings
from bot.moderation.casework import CaseWork
from bot.outbox import Outbox
from bot.service import Service
from bot.turns import HereTurns
from bot.waiting import Line
from core import Conversation, Models
from core.ethics import Thresholds
from core.messages import ChatKey, IncomingMessage, Notice, PersonKey, Reply
from core.ports import Completion, Prompt
from models.fakes import FakeClock, FakeEncoder, FakeLanguageModel
from storage.record import Record

if TYPE_CHECKING:
    from tests.bot.moderating import Court

MINA, JUN, NEW = PersonKey("paper", "mina"), PersonKey("paper", "jun"), PersonKey("paper", "new")
HOME = ChatKey("paper", "home", private=True)
LOUNGE = ChatKey("paper", "lounge", private=False, place_id="guild")
PATIENCE_S = 0.05


class PaperAdapter:
    """A platform that keeps its replies in a list. `fault` is raised after a delivery began; `gate` opens before it.

    `certain`: when it raises, nothing was shown, and it says so. `posted`: all it was given, torn or not.
    """

    platform = "paper"
    connected = True

    def __init__(self, recognises_for: timedelta = timedelta(0), platform: str = "paper") -> None:
        self.platform = platform
        self.recognises_for = recognises_for
        self.events: list[str] = []
        self.posted: list[Reply] = []
        self.replies: list[Reply] = []
        self.cleared: list[IncomingMessage] = []
        self.held: asyncio.Queue[tuple[IncomingMessage, Notice]] = asyncio.Queue()
        self.posting = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()
        self.fault: Exception | None = None
        self.certain = False
        self.hold_fault: Exception | None = None
        self.open_fault: Exception | None = None
        self.told: list[tuple[PersonKey, str]] = []
        self.told_fault: Exception | None = None
        self.written: dict[tuple[str, str], tuple[str, Rows]] = {}
        self.chat_faults: dict[str, Exception] = {}
        self.attempts = 0
        self.moved = asyncio.Event()
        self.heard: Callable[[Host], Awaitable[None]] | None = None

    async def open(self, host: Host) -> None:
        self.host = host
        self.events.append("open")
        if self.open_fault is not None:
            raise self.open_fault

    async def run(self) -> None:
        self.events.append("run")
        if self.heard is not None:
            await self.heard(self.host)

    async def close(self) -> None:
        self.events.append("close")

    async def post(self, reply: Reply, begin: Begin) -> None:
        self.posted.append(reply)
        self.posting.set()
        await self.gate.wait()
        await begin()
        if self.fault is not None:
            if self.certain:
                await begin(left=False)
            raise self.fault
        self.events.append(f"post {reply.to.message_id}")
        if reply.empty:
            self.cleared.append(reply.to)
        else:
            self.replies.append(reply)

    async def tell(self, person: PersonKey, text: str) -> None:
        if self.told_fault is not None:
            raise self.told_fault
        self.told.append((person, text))
        self.moved.set()

    async def write(self, chat_id: str, text: str, buttons: Rows = (), message_id: str = "") -> str:
        if (fault := self.chat_faults.get(chat_id)) is not None:
            self.attempts += 1
            self.moved.set()
            raise fault
        message_id = message_id or f"q{len(self.written) + 1}"
        self.written[chat_id, message_id] = text, buttons
        self.moved.set()
        return message_id

    async def until(self, wanted: Callable[[], bool]) -> None:
        """Until something that was told or written makes it true."""
        while not wanted():
            self.moved.clear()
            await self.moved.wait()

    async def hold(self, message: IncomingMessage, notice: Notice) -> None:
        self.held.put_nowait((message, notice))
        if self.hold_fault is not None:
            raise self.hold_fault

    @contextlib.asynccontextmanager
    async def typing(self, chat: ChatKey) -> AsyncIterator[None]:
        yield

    @property
    def notices(self) -> list[str]:
        return [notice.kind.value for reply in self.replies for notice in reply.notices]

    @property
    def answered(self) -> list[str]:
        """Ids of the messages, in the order of their replies."""
        return [reply.to.message_id for reply in self.replies]


class PuppetModel(FakeLanguageModel):
    """Raises `error` for the tasks in `failing`; those in `gated` wait for `gate`, and `arrived` has each of them."""

    def __init__(self) -> None:
        super().__init__()
        self.error: Exception = RuntimeError("unused")
        self.failing: set[str] = set()
        self.gated: set[str] = set()
        self.gate = asyncio.Event()
        self.arrived: asyncio.Queue[Prompt] = asyncio.Queue()

    async def complete(self, prompt: Prompt) -> Completion:
        if prompt.task in self.gated:
            self.arrived.put_nowait(prompt)
            await self.gate.wait()
        if prompt.task in self.failing:
            raise self.error
        return await super().complete(prompt)

    def asked(self, task: str) -> list[str]:
        """The prompts of a task that were completed."""
        return [prompt.text for prompt in self.prompts if prompt.task == task]


def say(text: str, number: int = 1, person: PersonKey = MINA, chat: ChatKey = HOME) -> IncomingMessage:
    return IncomingMessage(person, chat, f"m{number}", text, FakeClock().now())


async def handle(service: Service, message: IncomingMessage) -> None:
    """A message, until the end of its turn."""
    await (await service.receive(message))


async def nothing_is_left(record: Record) -> bool:
    """Whether the record waits for nothing any more."""
    turns = record.turns
    return not (await turns.unanswered() or await turns.undelivered() or await turns.unremembered())


async def fates(record: Record, person: PersonKey = MINA) -> list[str]:
    """What became of each reply to a person, in the order of the turns."""
    return [reply["state"] for reply in (await record.people.export(person))["replies"]]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def language() -> PuppetModel:
    return PuppetModel()


@pytest.fixture
def paper() -> PaperAdapter:
    return PaperAdapter()


@pytest_asyncio.fixture
async def record(tmp_path: Path) -> AsyncIterator[Record]:
    """Mina and Jun know already what she is."""
    async with await Record.open(f"sqlite+aiosqlite:///{tmp_path / 'record.db'}") as opened:
        for person in (MINA, JUN):
            await opened.people.introduce(person)
        yield opened


@pytest.fixture
def thinking(language: PuppetModel) -> Models:
    nobody = Thresholds({"love": 2.0, "politics": 2.0, "insult": 2.0, "hate": 2.0}, 0.5)
    return Models(language, FakeEncoder(), 0.3, FakeEncoder(), nobody, None, "fakes")


@pytest.fixture
def app(record: Record, thinking: Models, paper: PaperAdapter, clock: FakeClock) -> App:
    """As it is wired for everybody, with every default."""
    return assemble(Settings.model_construct(), record, thinking, [paper], clock)


@pytest.fixture
def service(app: App) -> Service:
    return app.service


@pytest.fixture
def conversation(app: App) -> Conversation:
    turns = app.service._turns
    assert isinstance(turns, HereTurns)
    return turns._conversation


@pytest.fixture
def casework(app: App) -> CaseWork:
    return app.service._casework


@pytest.fixture
def impatient(
    conversation: Conversation, record: Record, paper: PaperAdapter, clock: FakeClock, casework: CaseWork
) -> Service:
    turns = HereTurns(conversation, record.turns, record.cases)
    line = Line(100, patience_s=PATIENCE_S)
    return Service(turns, record.turns, [paper], Outbox(record.turns, clock), line, casework)


@pytest.fixture
def restart(
    app: App, conversation: Conversation, record: Record, clock: FakeClock, casework: CaseWork
) -> Callable[..., Awaitable[None]]:
    """A new service with these adapters, from its start to its end."""

    async def serve(*adapters: PaperAdapter) -> None:
        turns = HereTurns(conversation, record.turns, record.cases)
        service = Service(turns, record.turns, adapters, Outbox(record.turns, clock), Line(100), casework)
        await service.run(replace(app.host, messages=service))

    return serve


@pytest.fixture
def commands(app: App) -> CommandDesk:
    return app.host.commands


@pytest.fixture
def committed(conversation: Conversation, record: Record) -> Callable[[IncomingMessage], Awaitable[int]]:
    """A turn as a crash leaves it right after its first transaction."""

    async def commit(message: IncomingMessage) -> int:
        await record.turns.receive(message)
        return await record.turns.commit(await conversation.reply(message))

    return commit


@pytest_asyncio.fixture
async def court(record: Record, paper: PaperAdapter, clock: FakeClock) -> AsyncIterator["Court"]:
    """A server whose people confess their love, and those who moderate it; its news spread."""
    from tests.bot.moderating import Court

    opened = Court(record, paper, clock)
    async with opened.app.service._casework.under_way():
        yield opened
