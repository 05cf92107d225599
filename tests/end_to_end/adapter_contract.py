"""What every adapter must do, whatever its platform. A subclass gives `stage`; see test_adapter_contract.py."""

import asyncio
import re
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import pytest

from bot.adapters.base import Adapter
from core.errors import DeliveryError
from core.expression import Expression
from core.messages import IncomingMessage, Notice, NoticeKind, PersonKey, Reply
from core.ports import Prompt
from core.tasks import OUTPUT_MESSAGE
from models.fakes import FakeLanguageModel, plain_rule
from tests.end_to_end.serving import Serving

ANSWER = "응, 듣고 있어!"
SLOW = Notice(NoticeKind.SLOW, "조금만 기다려 줘!")
BUSY = Notice(NoticeKind.BUSY, "조금 있다가 다시 불러 줘!")


def echo(prompt: Prompt) -> str:
    """Answers with the number that was said last."""
    if prompt.task != OUTPUT_MESSAGE.name:
        return plain_rule(prompt)
    return f"{re.findall('[0-9]번째 말', prompt.text)[-1]} {prompt.stop}"


class Stage(Protocol):
    """A platform with one person in a private chat with her."""

    @property
    def adapter(self) -> Adapter:
        """The one under test."""
        ...

    def served(self, language: FakeLanguageModel | None = None) -> AbstractAsyncContextManager[Serving]:
        """The whole service on this platform."""
        ...

    async def say(self, text: str) -> None:
        """The person writes."""
        ...

    async def shown(self, count: int) -> list[str]:
        """All that she showed the person, once there are `count` messages of hers."""
        ...

    def message(self) -> IncomingMessage:
        """One more message of the person, which nothing but the test answers."""
        ...

    def refuse(self) -> None:
        """From now on the platform takes nothing from her in this chat."""
        ...


class Mark:
    """A Begin that keeps what was shown when a delivery began."""

    def __init__(self) -> None:
        self.times = 0

    async def __call__(self, *, left: bool = True) -> None:
        self.times += 1 if left else -1


class AdapterContract:
    """Every adapter runs through this."""

    async def test_what_a_person_says_is_answered_once(self, stage: Stage) -> None:
        async with stage.served() as service:
            await stage.say("안녕 로라야")
            shown = await stage.shown(1)
            assert [text.partition("\n")[0] for text in shown] == [ANSWER]
            person = PersonKey(stage.adapter.platform, stage.message().person.user_id)
            theirs = await service.record.people.export(person)
            assert [said["text"] for said in theirs["messages"]] == ["안녕 로라야"]
            assert theirs["messages"][0]["private"]
            assert theirs["messages"][0]["sent_at"].endswith("+00:00")

    async def test_several_messages_are_answered_in_their_order(self, stage: Stage) -> None:
        said = [f"{number}번째 말" for number in range(4)]
        async with stage.served(FakeLanguageModel(echo)):
            for text in said:
                await stage.say(text)
            assert [text.partition("\n")[0] for text in await stage.shown(len(said))] == said

    async def test_a_reply_is_shown_whole_after_its_delivery_began(self, stage: Stage) -> None:
        begin = Mark()
        async with stage.served():
            await stage.adapter.post(Reply(stage.message(), ANSWER, Expression(), (BUSY,)), begin)
            shown = "\n".join(await stage.shown(1))
        assert ANSWER in shown
        assert BUSY.text in shown
        assert begin.times == 1

    async def test_what_is_held_becomes_the_reply(self, stage: Stage) -> None:
        async with stage.served():
            message = stage.message()
            await stage.adapter.hold(message, SLOW)
            await stage.adapter.post(Reply(message, ANSWER, Expression()), Mark())
            assert await stage.shown(1) == [ANSWER]

    async def test_an_empty_reply_takes_away_what_is_held_and_shows_nothing(self, stage: Stage) -> None:
        async with stage.served():
            message = stage.message()
            await stage.adapter.hold(message, SLOW)
            await stage.adapter.post(Reply(message), Mark())
            await stage.adapter.post(Reply(stage.message(), ANSWER), Mark())
            assert await stage.shown(1) == [ANSWER]

    async def test_the_adapter_knows_whether_its_platform_recognises_a_repetition(self, stage: Stage) -> None:
        seen = 1 if stage.adapter.recognises_for else 2
        async with stage.served():
            message = stage.message()
            for _ in range(2):
                await stage.adapter.post(Reply(message, ANSWER, Expression(), (BUSY,)), Mark())
            assert len(await stage.shown(seen)) == seen

    async def test_a_command_is_answered_and_starts_no_turn(self, stage: Stage) -> None:
        async with stage.served() as service:
            await stage.say("/standing")
            assert await stage.shown(1) == ["경고도 차단도 없어. 깨끗해!"]
            assert service.language.prompts == []

    async def test_what_the_platform_does_not_take_is_an_error_of_ours(self, stage: Stage) -> None:
        async with stage.served():
            stage.refuse()
            with pytest.raises(DeliveryError):
                await stage.adapter.post(Reply(stage.message(), ANSWER), Mark())

    async def test_a_sign_that_she_writes_never_fails(self, stage: Stage) -> None:
        async with stage.served():
            stage.refuse()
            async with stage.adapter.typing(stage.message().chat):
                await asyncio.sleep(0)

    async def test_it_can_be_closed_at_any_time(self, stage: Stage) -> None:
        await stage.adapter.close()
        await stage.adapter.close()
