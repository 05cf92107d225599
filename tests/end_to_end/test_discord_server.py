"""The stand-in for Discord, driven by the real discord.py."""

import asyncio
import io
import json
import os
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import discord
import pytest
from discord import app_commands

from tests.end_to_end.discord_server import (
    Channel,
    DiscordServer,
    Fault,
    Guild,
    Intent,
    Message,
    NotOffered,
    Permission,
    User,
    would_ping,
)
from tests.end_to_end.discord_server.aim import aimed_at
from tests.end_to_end.discord_server.schema import SCHEMA, Schema

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + (640).to_bytes(4) + (480).to_bytes(4) + bytes(50)
ROOT = Path(__file__).resolve().parents[2]
NOBODY = {"parse": []}


class Echo(discord.Client):
    """Answers what people write with the same words; commands are put into its tree by the tests."""

    def __init__(self, *, content: bool = True) -> None:
        intents = discord.Intents.default()
        intents.message_content = content
        super().__init__(intents=intents, allowed_mentions=discord.AllowedMentions.none(), guild_ready_timeout=0.01)
        self.tree = app_commands.CommandTree(self)
        self.seen: list[discord.Message] = []
        self.ready = asyncio.Event()

    async def on_ready(self) -> None:
        self.ready.set()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """No five seconds' pause before the second IDENTIFY."""

    async def on_message(self, message: discord.Message) -> None:
        if not message.author.bot:
            self.seen.append(message)
            await message.reply(f"echo: {message.content}", mention_author=False)


@dataclass(frozen=True)
class House:
    """A guild with one channel and one person in it."""

    server: DiscordServer
    guild: Guild
    channel: Channel
    person: User

    async def post(self, **fields: Any) -> tuple[int, dict[str, Any]]:
        """A message by the bot, without discord.py in between: status and answer."""
        return await self.request("POST", f"/channels/{self.channel.id}/messages", fields)

    async def request(self, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bot {self.server.settings.token}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.request(method, self.server.api_url + path, json=body) as response,
        ):
            return response.status, await response.json(content_type=None) or {}

    @asynccontextmanager
    async def bot(self, client: Echo | None = None) -> AsyncIterator[Echo]:
        """discord.py, connected and ready, until the block ends."""
        async with client or Echo() as bot:
            running = asyncio.create_task(bot.start(self.server.settings.token))
            await asyncio.wait_for(bot.ready.wait(), 10)
            yield bot
            await bot.close()
            await running


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with DiscordServer() as server:
        with aimed_at(server.api_url, server.gateway_url):
            guild = server.guild("우리 집")
            yield House(server, guild, guild.channel("수다"), server.user("지우"))


async def answer(server: DiscordServer, message: Message) -> str:
    """The text of the one reply to a message."""
    await server.until(lambda: message.replies)
    assert len(message.replies) == 1
    return message.replies[0].content


@pytest.mark.parametrize("where", ["guild", "thread", "direct chat"])
async def test_a_message_is_heard_and_answered(house: House, where: str) -> None:
    place = {
        "guild": house.channel,
        "thread": house.channel.thread("옆방"),
        "direct chat": house.server.dm(house.person),
    }
    async with house.bot() as bot:
        message = await house.server.say(house.person, place[where], "안녕")
        assert await answer(house.server, message) == "echo: 안녕"
        heard = bot.seen[0]
        assert (heard.id, heard.channel.id, heard.author.id) == (message.id, place[where].id, house.person.id)
        assert (heard.guild is None) == (where == "direct chat")
        assert isinstance(heard.channel, discord.Thread) == (where == "thread")
    assert house.server.violations == []


async def test_the_library_sees_the_guild_as_it_is(house: House) -> None:
    house.guild.system_channel = house.channel
    async with house.bot() as bot:
        guild = bot.guilds[0]
        assert (guild.id, guild.owner_id, guild.preferred_locale) == (
            house.guild.id,
            house.guild.owner.id,
            discord.Locale.korean,
        )
        assert guild.system_channel is not None
        assert guild.system_channel.permissions_for(guild.me).send_messages
        later = house.guild.channel("새 방")
        message = await house.server.say(house.person, later, "여기도?")
        assert await answer(house.server, message) == "echo: 여기도?"
        assert bot.get_channel(later.id) is not None
        assert (await bot.fetch_user(house.person.id)).name == "지우"
        assert (await guild.fetch_member(house.person.id)).id == house.person.id


async def test_a_file_keeps_its_bytes_its_words_and_its_size(house: House) -> None:
    async with house.bot() as bot:
        channel = bot.get_partial_messageable(house.channel.id)
        file = discord.File(io.BytesIO(PNG), filename="aurora-happy.png", description="활짝 웃는 오로라")
        sent = await channel.send("짠", file=file)
        stored = house.channel.messages[0].attachments[0]
        assert (stored.data, stored.filename, stored.description) == (PNG, "aurora-happy.png", "활짝 웃는 오로라")
        shown = sent.attachments[0]
        assert (shown.width, shown.height, shown.size, shown.content_type) == (640, 480, len(PNG), "image/png")
        assert await shown.read() == PNG
        edited = await sent.edit(content="다시")
        assert [one.id for one in edited.attachments] == [shown.id]
    assert house.server.violations == []


@pytest.mark.parametrize(("enforced", "window_s", "count"), [(True, 60, 1), (True, 0, 2), (False, 60, 2)])
async def test_an_enforced_nonce_posts_once_within_its_window(
    house: House, enforced: bool, window_s: float, count: int
) -> None:
    house.server.settings.nonce_window_s = window_s
    fields = {"content": "한 번만", "nonce": "turn-1", "enforce_nonce": enforced, "allowed_mentions": NOBODY}
    first, second = [await house.post(**fields) for _ in range(2)]
    assert (first[0], second[0]) == (200, 200)
    assert len(house.channel.messages) == count
    assert (first[1]["id"] == second[1]["id"]) == (count == 1)
    assert len(house.server.repeated) == 2 - count


async def test_what_happened_meanwhile_is_replayed_on_resume(house: House) -> None:
    server = house.server
    async with house.bot() as bot:
        server.gateway.drop()
        missed = [await server.say(house.person, house.channel, f"{number}") for number in range(3)]
        await server.until(lambda: all(message.replies for message in missed))
        assert [message.content for message in bot.seen] == ["0", "1", "2"]
        assert (server.gateway.resumed, len(server.gateway.identified)) == (1, 1)


async def test_reconnect_and_a_close_code_are_resumed_too(house: House) -> None:
    server = house.server
    orders: list[Callable[[], None]] = [
        server.gateway.reconnect,
        lambda: server.gateway.invalidate(resumable=True),
        lambda: server.gateway.close(4000),
    ]
    async with house.bot():
        for resumed, order in enumerate(orders, start=1):
            order()
            message = await server.say(house.person, house.channel, f"{resumed}")
            assert await answer(server, message) == f"echo: {resumed}"
            assert server.gateway.resumed == resumed
    assert len(server.gateway.identified) == 1


@pytest.mark.parametrize("how", ["invalid session", "expired meanwhile"])
async def test_a_lost_session_is_not_replayed_but_can_be_read_back(house: House, how: str) -> None:
    server = house.server
    async with house.bot() as bot:
        if how == "invalid session":
            server.gateway.invalidate(resumable=False)
        else:
            server.gateway.drop(forget=True)
        missed = await server.say(house.person, house.channel, "못 들었지?")
        await server.until(lambda: len(server.gateway.identified) == 2)
        later = await server.say(house.person, house.channel, "이건?")
        assert await answer(server, later) == "echo: 이건?"
        assert missed.replies == []
        channel = bot.get_partial_messageable(house.channel.id)
        history = [one.content async for one in channel.history(after=discord.Object(missed.id - 1), limit=2)]
        assert history == ["못 들었지?", "이건?"]


async def test_history_pages_run_in_every_direction(house: House) -> None:
    said = [await house.server.say(house.person, house.channel, f"{number}") for number in range(7)]

    async def contents(**query: int) -> list[str]:
        wanted = "&".join(f"{name}={value}" for name, value in query.items())
        _, page = await house.request("GET", f"/channels/{house.channel.id}/messages?{wanted}")
        return [message["content"] for message in page]  # type: ignore[index]

    assert await contents(limit=2) == ["6", "5"]
    assert await contents(limit=2, before=said[3].id) == ["2", "1"]
    assert await contents(limit=2, after=said[3].id) == ["5", "4"]
    assert await contents(limit=3, around=said[3].id) == ["4", "3", "2"]


async def test_a_duplicate_event_an_edit_and_deletions_arrive(house: House) -> None:
    server = house.server
    async with house.bot() as bot:
        message = await server.say(house.person, house.channel, "하나")
        server.repeat(message)
        await server.until(lambda: len(message.replies) == 2)
        assert [one.id for one in bot.seen] == [message.id] * 2
        edit = asyncio.ensure_future(bot.wait_for("raw_message_edit", check=lambda raw: raw.message_id == message.id))
        gone = asyncio.ensure_future(bot.wait_for("raw_message_delete"))
        many = asyncio.ensure_future(bot.wait_for("raw_bulk_message_delete"))
        await asyncio.wait([edit, gone, many], timeout=0)
        await server.edit(message, "둘")
        assert (await edit).message.content == "둘"
        assert message.history == ["하나"]
        others = [await server.say(house.person, house.channel, "셋") for _ in range(2)]
        await server.delete(message)
        await server.delete(*others)
        assert (await gone).message_id == message.id
        assert (await many).message_ids == {one.id for one in others}


async def test_what_is_no_person_looks_like_none(house: House) -> None:
    server = house.server
    async with house.bot() as bot:
        await server.say(server.user("훅"), house.channel, "나는 훅", webhook=True)
        await server.say(house.person, house.channel, system=7)
        original = await server.say(house.person, house.channel, "원래 말")
        await server.say(house.person, house.channel, forward_of=original)
        await server.until(lambda: len(original.replies) == 1 and len(bot.seen) == 3)
        joined, _, forwarded = bot.seen
        assert joined.is_system()
        assert [snapshot.content for snapshot in forwarded.message_snapshots] == ["원래 말"]


async def test_without_the_intent_only_what_is_addressed_to_the_bot_has_words(house: House) -> None:
    server = house.server
    async with house.bot(Echo(content=False)) as bot:
        plain = await server.say(house.person, house.channel, "비밀")
        assert await answer(server, plain) == "echo:"
        reply = plain.replies[0]
        await server.say(house.person, house.channel, f"{server.bot.mention} 들려?")
        await server.say(house.person, house.channel, "답이야", reply_to=reply)
        await server.say(house.person, server.dm(house.person), "둘이서")
        await server.until(lambda: len(bot.seen) == 4)
        assert [one.content for one in bot.seen[1:]] == [f"{server.bot.mention} 들려?", "답이야", "둘이서"]


async def test_an_intent_that_the_portal_lacks_is_refused(house: House) -> None:
    house.server.settings.portal = Intent.NONE
    async with Echo() as bot:
        with pytest.raises(discord.PrivilegedIntentsRequired):
            await bot.start(house.server.settings.token)


async def test_a_wrong_token_is_refused(house: House) -> None:
    async with Echo() as bot:
        with pytest.raises(discord.LoginFailure):
            await bot.start("not.the.token")
    assert house.server.statuses[401] == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault("rate_limited", r"/messages$", "POST", times=2, retry_after=0.2),
        Fault("rate_limited", r"/messages$", "POST", retry_after=0.2, everywhere=True),
        Fault("status", r"/messages$", "POST", status=500),
        Fault("delay", r"/messages$", "POST", delay_s=0.2),
    ],
    ids=["429", "global 429", "500", "slow"],
)
async def test_the_library_gets_its_answer_past_a_fault(house: House, fault: Fault) -> None:
    async with house.bot():
        house.server.faults.add(fault)
        message = await house.server.say(house.person, house.channel, "괜찮아?")
        assert await answer(house.server, message) == "echo: 괜찮아?"
        assert fault.hits == fault.times


@pytest.mark.parametrize(("kind", "stored"), [("cut", 1), ("cut_before", 0), ("hang", 1)])
async def test_a_lost_answer_leaves_the_message_or_not(house: House, kind: Any, stored: int) -> None:
    house.server.faults.add(Fault(kind, r"/messages$"))
    with suppress(aiohttp.ClientError, TimeoutError):
        async with asyncio.timeout(0.3):
            await house.post(content="받았어?", allowed_mentions=NOBODY)
    assert len(house.channel.messages) == stored
    status, _ = await house.post(content="다시", allowed_mentions=NOBODY)
    assert (status, len(house.channel.messages)) == (200, stored + 1)


async def test_a_full_bucket_is_announced_and_refused(house: House) -> None:
    house.server.limits.rule("POST", "/messages$", 2, 0.4)
    answers = [await house.post(content="말", allowed_mentions=NOBODY) for _ in range(3)]
    assert [status for status, _ in answers] == [200, 200, 429]
    assert 0 < answers[2][1]["retry_after"] <= 0.4
    async with house.bot() as bot:
        channel = bot.get_partial_messageable(house.channel.id)
        await asyncio.gather(*(channel.send(f"{number}") for number in range(5)))
    assert len(house.channel.messages) == 7


class Memory(app_commands.Group):
    """A command that thinks first, one that answers at once with a button, one that shows a form."""

    def __init__(self, gate: asyncio.Event) -> None:
        super().__init__(name="memory", description="what she remembers")
        self.gate = gate

    @app_commands.command(description="forget something")
    async def forget(self, interaction: discord.Interaction, what: app_commands.Range[str, 1, 20]) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self.gate.wait()
        await interaction.edit_original_response(content=f"{interaction.locale}: {what}")
        await interaction.followup.send("또 뭐?", ephemeral=True)

    @app_commands.command(name="list", description="list")
    async def everything(self, interaction: discord.Interaction) -> None:
        view = discord.ui.View()
        button: discord.ui.Button[discord.ui.View] = discord.ui.Button(label="지우기", custom_id="wipe")
        button.callback = self.pressed  # type: ignore[method-assign]
        view.add_item(button)
        await interaction.response.send_message("목록", view=view)

    @staticmethod
    async def pressed(interaction: discord.Interaction) -> None:
        await interaction.response.edit_message(content="지웠어", view=None)


class Form(discord.ui.Modal, title="Settings"):
    word: discord.ui.TextInput["Form"] = discord.ui.TextInput(label="word", custom_id="word")

    async def on_submit(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"폼: {self.word.value}", ephemeral=True)


async def test_a_command_is_deferred_edited_and_followed_up(house: House) -> None:
    server, gate, bot = house.server, asyncio.Event(), Echo()
    bot.tree.add_command(Memory(gate))
    async with house.bot(bot):
        await bot.tree.sync()
        used = await server.slash(
            house.person, house.channel, "memory", subcommand="forget", options={"what": "생일"}, locale="en-US"
        )
        await server.until(lambda: used.thinking)
        gate.set()
        await server.until(lambda: len(used.texts) == 2)
        assert used.texts == ["en-US: 생일", "또 뭐?"]
        assert all(message.ephemeral for message in used.responses)
        assert [message.visible_to(house.guild.owner) for message in used.responses] == [False, False]
    assert (server.violations, server.unacknowledged()) == ([], [])


async def test_a_button_changes_its_message(house: House) -> None:
    server, bot = house.server, Echo()
    bot.tree.add_command(Memory(asyncio.Event()))
    async with house.bot(bot):
        await bot.tree.sync()
        used = await server.slash(house.person, server.dm(house.person), "memory", subcommand="list")
        await server.until(lambda: used.texts)
        shown = used.responses[0]
        await server.press(house.person, shown, "wipe")
        await server.until(lambda: shown.content == "지웠어")
        assert shown.components == []
        with pytest.raises(LookupError):
            await server.press(house.person, shown, "wipe")
    assert server.violations == []


async def test_a_form_comes_back_filled_in(house: House) -> None:
    server, bot = house.server, Echo()

    @bot.tree.command(description="settings")
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.guild_only()
    async def settings(interaction: discord.Interaction) -> None:
        await interaction.response.send_modal(Form())

    async with house.bot(bot):
        await bot.tree.sync()
        with pytest.raises(NotOffered):
            await server.slash(house.person, house.channel, "settings")
        with pytest.raises(NotOffered):
            await server.slash(house.guild.owner, server.dm(house.guild.owner), "settings")
        used = await server.slash(house.guild.owner, house.channel, "settings")
        await server.until(lambda: used.modal)
        sent = await server.submit(used, {"word": "로라야"})
        await server.until(lambda: sent.texts)
        assert sent.texts == ["폼: 로라야"]


async def test_roles_and_what_a_channel_gives_come_with_an_interaction(house: House) -> None:
    server, bot, seen = house.server, Echo(), list[tuple[list[str], bool, bool]]()

    @bot.tree.command(description="rights")
    async def rights(interaction: discord.Interaction, role: discord.Role) -> None:
        assert isinstance(interaction.user, discord.Member)
        names = [one.name for one in interaction.user.roles if not one.is_default()]
        may = (interaction.permissions, interaction.user.guild_permissions)
        seen.append((names, may[0].moderate_members, may[1].moderate_members))
        await interaction.response.send_message(role.name)

    @bot.event
    async def on_guild_channel_delete(channel: discord.abc.GuildChannel) -> None:
        seen.clear()
        server.changed()

    async with house.bot(bot):
        await bot.tree.sync()
        role, other = house.guild.role("a", Permission.MODERATE_MEMBERS), house.guild.channel("b")
        for _ in range(3):
            used = await server.slash(house.person, other, "rights", options={"role": role})
            await server.until(lambda used=used: used.texts)  # type: ignore[misc]
            assert used.texts == ["a"]
            if not other.given:
                other.give(house.person, Permission.MODERATE_MEMBERS)
            else:
                role.members.add(house.person.id)
        assert seen == [([], False, False), ([], True, False), (["a"], True, True)]
        other.close()
        await server.until(lambda: not seen)
        assert bot.get_channel(other.id) is None


async def test_an_interaction_can_be_handed_in_again(house: House) -> None:
    server, bot, ids = house.server, Echo(), list[int]()

    @bot.tree.command(description="ping")
    async def ping(interaction: discord.Interaction) -> None:
        ids.append(interaction.id)
        server.changed()

    async with house.bot(bot):
        await bot.tree.sync()
        used = await server.slash(house.person, house.channel, "ping")
        server.hand_in_again(used)
        await server.until(lambda: len(ids) == 2)
        assert ids == [used.id, used.id]


async def test_a_late_or_second_acknowledgement_is_refused(house: House) -> None:
    server, bot, codes = house.server, Echo(), list[int]()

    @bot.tree.command(description="twice")
    async def twice(interaction: discord.Interaction) -> None:
        for _ in range(2):
            try:
                await bot.http.request(
                    discord.http.Route("POST", f"/interactions/{interaction.id}/{interaction.token}/callback"),
                    json={"type": 5, "data": {"flags": 64}},
                )
            except discord.HTTPException as error:
                codes.append(error.code)
                server.changed()

    async with house.bot(bot):
        await bot.tree.sync()
        await server.slash(house.person, house.channel, "twice")
        await server.until(lambda: codes)
        server.settings.ack_window_s = 0
        late = await server.slash(house.person, house.channel, "twice")
        await server.until(lambda: len(codes) == 3)
        assert server.unacknowledged() == [late]
    assert codes == [40060, 10062, 10062]


async def test_a_token_past_its_time_is_refused(house: House) -> None:
    server, bot, refused = house.server, Echo(), list[discord.HTTPException]()

    @bot.tree.command(description="slow")
    async def slow(interaction: discord.Interaction) -> None:
        await interaction.response.defer()
        server.settings.interaction_ttl_s = 0
        try:
            await interaction.followup.send("늦었지")
        except discord.HTTPException as error:
            refused.append(error)
            server.changed()

    async with house.bot(bot):
        await bot.tree.sync()
        used = await server.slash(house.person, house.channel, "slow")
        await server.until(lambda: refused)
        assert (refused[0].status, refused[0].code) == (401, 50027)
        assert used.thinking


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"content": "가" * 2001, "allowed_mentions": NOBODY}, "content"),
        ({"content": "😀" * 1001, "allowed_mentions": NOBODY}, "content"),
        ({"content": "안녕"}, "allowed_mentions: missing"),
        ({"content": "안녕", "allowed_mentions": {"parse": ["everyone"]}}, "allows"),
        ({"content": "안녕", "allowed_mentions": {"parse": [], "replied_user": True}}, "allows"),
        ({"content": "안녕", "allowed_mentions": NOBODY, "nonce": "1" * 26}, "nonce"),
        ({"content": "  ", "allowed_mentions": NOBODY}, "empty"),
        ({"allowed_mentions": NOBODY}, "empty"),
        ({"embeds": [{"title": "제" * 257}], "allowed_mentions": NOBODY}, "embeds"),
        ({"embeds": [{"description": "설" * 4000}] * 2, "allowed_mentions": NOBODY}, "together"),
    ],
)
async def test_what_must_not_be_sent_is_recorded_and_refused(house: House, fields: dict[str, Any], why: str) -> None:
    status, body = await house.post(**fields)
    assert (status, body["code"]) == (400, 50006 if why == "empty" else 50035)
    assert [why in violation.why for violation in house.server.violations] == [True]
    assert house.channel.messages == []


@pytest.mark.skipif(not SCHEMA.exists(), reason="Discord's description is not here")
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "messages", {"content": 5, "allowed_mentions": NOBODY}),
        (
            "POST",
            "messages",
            {"content": "ㅎ", "allowed_mentions": NOBODY, "components": [{"type": 1, "components": []}]},
        ),
        ("POST", "messages", {"content": "ㅎ", "allowed_mentions": NOBODY, "message_reference": {"channel_id": "1"}}),
        ("GET", "messages?limit=500", None),
        ("GET", "messages?sort=old", None),
    ],
)
async def test_what_discord_does_not_describe_is_recorded_and_refused(
    house: House, method: str, path: str, body: Any
) -> None:
    status, answered = await house.request(method, f"/channels/{house.channel.id}/{path}", body)
    assert (status, answered["code"], len(house.server.violations)) == (400, 50035, 1)


async def test_a_file_without_words_is_a_violation(house: House) -> None:
    async with house.bot() as bot:
        channel = bot.get_partial_messageable(house.channel.id)
        with pytest.raises(discord.HTTPException):
            await channel.send("짠", file=discord.File(io.BytesIO(PNG), "a.png"))
    assert "description" in house.server.violations[0].why


async def test_an_unknown_route_is_a_violation(house: House) -> None:
    status, _ = await house.request("DELETE", f"/guilds/{house.guild.id}")
    assert (status, house.server.violations[0].why) == (404, "unknown route")


@pytest.mark.parametrize("silently", [True, False])
@pytest.mark.parametrize(
    ("taken", "code"),
    [
        (Permission.SEND_MESSAGES, 50013),
        (Permission.ATTACH_FILES, 50013),
        (Permission.VIEW_CHANNEL, 50001),
    ],
)
async def test_a_missing_permission_is_refused_and_known_unless_taken_silently(
    house: House, taken: Permission, code: int, silently: bool
) -> None:
    async with house.bot() as bot:
        channel = bot.get_channel(house.channel.id)
        assert isinstance(channel, discord.TextChannel)
        update = asyncio.ensure_future(bot.wait_for("guild_channel_update"))
        await asyncio.wait([update], timeout=0)
        if silently:
            house.channel.refuse(taken)
            update.cancel()
        else:
            house.channel.deny(taken)
            await update
        missing = int(taken) & ~channel.permissions_for(channel.guild.me).value
        assert bool(missing) != silently
        with pytest.raises(discord.Forbidden) as refused:
            await channel.send("짠", file=discord.File(io.BytesIO(PNG), "a.png", description="얼굴"))
        assert refused.value.code == code
        house.channel.refuse(Permission.NONE)
        house.channel.grant(taken)
        await channel.send("이제 돼")


async def test_threads_have_a_permission_of_their_own_and_closed_direct_chats_refuse(house: House) -> None:
    thread = house.channel.thread("옆방")
    house.channel.deny(Permission.SEND_MESSAGES_IN_THREADS)
    house.person.dms_closed = True
    async with house.bot() as bot:
        await bot.get_partial_messageable(house.channel.id).send("여긴 돼")
        with pytest.raises(discord.Forbidden) as in_thread:
            await bot.get_partial_messageable(thread.id).send("여긴?")
        person = await bot.fetch_user(house.person.id)
        with pytest.raises(discord.Forbidden) as in_private:
            await person.send("쪽지")
        assert (in_thread.value.code, in_private.value.code) == (50013, 50007)


async def test_a_bulk_overwrite_keeps_ids_and_is_counted(house: House) -> None:
    bot = Echo()
    bot.tree.add_command(Memory(asyncio.Event()))
    async with house.bot(bot):
        first = await bot.tree.sync()
        second = await bot.tree.sync()
        assert [one.id for one in first] == [one.id for one in second]
        assert [one.name for one in await bot.tree.fetch_commands()] == ["memory"]
    assert house.server.commands.overwrites == 2
    assert [command["name"] for command in house.server.commands.last or []] == ["memory"]
    assert house.server.violations == []


async def test_only_a_heartbeat_that_is_late_is_called_late() -> None:
    async with DiscordServer(heartbeat_s=0.1, heartbeat_grace_s=0.1) as server:
        with aimed_at(server.api_url, server.gateway_url):
            house = House(server, *(guild := server.guild("집"), guild.channel("방")), server.user("지우"))
            async with house.bot() as bot:
                await server.until(lambda: len(server.gateway.heartbeats) >= 5)
                assert server.late_heartbeats() == []
                time.sleep(0.5)  # noqa: ASYNC251  the bot's loop stands still
                await server.until(server.late_heartbeats)
                assert server.late_heartbeats()[0].gap > 0.25
                assert not bot.is_closed()


async def test_an_outage_of_the_gateway_is_outlived(house: House) -> None:
    server = house.server
    async with house.bot():
        server.gateway.refusing = True
        server.gateway.drop()
        missed = await server.say(house.person, house.channel, "아직?")
        await server.until(lambda: server.gateway.refused)
        server.gateway.refusing = False
        assert await answer(server, missed) == "echo: 아직?"


LOGIN = """
import asyncio, discord
client = discord.Client(intents=discord.Intents.none())
async def main():
    async with client:
        await client.login("TOKEN")
        print(client.user.name)
asyncio.run(main())
"""


@asynccontextmanager
async def process(*arguments: str, **environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """`python -m` with these arguments, which is gone when the block ends."""
    command = [sys.executable, "-m", *arguments]
    started = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=PIPE, env={**os.environ, **environment})
    try:
        yield started
    finally:
        if started.returncode is None:
            started.terminate()
        await started.wait()


async def line_of(started: asyncio.subprocess.Process) -> str:
    assert started.stdout is not None
    return (await started.stdout.readline()).decode().strip()


async def test_it_runs_as_a_process_of_its_own(tmp_path: Path) -> None:
    async with process("tests.end_to_end.discord_server") as stand_in:
        address = json.loads(await line_of(stand_in))
        async with aiohttp.ClientSession(address["url"]) as session:
            with aimed_at(address["api"], address["gateway"]):
                await converse(session, address["token"])
        (tmp_path / "login.py").write_text(LOGIN.replace("TOKEN", address["token"]))
        aim = ("tests.end_to_end.discord_server.aim", address["url"], "login")
        async with process(*aim, PYTHONPATH=str(tmp_path)) as client:
            assert await line_of(client) == "오로라"
    assert stand_in.returncode == 0


async def converse(session: aiohttp.ClientSession, token: str) -> None:
    """Two messages and their replies, ordered and looked at through the control routes."""

    async def order(name: str, told: dict[str, Any]) -> Any:
        async with session.post(f"/control/{name}", json=told) as response:
            return await response.json()

    async def look(path: str) -> Any:
        async with session.get(f"/control/{path}") as response:
            return await response.json()

    (channel,) = (await order("guild", {"name": "집", "channels": ["방"]}))["channels"]
    (person,) = (await order("users", {"names": ["지우"]}))["users"]
    async with Echo() as bot:
        running = asyncio.create_task(bot.start(token))
        assert await order("wait", {"connected": True}) == {"reached": True}
        message = {"user": person, "channel": channel, "text": "하나"}
        said = (await order("say", {"messages": [message] * 2, "every_s": 0.01}))["messages"]
        assert await order("wait", {"replied": said, "messages": 2}) == {"reached": True}
        assert await order("wait", {"messages": 3, "timeout_s": 0.01}) == {"reached": False}
        await bot.close()
        await running
    lines = {line["id"]: line for line in await look(f"messages?channel={channel}")}
    assert [len(lines[one]["replies"]) for one in said] == [1, 1]
    assert all(0 < lines[one]["first_reply_ms"] < 5000 for one in said)
    report = await look("report")
    assert (report["violations"], report["late_heartbeats"], report["posted"]) == ([], [], 2)
    assert "no bot is connected" in (await order("gateway", {"command": "drop"}))["error"]


def test_without_the_description_only_ci_refuses_to_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "false")
    assert Schema(tmp_path / "missing.json").body("POST", "/users/@me/channels", {"recipient_id": []}) is None
    monkeypatch.setenv("CI", "true")
    with pytest.raises(FileNotFoundError):
        Schema(tmp_path / "missing.json")


def pings(server: DiscordServer, content: str, allowed: dict[str, Any] | None) -> set[str]:
    channel = server.guild("집").channel("방")
    return would_ping(Message(1, channel, server.bot, content, allowed_mentions=allowed))


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        (None, {"@everyone", "<@1>", "<@&2>"}),
        ({"parse": []}, set()),
        ({"parse": ["users"]}, {"<@1>"}),
        ({"parse": [], "roles": ["2"]}, {"<@&2>"}),
    ],
)
async def test_what_pings_is_what_is_allowed(allowed: dict[str, Any] | None, expected: set[str]) -> None:
    assert pings(DiscordServer(), "@everyone <@1> <@&2>", allowed) == expected
