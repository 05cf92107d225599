"""What she remembers, with the models that ship: a plan today, the same plan tomorrow, gone the day after."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from core import Conversation, Policy
from core.messages import ChatKey, IncomingMessage, PersonKey, Turn
from models.device import DeviceProcess
from models.engine import Engine
from models.fakes import FakeClock
from models.registry import BUNDLED, Profile
from models.serving import LANES, models_on
from storage.record import Record

MONDAY_14_SEOUL = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)


class Talk:
    """The service's way of a message, without platform and delivery."""

    def __init__(self, conversation: Conversation, record: Record, clock: FakeClock) -> None:
        self.conversation, self.record, self.clock = conversation, record, clock
        self.said = 0

    async def say(self, text: str, user: str = "a") -> Turn:
        self.said += 1
        person, chat = PersonKey("test", user), ChatKey("test", user, private=True)
        message = IncomingMessage(person, chat, str(self.said), text, self.clock.now())
        assert await self.record.turns.receive(message)
        async with self.conversation.exclusive(person):
            turn = await self.conversation.reply(message)
            turn_id = await self.record.turns.commit(turn)
            if turn.to_remember:
                await self.conversation.remember(turn_id, turn)
        return turn


@asynccontextmanager
async def talking(folder: Path) -> AsyncIterator[Talk]:
    profile = Profile(BUNDLED)
    engine = Engine(DeviceProcess(profile.weights, seed=1), LANES)
    clock = FakeClock(MONDAY_14_SEOUL)
    try:
        async with await Record.open(f"sqlite+aiosqlite:///{folder / 'record.db'}") as record:
            models = models_on(engine, profile, recall=True)
            yield Talk(Conversation(models, record.turns, clock, Policy(), record.hot), record, clock)
    finally:
        await engine.close()


async def test_a_plan_is_remembered_ages_and_is_gone(tmp_path: Path) -> None:
    async with talking(tmp_path) as talk:
        await talk.say("내일 면접이야")
        [item] = await talk.record.memories.items(PersonKey("test", "a"))
        assert item.text == "[내일 일정: 면접]"

        assert (await talk.say("로라야 내일 나 떨려")).final_input.startswith("[내일 일정: 면접] (지금은 월요일 오후)")
        assert "면접" not in (await talk.say("로라야 내일 나 떨려", user="b")).final_input

        talk.clock.moment = MONDAY_14_SEOUL + timedelta(hours=14, minutes=30)  # 04:30 the next morning
        assert (await talk.say("로라야 오늘 나 떨려")).final_input.startswith("[오늘 일정: 면접] (지금은 화요일 오전)")

        talk.clock.moment = MONDAY_14_SEOUL + timedelta(days=2)
        assert "[" not in (await talk.say("로라야 오늘 나 떨려")).final_input
        assert await talk.record.memories.items(PersonKey("test", "a")) == []
