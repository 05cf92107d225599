"""A guild in Discord with one channel and one person, and the whole service in it, over fakes that think at once."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partialmethod
from pathlib import Path
from typing import Any

import discord
import pytest
from discord.state import ConnectionState

from bot.adapters.discord import DiscordAdapter
from core.messages import PersonKey
from core.ports import Clock
from core.tasks import OUTPUT_MESSAGE
from models.fakes import FakeClock, FakeLanguageModel
from tests.end_to_end.discord_server import Channel, DiscordServer, Guild, Interaction, Message, User
from tests.end_to_end.discord_server.aim import aimed_at
from tests.end_to_end.serving import Serving, serving

ANSWER = "응, 듣고 있어!"
# what takes longer never happens, even on a machine that has a lot to do
WAIT_S = 30.0


def present() -> FakeClock:
    """A clock that stands at the stand-in's time, whose ids say when things were said."""
    return FakeClock(datetime.now(UTC))


@dataclass(repr=False)
class House:
    """The stand-in with people in it. `folder` holds the record; `faces` are shared by all tests of a run."""

    server: DiscordServer
    folder: Path
    faces: Path
    guild: Guild
    channel: Channel
    person: User

    def adapter(self, *, token: str = "", message_content: bool = True) -> DiscordAdapter:
        """The real one, aimed at the stand-in."""
        addresses = self.server.api_url, self.server.gateway_url
        return DiscordAdapter(token or self.server.settings.token, *addresses, message_content=message_content)

    @asynccontextmanager
    async def served(
        self, model: FakeLanguageModel | None = None, clock: Clock | None = None, /, *,
        message_content: bool = True, strangers: bool = False, adapter: DiscordAdapter | None = None,
        **settings: object,
    ) -> AsyncIterator[Serving]:  # fmt: skip
        """The service, connected. Whoever is there already knows her, unless they are `strangers`."""
        adapter = adapter or self.adapter(message_content=message_content)
        times = len(self.server.gateway.identified)
        values = {"cache_dir": self.faces, **settings}
        async with serving(self.folder, [adapter], model, clock, **values) as service:
            for user in () if strangers else self.server.users.values():
                await service.record.people.introduce(key(user))
            ready = asyncio.ensure_future(self._ready(adapter, times))
            await asyncio.wait({ready, service.task}, return_when=asyncio.FIRST_COMPLETED)
            if service.task.done():
                ready.cancel()
                service.task.result()
            await ready
            yield service

    async def _ready(self, adapter: DiscordAdapter, times: int) -> None:
        """Until the bot has identified more than `times` times, and its library is ready."""
        await self.server.until(lambda: len(self.server.gateway.identified) > times, WAIT_S)
        assert adapter._client is not None
        await adapter._client.wait_until_ready()

    @contextmanager
    def earlier(self, minutes: int) -> Iterator[None]:
        """What happens in the block was so long ago, as its ids say."""
        now = self.server.snowflakes.next
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self.server.snowflakes, "next", lambda: now() - (minutes * 60_000 << 22))
            yield

    async def reply(self, message: Message, count: int = 1) -> Message:
        """The reply to a message in a guild, of `count` messages; the last of them is it."""
        await self.server.until(lambda: len(message.replies) >= count, WAIT_S)
        assert len(message.replies) == count
        return message.replies[-1]

    async def spoken(self, channel: Channel, count: int = 1) -> list[Message]:
        """Her messages in a channel, `count` of them."""
        await self.server.until(lambda: len(self.hers(channel)) >= count, WAIT_S)
        assert len(self.hers(channel)) == count
        return self.hers(channel)

    def hers(self, channel: Channel) -> list[Message]:
        """Her messages in a channel now, without what only one person sees."""
        return [one for one in channel.messages if one.author is self.server.bot and not one.ephemeral]

    async def chat(self, text: str, user: User | None = None) -> Message:
        """The person's message in the channel, and her reply to it."""
        return await self.reply(await self.server.say(user or self.person, self.channel, text))

    async def shown(self, used: Interaction, count: int = 1) -> Message:
        """What the person was shown last for a command or button, after it was acknowledged."""
        await self.server.until(lambda: len(used.texts) >= count and not used.thinking, WAIT_S)
        assert len(used.texts) == count
        return [one for one in used.responses if not one.deleted][-1]

    async def command(self, name: str, user: User | None = None, channel: Channel | None = None, **more: Any) -> str:
        """A slash command of the person, and the text of its answer."""
        used = await self.server.slash(user or self.person, channel or self.channel, name, **more)
        return (await self.shown(used)).content

    async def choose(self, **options: Any) -> str:
        """/settings by the owner."""
        return await self.command("settings", self.guild.owner, options=options)


def key(user: User) -> PersonKey:
    """The person as the service knows them."""
    return PersonKey("discord", str(user.id))


def asked(model: FakeLanguageModel) -> list[str]:
    """What she was asked to answer, in order, without the mark behind it."""
    return [one.text.removesuffix(" (답변 시작)") for one in model.prompts if one.task == OUTPUT_MESSAGE.name]


@pytest.fixture
async def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    """After the test nothing was sent that Discord forbids, nothing came too late."""

    async def at_once(self: discord.Client, shard_id: int | None, *, initial: bool = False) -> None:
        """The library pauses five seconds before it identifies again."""

    monkeypatch.setattr(discord.Client, "before_identify_hook", at_once)
    # and two for another guild, before it is ready
    soon = partialmethod(ConnectionState.__init__, guild_ready_timeout=0.02)
    monkeypatch.setattr(ConnectionState, "__init__", soon)
    async with DiscordServer() as server:
        with aimed_at(server.api_url, server.gateway_url):
            guild = server.guild("우리 집")
            folders = tmp_path / "data", tmp_path.parent / "faces"
            place = House(server, *folders, guild, guild.channel("수다"), server.user("지우"))
            yield place
        assert (server.violations, server.unacknowledged(), server.late_heartbeats()) == ([], [], [])
