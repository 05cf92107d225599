"""A crowd that talks with a real service; models without weights, so that what is left is the service."""

import asyncio
import itertools
import re
import time
from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from pydantic import SecretStr

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

    `begins_at`: what they said before. `reply_s`: from a message to its reply; `took_s`: from the first message to the
    end of the last turn.
    """

    people: Sequence[str]
    turns_each: int = 0
    begins_at: int = 0
    platform: str = PLATFORM
    connected: bool = True
    reply_s: list[float] = field(default_factory=list)
    took_s: float = 0.0
    recognises_for: timedelta = timedelta(0)

    async def open(self, host: Host) -> None:
        """Nobody has to be asked."""
        self._host = host
        self._asked_at: dict[str, float] = {}
        self._numbers = {user_id: itertools.count(self.begins_at) for user_id in self.people}

    async def run(self) -> None:
        """Everybody at once."""
        await self.talk(self.turns_each)

    async def talk(self, turns_each: int) -> None:
        """Everybody at once, one turn after the other."""

        async def chat(user_id: str) -> None:
            for _ in range(turns_each):
                await self._say(user_id)

        await self._measure(map(chat, self.people))

    async def speak(self, per_s: float, messages: int) -> None:
        """One after the other, so many messages a second, whatever became of the last ones."""
        begin = time.perf_counter()

        async def speak(number: int, user_id: str) -> None:
            await asyncio.sleep(begin + number / per_s - time.perf_counter())
            await self._say(user_id)

        people = itertools.cycle(self.people)
        await self._measure(speak(number, user_id) for number, user_id in zip(range(messages), people, strict=False))

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

    async def _measure(self, talking: Iterable[Awaitable[None]]) -> None:
        self.reply_s.clear()
        begin = time.perf_counter()
        await asyncio.gather(*talking)
        self.took_s = time.perf_counter() - begin

    async def _say(self, user_id: str) -> None:
        """The next thing, until its turn is over."""
        number = next(self._numbers[user_id])
        person, chat = PersonKey(self.platform, user_id), ChatKey(self.platform, f"home of {user_id}", private=True)
        now = self._host.clock.now()
        message = IncomingMessage(person, chat, f"{user_id}-{number}", f"{number}번 취미 이야기", now)
        self._asked_at[message.message_id] = time.perf_counter()
        await (await self._host.messages.receive(message))


async def hear(record: Record, crowd: Crowd) -> None:
    """Serve the crowd to its end, every turn with its bookkeeping."""
    await assemble(settings(len(crowd.people)), record, models(), [crowd], SystemClock()).run()


def settings(line: int, record: str = "", redis: str = "") -> Settings:
    """Every default, whatever this host has set; nobody of `line` people at once is turned away."""
    turn = TurnSettings(line=max(line, 1))
    return Settings.model_construct(record_url=SecretStr(record), redis_url=SecretStr(redis), turn=turn)
