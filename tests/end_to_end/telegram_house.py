"""Telegram with one person, one group and her, and the whole service in it, over fakes that think at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.telegram import TelegramAdapter, Webhook
from core import texts
from core.case_store import Shown
from core.expression import Expression
from core.messages import ChatKey, IncomingMessage, PersonKey, Reply
from core.ports import Clock, Completion, Prompt
from core.tasks import OUTPUT_MESSAGE
from models.fakes import FakeLanguageModel, Rule, plain_rule
from tests.end_to_end.serving import Serving, serving
from tests.end_to_end.telegram_server import Chat, Member, Message, TelegramServer, Topic, User

ANSWER = "응, 듣고 있어!"
FACE = Expression()
# Telegram's clock runs this much faster here, and so does the adapter's
SCALE = 20.0


class HesitantModel(FakeLanguageModel):
    """Finds no answer before `let` is set; `asked` is set once it was asked for one."""

    def __init__(self, rule: Rule = plain_rule) -> None:
        super().__init__(rule)
        self.asked, self.let = asyncio.Event(), asyncio.Event()

    async def complete(self, prompt: Prompt) -> Completion:
        if prompt.task == OUTPUT_MESSAGE.name:
            self.asked.set()
            await self.let.wait()
        return await super().complete(prompt)


def answering(answer: str) -> FakeLanguageModel:
    """Always this answer, and nothing to remember."""
    return FakeLanguageModel(
        lambda prompt: f"{answer} {prompt.stop}" if prompt.task == OUTPUT_MESSAGE.name else plain_rule(prompt)
    )


@dataclass
class House:
    """The stand-in with people in it. `folder` holds the record; `faces` are shared by all tests of a run."""

    server: TelegramServer
    folder: Path
    faces: Path
    person: User
    owner: User
    private: Chat
    group: Chat

    def adapter(self, *, token: str = "", webhook: Webhook | None = None) -> TelegramAdapter:
        """The real one, aimed at the stand-in."""
        return TelegramAdapter(token or self.server.token, self.server.url, webhook, pace_scale=SCALE)

    @asynccontextmanager
    async def served(
        self, language: FakeLanguageModel | None = None, clock: Clock | None = None, *,
        adapter: TelegramAdapter | None = None, strangers: bool = False, **settings: object,
    ) -> AsyncIterator[Serving]:  # fmt: skip
        """The service, receiving. Whoever is there already knows her, unless they are `strangers`."""
        chosen = adapter or self.adapter()
        values = {"cache_dir": self.faces, **settings}
        async with serving(self.folder, [chosen], language, clock, **values) as service:
            for user in () if strangers else self.server.users.values():
                await service.record.people.introduce(key(user))
            hooked = self.server.until(lambda: self.server.updates.webhook)
            receiving = [asyncio.ensure_future(one) for one in (self.server.polling.wait(), hooked)]
            await asyncio.wait([*receiving, service.task], return_when=asyncio.FIRST_COMPLETED)
            for one in receiving:
                one.cancel()
            if service.task.done():
                service.task.result()
            yield service
        self.server.polling.clear()

    async def spoken(self, chat: Chat | Topic, count: int = 1) -> list[Message]:
        """Her messages there, `count` of them."""
        await self.server.until(lambda: len(chat.replies) >= count)
        assert len(chat.replies) == count
        return chat.replies

    async def reply(self, message: Message, count: int = 1) -> Message:
        """What she answered to a message in a group, the last of `count`."""
        await self.server.until(lambda: len(self.server.replies_to(message)) >= count)
        assert len(self.server.replies_to(message)) == count
        return self.server.replies_to(message)[-1]

    async def chat(self, text: str, user: User | None = None) -> Message:
        """A message in the group, and her reply to it."""
        return await self.reply(await self.server.say(user or self.person, self.group, text))

    async def shown(self, text: str) -> Message:
        """What she answers next in the private chat."""
        before = len(self.private.replies)
        await self.server.say(self.person, self.private, text)
        return (await self.spoken(self.private, before + 1))[-1]

    async def settled(self) -> None:
        """Until everything sent so far is confirmed: what it should have started has started."""
        await self.server.until(lambda: not self.server.updates.pending)


@dataclass
class Court:
    """The house's group with two moderators, who have a group of their own for the review queue."""

    house: House
    anna: User  # the group's owner
    bert: User
    desk: Chat
    service: Serving = field(init=False, repr=False)

    @asynccontextmanager
    async def served(self, language: FakeLanguageModel | None = None, **settings: object) -> AsyncIterator[Serving]:
        """The service, receiving; she declines everything kindly."""
        declining = answering("미안, 그건 부담스러워")
        async with self.house.served(language or declining, **settings) as self.service:
            yield self.service

    async def shown(self, text: str, user: User | None = None, chat: Chat | None = None, **how: Any) -> Message:
        """What a moderator is shown privately after a command, in the group unless elsewhere."""
        private = self.house.server.private(user or self.anna)
        before = len(private.replies)
        await self.house.server.say(user or self.anna, chat or self.house.group, text, **how)
        await self.house.server.until(lambda: len(private.replies) > before)
        return private.replies[before]

    async def press(self, message: Message, button: str, user: User | None = None, *, forged: bool = False) -> str:
        """What an alert says after a press, "" without one."""
        pressed = await self.house.server.press(user or self.anna, message, button, forged=forged)
        await self.house.server.until(lambda: pressed.answers)
        return str(pressed.answers[0].get("text", ""))

    async def confess(self, times: int = 1, user: User | None = None) -> None:
        """Somebody says what is sanctioned, in the group, and hears so."""
        private = self.house.server.private(user or self.house.person)
        before = len(private.replies)
        for number in range(1, times + 1):
            await self.house.chat("/chat 사랑해", user)
            await self.house.spoken(private, before + number)

    async def reviewing(self) -> None:
        """The queue comes to the moderators' group."""
        page = await self.shown(f"/mod settings in={self.house.group.id} review=here", chat=self.desk)
        assert str(self.desk.id) in page.words

    async def queued(self, number: int, appeal: int = 0) -> Message:
        """The message that asks about a case, or one of its appeals."""
        name = "review_appeal" if appeal else "review_case"
        title = texts.text("ko", "mod", name, n=number, appeal=appeal)
        message = await self.house.server.until(
            lambda: next((one for one in self.desk.replies if one.words.startswith(f"{title}\n")), None)
        )
        # the record knows it a moment later, and only then its buttons count
        topic = f":{message.topic.id}" if message.topic else ""
        shown = Shown(appeal, f"{self.desk.id}{topic}", str(message.id))
        while shown not in await self.service.record.cases.shown(number):
            pass
        return message

    @staticmethod
    def verdict(name: str) -> str:
        """The label of a button."""
        return texts.text("ko", "mod", f"do_{name}")


def key(user: User) -> PersonKey:
    """The person as the service knows them."""
    return PersonKey("telegram", str(user.id))


def asked(model: FakeLanguageModel) -> list[str]:
    """What she was asked to answer, in order, without the mark behind it."""
    return [one.text.removesuffix(" (답변 시작)") for one in model.prompts if one.task == OUTPUT_MESSAGE.name]


@asynccontextmanager
async def opened(house: House) -> AsyncIterator[tuple[TelegramAdapter, Serving]]:
    adapter = house.adapter()
    async with house.served(adapter=adapter) as service:
        yield adapter, service


def heard(house: House, message: Message, topic: Topic | None = None) -> IncomingMessage:
    """A message as the service knows it."""
    chat = message.chat
    chat_id = f"{chat.id}:{topic.id}" if topic else str(chat.id)
    where = ChatKey("telegram", chat_id, chat.private, str(chat.id))
    return IncomingMessage(key(house.person), where, str(message.id), message.text or "", datetime.now(UTC))


async def said(house: House, chat: Chat) -> IncomingMessage:
    """Something nobody else answers."""
    message = Message(chat, house.person)
    return heard(house, message)


class Begun:
    """A Begin that counts, and looks how much was shown then."""

    def __init__(self, house: House) -> None:
        self._server = house.server
        self.seen: list[int] = []

    async def __call__(self, *, left: bool = True) -> None:
        if left:
            self.seen.append(self._server.counts["sent"])
        else:
            self.seen.pop()


async def post(
    house: House, adapter: TelegramAdapter, message: IncomingMessage, text: str, **more: Any
) -> list[Message]:
    """What was shown for a reply that was delivered."""
    chat = house.server.chats[int(message.chat.place_id)]
    before, begun = len(chat.replies), Begun(house)
    sent = house.server.counts["sent"]
    await adapter.post(Reply(message, text, **more), begun)
    assert begun.seen == [sent]
    return chat.replies[before:]


def packed(text: str) -> str:
    """Without white space, which may change where a text is divided."""
    return "".join(text.split())


def joined(shown: list[Message]) -> str:
    """Everything in some messages."""
    return packed("".join(one.words for one in shown))


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """After the test nothing was sent that Telegram forbids, and nothing too early."""
    async with TelegramServer(time_scale=SCALE) as server:
        server.pace.gap_in_groups = True
        person, owner = server.user("지우"), server.user("주인")
        group = server.group("우리 집", members=[person], admins=[owner])
        folders = tmp_path / "data", tmp_path.parent / "faces"
        yield House(server, *folders, person, owner, server.private(person), group)
        assert (server.violations, server.pacing_breaks) == ([], [])


@pytest.fixture
async def court(house: House) -> Court:
    """Both moderators have started her."""
    server, anna, bert = house.server, house.owner, house.server.user("부관리자")
    house.group.members[bert.id] = Member(bert, "administrator")
    for user in (anna, bert):
        server.private(user)
    return Court(house, anna, bert, server.group("중재자 방", members=[bert], admins=[anna]))
