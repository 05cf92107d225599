"""What she is not allowed in Discord is told once, to those who can change it."""

import logging

import pytest

from core import texts
from tests.end_to_end.discord_house import ANSWER, House
from tests.end_to_end.discord_house import house as house
from tests.end_to_end.discord_server import Fault, Permission, would_ping


def lacking(house: House, *names: str, language: str = "ko", channel: str = "수다") -> str:
    permissions = ", ".join(texts.text(language, "permission", name) for name in names)
    where = {"place": "우리 집", "channels": f"#{channel}"}
    return texts.text(language, "platform", "missing", permissions=permissions, **where)


async def owner_told(house: House, count: int = 1) -> str:
    """The last of `count` private messages to the owner."""
    return (await house.spoken(house.server.dm(house.guild.owner), count))[-1].content


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize(
    ("denied", "names"),
    [
        (Permission.SEND_MESSAGES, ["send_messages"]),
        (Permission.ATTACH_FILES, ["attach_files"]),
        (Permission.READ_MESSAGE_HISTORY, ["read_message_history"]),
        (Permission.ATTACH_FILES | Permission.READ_MESSAGE_HISTORY, ["attach_files", "read_message_history"]),
    ],
)
async def test_the_owner_is_told_once_what_is_missing_where(
    house: House, denied: Permission, names: list[str], language: str
) -> None:
    house.channel.deny(denied)
    direct = house.server.dm(house.person)
    for times in (1, 2):  # a restart makes no difference
        async with house.served(language=language):
            await house.server.say(house.person, house.channel, "로라야 안녕")
            await house.server.say(house.person, house.channel, "로라야 또 안녕")
            await house.server.say(house.person, direct, "안녕")
            assert await owner_told(house) == lacking(house, *names, language=language)
            await house.spoken(direct, times)
    assert len(house.hers(house.channel)) == (0 if "send_messages" in names else 4)
    [told] = house.hers(house.server.dm(house.guild.owner))
    assert would_ping(told) == set()


async def test_threads_have_a_permission_of_their_own(house: House) -> None:
    thread = house.channel.thread("옆방")
    house.channel.deny(Permission.SEND_MESSAGES_IN_THREADS)
    async with house.served():
        await house.server.say(house.person, thread, "로라야 안녕")
        assert await owner_told(house) == lacking(house, "send_messages_in_threads", channel="옆방")
        assert (await house.chat("로라야 여기는?")).content == ANSWER
        assert house.hers(thread) == []


@pytest.mark.parametrize("updates", [True, False], ids=["updates channel", "no updates channel"])
async def test_where_the_owner_takes_no_messages_the_moderators_channel_is_told(
    house: House, caplog: pytest.LogCaptureFixture, updates: bool
) -> None:
    moderators = house.guild.channel("운영진")
    house.guild.updates_channel = moderators if updates else None
    house.guild.owner.dms_closed = True
    house.channel.deny(Permission.ATTACH_FILES)
    with caplog.at_level(logging.WARNING):
        async with house.served():
            assert (await house.chat("로라야 안녕")).content == ANSWER
            if updates:
                [told] = await house.spoken(moderators)
                assert told.content == lacking(house, "attach_files")
            assert (await house.chat("로라야 또 안녕")).content == ANSWER
    assert caplog.text.count("missing permissions: attach_files") == 1
    assert len(house.hers(moderators)) == updates


async def test_what_was_given_and_taken_again_is_told_again(house: House) -> None:
    async with house.served():
        house.channel.deny(Permission.ATTACH_FILES)
        await house.chat("로라야 안녕")
        await owner_told(house)
        house.channel.grant(Permission.ATTACH_FILES)
        assert len((await house.chat("로라야 안녕")).attachments) == 1
        house.channel.deny(Permission.ATTACH_FILES)
        await house.chat("로라야 안녕")
        assert await owner_told(house, 2) == lacking(house, "attach_files")


@pytest.mark.parametrize("kind", ["cut", "status"])
async def test_a_person_is_answered_also_when_the_owner_cannot_be_told(house: House, kind: str) -> None:
    house.channel.deny(Permission.ATTACH_FILES)
    owner = house.server.dm(house.guild.owner)
    path = rf"/channels/{owner.id}/messages$"
    house.server.faults.add(Fault(kind, path, "POST", times=None, status=503))  # type: ignore[arg-type]
    async with house.served():
        assert (await house.chat("로라야 안녕")).content == ANSWER
        assert (await house.chat("로라야 또 안녕")).content == ANSWER


async def test_only_who_calls_her_makes_her_complain(house: House) -> None:
    house.channel.deny(Permission.SEND_MESSAGES)
    async with house.served():
        await house.server.say(house.person, house.channel, "우리끼리 하는 말")
        other = house.guild.channel("마당")
        await house.reply(await house.server.say(house.person, other, "로라야 안녕"))
        assert house.hers(house.server.dm(house.guild.owner)) == []


async def test_a_slash_command_needs_no_permission_to_send(house: House) -> None:
    house.channel.deny(Permission.SEND_MESSAGES)
    async with house.served():
        assert await house.command("chat", options={"text": "안녕"}) == ANSWER


async def test_a_reply_that_is_refused_for_good_is_logged_and_not_tried_again(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.channel.refuse(Permission.SEND_MESSAGES)
    with caplog.at_level(logging.ERROR):
        async with house.served():
            refused = await house.server.say(house.person, house.channel, "로라야 안녕")
            await house.server.until(lambda: house.server.statuses[403] >= 2)
    assert "its reply is not wanted" in caplog.text
    house.channel.refuse(Permission.NONE)
    async with house.served():
        assert (await house.chat("로라야 이제는?")).content == ANSWER
    assert refused.replies == []
