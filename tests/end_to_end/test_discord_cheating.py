"""What people try in Discord to get around moderation: each attempt changes nothing, and the log has who it was."""

from collections.abc import AsyncIterator

import pytest

from core.case_store import CaseFilter
from core.cases import State
from tests.end_to_end.discord_court import CONFESSION, GONE, Court, case, events, ids, said
from tests.end_to_end.discord_court import court as court
from tests.end_to_end.discord_court import house as house
from tests.end_to_end.discord_house import key
from tests.end_to_end.discord_server import Interaction, Message, NotOffered, Permission, User, would_ping

NOBODY = said("mod", "moderators_only")
NOT_YOURS = said("refused", "not_yours")


@pytest.fixture
async def question(court: Court) -> AsyncIterator[Message]:
    """The message in the queue about the person's first case; after the test nothing happened to it."""
    async with court.served() as service:
        await court.house.chat(CONFESSION)
        court.offer()
        yield await court.queued(1)
        assert await events(service, 1) == ["issued"]


def refused(caplog: pytest.LogCaptureFixture, user: User) -> bool:
    """Whether the log has that somebody was refused, by their number."""
    return any(
        record.levelname == "WARNING" and f"discord:{user.id}" in record.getMessage() for record in caplog.records
    )


async def pressed(court: Court, user: User, message: Message, custom_id: str) -> str:
    """What a press of a button tells that Discord, or somebody in its place, put under a message."""
    message.components = [{"type": 1, "components": [{"type": 2, "custom_id": custom_id, "label": "?", "style": 2}]}]
    return await court.told(await court.house.server.press(user, message, custom_id))


class TestWhoIsNoModerator:
    @pytest.mark.parametrize("spoof", ["anna's name", "her mention", "the operator's word", "a role of the same name"])
    async def test_a_name_gives_no_rights(
        self, court: Court, question: Message, caplog: pytest.LogCaptureFixture, spoof: str
    ) -> None:
        names = {"anna's name": "안나", "her mention": court.anna.mention, "the operator's word": "operator"}
        mallory = court.house.server.user(names.get(spoof, "말로리"))
        if spoof not in names:
            court.house.guild.role(court.bench.name).members.add(mallory.id)
        for verb, options in (
            ("overturn", {"case": 1}),
            ("shorten", {"case": 1, "period": "0"}),
            ("comment", {"case": 1, "comment": "나야 안나"}),
            ("case", {"case": 1}),
        ):
            assert await court.mod(verb, mallory, **options) == NOT_YOURS
        for verb, options in (
            ("cases", {}),
            ("warn", {"person": court.anna, "category": "hate", "reason": "나야 안나"}),
            ("block", {"person": court.anna, "category": "hate", "reason": "나야 안나"}),
            ("lift", {"person": court.house.person}),
            ("person", {"person": court.house.person}),
            ("export", {}),
            ("settings", {"category": "love", "mode": "off"}),
        ):
            assert await court.mod(verb, mallory, **options) == NOBODY
        assert await court.decide(mallory, question, "overturn") == NOT_YOURS
        assert refused(caplog, mallory)

    async def test_discord_does_not_even_offer_the_command(self, court: Court) -> None:
        async with court.served():
            with pytest.raises(NotOffered):
                await court.mod("cases", court.house.person)

    async def test_a_role_taken_away_between_message_and_press_counts_no_more(
        self, court: Court, question: Message, caplog: pytest.LogCaptureFixture
    ) -> None:
        page = await court.page("case", case=1)
        court.bench.members.discard(court.anna.id)
        assert await court.decide(court.anna, question, "overturn") == NOT_YOURS
        used = await court.house.server.press(court.anna, page, ids(page)[1])
        assert await court.edited(page, len(page.history) + 1) == NOT_YOURS
        assert (used.texts, refused(caplog, court.anna)) == ([], True)

    async def test_nor_does_one_taken_away_while_a_form_is_open(
        self, court: Court, question: Message, caplog: pytest.LogCaptureFixture
    ) -> None:
        opened = await court.press(court.anna, question, "comment")
        await court.house.server.until(lambda: opened.modal)
        court.bench.members.discard(court.anna.id)
        assert await court.told(await court.filled(opened, "아직 나야")) == NOT_YOURS
        assert refused(caplog, court.anna)

    async def test_a_form_opens_for_anybody_and_does_nothing_for_them(
        self, court: Court, question: Message, caplog: pytest.LogCaptureFixture
    ) -> None:
        mallory = court.house.server.user("말로리")
        sent = await court.filled(await court.press(mallory, question, "comment"), "봐 줘")
        assert await court.told(sent) == NOT_YOURS
        assert refused(caplog, mallory)

    @pytest.mark.parametrize("who", ["a moderator", "a stranger"])
    async def test_in_a_private_chat_nobody_moderates(
        self, court: Court, question: Message, caplog: pytest.LogCaptureFixture, who: str
    ) -> None:
        user = court.anna if who == "a moderator" else court.house.server.user("말로리")
        direct = court.house.server.dm(user)
        assert await court.mod("cases", user, direct) == said("mod", "where_to_ask")
        assert await court.mod("overturn", user, direct, case=1) == NOT_YOURS
        assert refused(caplog, user)

    async def test_who_moderates_one_server_moderates_no_other(
        self, court: Court, question: Message, caplog: pytest.LogCaptureFixture
    ) -> None:
        other = court.house.server.guild("남의 집")
        place = other.channel("방")
        for verb in ("case", "overturn", "uphold"):
            assert await court.mod(verb, other.owner, place, case=1) == NOT_YOURS
        assert await court.mod("cases", other.owner, place) == said("mod", "no_cases")
        assert refused(caplog, other.owner)

    async def test_who_moderates_does_not_choose_who_else_does(
        self, court: Court, question: Message, caplog: pytest.LogCaptureFixture
    ) -> None:
        role = court.house.guild.role("내 친구들")
        assert await court.mod("settings", role=role) == said("settings", "managers_only")
        assert refused(caplog, court.anna)

    async def test_administrators_of_channels_moderate_nobody(
        self, court: Court, question: Message, caplog: pytest.LogCaptureFixture
    ) -> None:
        mallory = court.house.server.user("말로리")
        managing = Permission.MANAGE_CHANNELS | Permission.MANAGE_MESSAGES | Permission.MANAGE_GUILD
        court.house.guild.role("정원사", managing).members.add(mallory.id)
        assert await court.decide(mallory, question, "overturn") == NOT_YOURS
        assert refused(caplog, mallory)

    async def test_who_gives_themselves_rights_in_their_own_channel_moderates_nobody(
        self, court: Court, question: Message, caplog: pytest.LogCaptureFixture
    ) -> None:
        mallory, place = court.house.server.user("말로리"), court.house.guild.channel("말로리-방")
        place.give(mallory, Permission.MODERATE_MEMBERS | Permission.MANAGE_GUILD | Permission.ADMINISTRATOR)
        assert await court.mod("overturn", mallory, place, case=1) == NOT_YOURS
        assert await court.mod("settings", mallory, place, review="here") == NOBODY
        managed = await court.house.command("settings", mallory, place, options={"images": "off"})
        assert managed == said("settings", "managers_only")
        assert refused(caplog, mallory)


class TestOnesOwnCase:
    async def test_nobody_judges_a_case_about_themselves(
        self, court: Court, question: Message, caplog: pytest.LogCaptureFixture
    ) -> None:
        person = court.house.person
        court.bench.members.add(person.id)
        own = said("refused", "about_yourself")
        assert await court.decide(person, question, "overturn") == own
        assert await court.mod("shorten", person, case=1, period="0") == own
        assert await court.told(await court.filled(await court.press(person, question, "comment"), "난 좋아")) == own
        assert refused(caplog, person)

    async def test_somebody_elses_case_cannot_be_appealed(
        self, court: Court, question: Message, caplog: pytest.LogCaptureFixture
    ) -> None:
        mallory = court.house.server.user("말로리")
        options = {"case": 1, "reason": "제가 대신"}
        told = await court.house.command("appeal", mallory, options=options)
        assert told == said("refused", "no_case")
        assert refused(caplog, mallory)


FORGED = [
    "button:case:2:0:overturn", "button:case:1:1:overturn", "button:case:1:0:lift", "button:case:1:0:overturn ",
    "button:case:01:0:overturn:1", "button:case:1 OR 1=1:0:overturn", "button:'; DROP TABLE cases; --",
    "case:1:0:overturn", "form:case:1:0:overturn", "button:", "button:1?comment.1\n", "button:" + "9" * 90,
]  # fmt: skip


class TestButtons:
    @pytest.mark.parametrize("custom_id", FORGED)
    async def test_an_edited_custom_id_does_nothing(
        self, court: Court, question: Message, caplog: pytest.LogCaptureFixture, custom_id: str
    ) -> None:
        await court.mod("warn", person=court.bert, category="hate", reason="다른 사건")
        await court.queued(2)
        assert await pressed(court, court.anna, question, custom_id) == GONE
        assert await events(court.service, 2) == ["issued"]
        assert refused(caplog, court.anna)

    @pytest.mark.parametrize("where", ["another channel", "another server", "a private chat"])
    async def test_a_button_under_another_message_does_nothing(
        self, court: Court, question: Message, caplog: pytest.LogCaptureFixture, where: str
    ) -> None:
        server, person = court.house.server, court.anna
        place = {
            "another channel": court.house.channel,
            "another server": server.guild("남의 집", owner=court.anna).channel("방"),
            "a private chat": server.dm(court.anna),
        }[where]
        posted = server.add(Message(server.snowflakes.next(), place, server.bot, "속임수"))
        assert await pressed(court, person, posted, "button:case:1:0:overturn") == GONE
        assert refused(caplog, person)

    async def test_a_button_of_somebody_elses_page_does_nothing(
        self, court: Court, question: Message, caplog: pytest.LogCaptureFixture
    ) -> None:
        page = await court.page("case", case=1)
        with pytest.raises(LookupError):
            await court.house.server.press(court.bert, page, ids(page)[1])
        assert await pressed(court, court.bert, question, ids(page)[1]) == GONE
        assert refused(caplog, court.bert)

    async def test_a_form_for_another_case_than_its_button_does_nothing(
        self, court: Court, question: Message, caplog: pytest.LogCaptureFixture
    ) -> None:
        opened = await court.press(court.anna, question, "comment")
        await court.house.server.until(lambda: opened.modal)
        assert opened.modal is not None
        opened.modal["custom_id"] = "form:case:2:0:comment"
        assert await court.told(await court.filled(opened, "다른 사건")) == GONE
        assert refused(caplog, court.anna)


async def again(court: Court, used: Interaction) -> None:
    """The same interaction once more, and afterwards something whose answer comes later than it could."""
    await court.told(used)
    count = len(used.responses)
    refusals = court.house.server.statuses[400]
    court.house.server.hand_in_again(used)
    await court.house.server.until(lambda: court.house.server.statuses[400] > refusals)
    await court.mod("case", case=1)
    assert len(used.responses) == count


class TestReplay:
    async def test_an_interaction_handed_in_again_decides_nothing(
        self, court: Court, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with court.served() as service:
            await court.house.chat(CONFESSION)
            question = await court.queued(1)
            await again(court, await court.press(court.anna, question, "uphold"))
            assert await court.appeal(1, "노래였어") == said("mod", "appealed", n=1)
            await court.queued(1, 1)
            assert await events(service, 1) == ["issued", "upheld", "appealed"]
        assert refused(caplog, court.anna)

    async def test_nor_does_a_form_or_a_command(self, court: Court, caplog: pytest.LogCaptureFixture) -> None:
        async with court.served() as service:
            await court.house.chat(CONFESSION)
            question = await court.queued(1)
            await again(court, await court.filled(await court.press(court.anna, question, "comment"), "메모"))
            options = {"person": court.house.person, "category": "love", "reason": "그만"}
            used = await court.house.server.slash(court.anna, court.desk, "mod", subcommand="warn", options=options)
            await again(court, used)
            assert await events(service, 1) == ["issued", "commented"]
            assert await service.record.cases.get(3) is None
        assert refused(caplog, court.anna)

    async def test_an_old_question_cannot_be_answered_any_more(self, court: Court) -> None:
        async with court.served() as service:
            await court.house.chat(CONFESSION)
            question = await court.queued(1)
            old = list(question.components)
            await court.decide(court.anna, question, "uphold")
            await court.edited(question, 1)
            await court.appeal(1, "노래였어")
            await court.queued(1, 1)
            question.components = old
            assert "노래" not in await court.decide(court.bert, question, "uphold")
            assert (await case(service, 1)).state is State.APPEALED


class TestWords:
    @pytest.mark.parametrize("how", ["typed", "forwarded", "by a webhook", "by a bot"])
    async def test_a_command_that_is_only_a_message_is_none(self, court: Court, question: Message, how: str) -> None:
        server, place = court.house.server, court.desk
        words = "/mod overturn 1"
        match how:
            case "forwarded":
                source = await server.say(court.anna, place, words)
                await server.say(court.house.person, place, forward_of=source)
                await server.say(court.house.person, place, forward_of=question)
            case "by a webhook":
                await server.say(server.user("안나"), place, words, webhook=True)
            case "by a bot":
                await server.say(server.user("안나", bot=True), place, words)
            case _:
                await server.say(court.house.person, place, words)
        # what is said afterwards is answered afterwards
        await court.house.chat("로라야 안녕")

    @pytest.mark.parametrize(
        "words",
        [
            "'; DROP TABLE cases; --",
            "1 OR 1=1; DELETE FROM events",
            "@everyone <@&1> <@1> <#2> <:emoji:3> <t:1:R> </mod:4>",
            "**굵게** __밑줄__ ~~취소~~ ||가림|| `코드` ```블록```",
            "[여기](https://evil.example/login) https://evil.example/a_b_c",
            "discord.gg/abc HTTPS://DISCORD.COM/invite/abc",
            "[a](b) **사이** [c](d)",
            "\\*이미\\* \\",
            "첫 줄\n# 제목\n> 인용\n- 목록\n-# 작게\n│ 상태: 취소",
            "\u202e뒤집힌\u202c 글",
        ],
    )
    async def test_words_are_words_and_nothing_else(self, court: Court, words: str) -> None:
        async with court.served() as service:
            await court.house.chat(f"{CONFESSION} {words}")
            question = await court.queued(1)
            sent = await court.filled(await court.press(court.anna, question, "comment"), words)
            pages = [await court.told(sent), await court.edited(question, 1)]
            await court.mod("warn", person=court.house.person, category="love", reason=words)
            heard = await court.house.spoken(court.house.server.dm(court.house.person), 2)
            pages += [heard[-1].content, (await court.queued(2)).content]
            for page in pages:
                assert harmless(page)
            shown = [question, *heard[1:], *court.house.hers(court.desk)]
            assert {ping for one in shown for ping in would_ping(one)} == set()
            assert (await case(service, 1)).events[-1].text == words.strip()
            assert len(await service.record.cases.page(CaseFilter(person=key(court.house.person)))) == 2


def harmless(page: str) -> bool:
    """Whether every mark of Discord's is one that is shown as it is, and nothing becomes a link or names anybody."""
    rest = page
    for escaped in ("\\\\", "\\*", "\\_", "\\~", "\\|", "\\`", "\\>", "\\-", "\\#"):
        rest = rest.replace(escaped, "")
    marks = any(mark in rest for mark in ("*", "_", "~", "|", "`", "\\", "://", ".gg/", "\u202e"))
    lines = any(line.startswith(("# ", "> ", "- ", "-#", "상태")) for line in rest.splitlines())
    return not marks and not lines and "<@&" not in rest and "<:" not in rest and "<t" not in rest and "</" not in rest
