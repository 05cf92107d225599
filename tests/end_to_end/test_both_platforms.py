"""Discord and Telegram side by side in one process, on one record and one device."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.app import build
from bot.config import Settings
from bot.platforms import adapters
from core.messages import PersonKey
from core.people import Person
from core.ports import Prompt
from core.tasks import EYES_MOUTH_POSE, MEMORY, OUTPUT_MESSAGE
from models.fakes import FakeLanguageModel, Rule, plain_rule
from tests.end_to_end import discord_house, telegram_house
from tests.end_to_end.serving import Serving, answering, serving

discord = discord_house.house
telegram = telegram_house.house

CANARY = "카나리아 4711"


@dataclass
class Town:
    """Both stand-ins; their people are called the same."""

    discord: discord_house.House
    telegram: telegram_house.House
    folder: Path

    @asynccontextmanager
    async def served(self, rule: Rule) -> AsyncIterator[tuple[Serving, FakeLanguageModel]]:
        """One service on both platforms, where everybody knows her."""
        model = FakeLanguageModel(rule)
        chosen = [self.discord.adapter(), self.telegram.adapter()]
        async with serving(self.folder, chosen, model, cache_dir=self.discord.faces) as service:
            people = [discord_house.key(one) for one in self.discord.server.users.values()]
            people += [telegram_house.key(one) for one in self.telegram.server.users.values()]
            for person in people:
                await service.record.people.introduce(person)
            await self.discord.server.connected.wait()
            await self.telegram.server.polling.wait()
            yield service, model


@pytest.fixture
def town(discord: discord_house.House, telegram: telegram_house.House, tmp_path: Path) -> Town:
    return Town(discord, telegram, tmp_path / "both")


async def test_the_models_that_ship_answer_on_both_from_one_process(town: Town) -> None:
    discord, telegram = town.discord.server, town.telegram.server
    settings = Settings.model_validate(
        {
            "data_dir": town.folder,
            "cache_dir": town.discord.faces,
            "discord_token": discord.settings.token,
            "telegram_token": telegram.token,
            "discord": {"api_url": discord.api_url, "gateway_url": discord.gateway_url},
            "telegram": {"api_url": telegram.url},
            "models": {"seed": 1, "threads": 1},
        }
    )
    async with build(settings, adapters(settings)) as app, running(app.run()):
        await discord.connected.wait()
        await telegram.polling.wait()
        there = await discord.say(town.discord.person, town.discord.channel, "로라야 너 이름이 뭐야?")
        await telegram.say(town.telegram.person, town.telegram.private, "너 이름이 뭐야?")
        await discord.until(lambda: there.replies, timeout=60)
        await telegram.until(lambda: town.telegram.private.replies, timeout=60)
    [in_discord], [in_telegram] = there.replies, town.telegram.private.replies
    assert "로라" in in_discord.content
    assert "로라" in in_telegram.words
    [face] = in_discord.attachments
    assert face.filename.startswith("aurora_eyes-")
    assert face.size <= 200_000
    assert in_telegram.photo is not None


async def test_the_same_account_number_on_two_platforms_is_two_people(town: Town) -> None:
    async with town.served(answering("미안, 그건 안 돼")) as (service, _):
        chat = await town.discord.server.say(town.discord.person, town.discord.channel, "로라야 사랑해")
        await town.discord.reply(chat)
        again = await town.discord.server.say(town.discord.person, town.discord.channel, "로라야 사랑해")
        await town.discord.reply(again)
        blocked = PersonKey("discord", str(town.discord.person.id))
        assert len(await service.record.cases.of(blocked)) == 2
        twin = PersonKey("telegram", blocked.user_id)
        assert await service.record.cases.of(twin) == []
        assert await service.record.people.of(twin) == Person()
        free = await town.telegram.server.say(town.telegram.person, town.telegram.group, "/chat 안녕")
        assert (await town.telegram.reply(free)).words == "미안, 그건 안 돼"


def remembers_canaries(prompt: Prompt) -> str:
    """Keeps what is said about a canary, answers the same to everything."""
    if prompt.task == MEMORY.name and f"나 {CANARY}" in prompt.text:
        return f"[상태: {CANARY}] {prompt.stop}"
    if prompt.task in (MEMORY.name, EYES_MOUTH_POSE.name):
        return plain_rule(prompt)
    return f"응! {prompt.stop}"


async def test_what_is_said_in_private_or_in_one_group_never_enters_another(town: Town) -> None:
    """Canary items: learned in private, in a group of Telegram, and in two channels of one server of Discord."""
    house, server = town.telegram, town.telegram.server
    other = server.group("다른 그룹", members=[house.person], admins=[house.owner])
    asking = f"{CANARY} 뭐였지"

    async with town.served(remembers_canaries) as (service, model):

        def recalled() -> bool:
            last = [one.text for one in model.prompts if one.task == OUTPUT_MESSAGE.name][-1]
            assert asking in last
            return last.startswith("[")

        told = await server.say(house.person, house.group, f"/chat 나 {CANARY}")
        await house.reply(told)
        for chat, expected in ((other, False), (house.group, True)):
            await house.reply(await server.say(house.person, chat, f"/chat {asking}"))
            assert recalled() is expected
        await server.say(house.person, house.private, asking)
        await house.spoken(house.private)
        assert recalled()
        everything = await service.record.people.export(telegram_house.key(house.person))
        assert [item["scope"] for item in everything["memories"]] == [str(house.group.id)]

        inn, dc = town.discord, town.discord.server
        elsewhere = dc.guild("다른 서버").channel("수다")
        private = dc.dm(inn.person)
        await dc.say(inn.person, private, f"나 {CANARY}")
        await inn.spoken(private)
        for channel in (inn.channel, elsewhere):
            await inn.reply(await dc.say(inn.person, channel, f"로라야 {asking}"))
            assert not recalled()
        known = await service.record.memories.items(discord_house.key(inn.person))
        assert {item.scope for item in known} == {""}


@asynccontextmanager
async def running(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """In the background until the block ends."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
