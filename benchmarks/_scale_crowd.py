"""A crowd that talks with a real service all at once; models without weights, so that what is left is the service."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.adapters.base import Begin, Host
from bot.app import SystemClock, assemble
from bot.config import Settings, TurnSettings
from core import Models, tasks
from core.ethics import CATEGORIES, Thresholds
from core.messages import ChatKey, IncomingMessage, Notice, PersonKey, Reply
from core.ports import Prompt
from models.fakes import FakeEncoder, FakeLanguageModel, plain_rule
from storage.record import Record

PLATFORM = "crowd"
# as wide as the bundled memory encoder
WIDTH = 256
# cosines lie in -1 … 1
_NEVER = 2.0
_NUMBER = re.compile(r"(\d+)번")


def rule(prompt: Prompt) -> str:
    """models.fakes.Rule: there is something to remember of every turn, and nobody has more than ten memories."""
    if prompt.task != tasks.MEMORY.name:
        return plain_rule(prompt)
    number = int(_NUMBER.findall(prompt.text)[-1])
    return f"[취미 {number % 10}: {number}번 이야기] {prompt.stop}"


def models() -> Models:
    """Nobody is sanctioned, and no memory is recalled."""
    ethics = Thresholds(dict.fromkeys((name for name in CATEGORIES if name != "normal"), _NEVER), veto=_NEVER)
    return Models(FakeLanguageModel(rule), FakeEncoder(WIDTH), _NEVER, FakeEncoder(WIDTH), ethics, None, "crowd")


@dataclass
class Crowd:
    """bot.adapters.base.Adapter whose every person says the next thing as soon as the last turn is over.

    `reply_s`: from a message to its reply; `took_s`: from the first message to the end of the last bookkeeping.
    """

    people: Sequence[str]
    turns_each: int
    begins_at: int = 0
    reply_s: list[float] = field(default_factory=list)
    took_s: float = 0.0
    platform: str = PLATFORM
    recognises_for: timedelta = timedelta(0)
    connected: bool = True

    async def open(self, host: Host) -> None:
        """Nobody has to be asked."""
        self._host = host
        self._asked_at: dict[str, float] = {}

    async def run(self) -> None:
        """Everybody at once."""
        start = time.perf_counter()
        await asyncio.gather(*map(self._talk, self.people))
        self.took_s = time.perf_counter() - start

    async def close(self) -> None:
        """Nothing was opened."""

    async def post(self, reply: Reply, begin: Begin) -> None:
        """The person sees it now. Raises RuntimeError for an apology, which would be quicker than a turn."""
        await begin()
        if not reply.text:
            raise RuntimeError(f"no answer to {reply.to.message_id}: {reply.notices}")
        self.reply_s.append(time.perf_counter() - self._asked_at.pop(reply.to.message_id))

    async def hold(self, message: IncomingMessage, notice: Notice) -> None:
        """Nobody looks."""

    @asynccontextmanager
    async def typing(self, chat: ChatKey) -> AsyncIterator[None]:
        """Nobody looks."""
        del chat
        yield

    async def tell(self, person: PersonKey, text: str) -> None:
        """Nobody looks."""

    async def write(self, chat_id: str, text: str, buttons: object = (), message_id: str = "") -> str:
        """Nobody looks."""
        del chat_id, text, buttons
        return message_id

    async def _talk(self, user_id: str) -> None:
        for number in range(self.begins_at, self.begins_at + self.turns_each):
            message = _message(user_id, number, self._host.clock.now())
            self._asked_at[message.message_id] = time.perf_counter()
            await (await self._host.messages.receive(message))


def _message(user_id: str, number: int, now: datetime) -> IncomingMessage:
    person, chat = PersonKey(PLATFORM, user_id), ChatKey(PLATFORM, f"home of {user_id}", private=True)
    return IncomingMessage(person, chat, f"{user_id}-{number}", f"{number}번 취미 이야기", now)


async def hear(record: Record, crowd: Crowd) -> None:
    """Serve the crowd to its end, every turn with its bookkeeping."""
    settings = Settings.model_construct(turn=TurnSettings(line=max(len(crowd.people), 1)))
    await assemble(settings, record, models(), [crowd], SystemClock()).run()
