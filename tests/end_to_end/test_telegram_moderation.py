"""Moderators at work in Telegram: the queue with its buttons, private pages, forms and files; people who appeal."""

import asyncio
import json
from typing import Any

import pytest

from core import texts
from core.cases import Kind, State
from tests.end_to_end.telegram_house import Court, key
from tests.end_to_end.telegram_house import court as court
from tests.end_to_end.telegram_house import house as house
from tests.end_to_end.telegram_server import Member, Message, User
from tests.end_to_end.telegram_server.people import units

PRIVATELY = texts.text("ko", "platform", "answered_privately")
LINK = "https://t.me/ohlora_bot"


def labels(message: Message) -> list[str]:
    """The buttons under a message."""
    return [button["text"] for button in message.buttons]


def say(name: str, **values: object) -> str:
    """A sentence of the desk."""
    return texts.text("ko", "mod", name, **values)


def told(name: str, number: int) -> str:
    """What becomes of a case, for its person."""
    return texts.text("ko", "told", name, n=number)


# From a confession to its end


async def test_an_overturned_case_counts_no_more_so_the_next_confession_is_a_warning_again(court: Court) -> None:
    house = court.house
    async with court.served():
        await court.reviewing()
        await court.confess(2)
        warned, blocked = await house.spoken(house.private, 2)
        assert "사건 번호는 1번" in warned.words
        assert "1시간 동안" in blocked.words
        assert "사건 번호는 2번" in blocked.words
        await house.server.say(house.person, house.group, "/chat 안녕")
        assert "이유: 사랑 고백/만남" in (await house.spoken(house.private, 3))[-1].words
        for number, chat in ((1, house.private), (2, house.group)):  # commands are for blocked people, too
            answer = await court.shown(f"/appeal {number} 노래 가사였어\n정말이야", house.person, chat)
            assert answer.text == say("appealed", n=number)
        for number in (1, 2):
            question = await court.queued(number, 1)
            assert "│ 노래 가사였어 정말이야" in question.words
            assert "취소" in await court.press(question, court.verdict("overturn"), court.bert)
            await house.server.until(lambda shown=question: labels(shown) == ["메모", "자세히"])
            assert f"{court.bert.id} · 취소" in question.words
            await house.server.until(lambda n=number: told("overturned", n) in house.private.replies[-1].words)
        before = len(house.private.replies)
        await court.confess()
        again = (await house.spoken(house.private, before + 1))[-1]
        assert texts.text("ko", "notice", "warning", category="사랑 고백/만남") in again.words
        assert "사건 번호는 3번" in again.words


async def test_two_moderators_at_once_make_one_decision_and_the_second_hears_who_was_faster(court: Court) -> None:
    async with court.served() as service:
        await court.reviewing()
        await court.confess()
        question = await court.queued(1)
        said = await asyncio.gather(
            court.press(question, court.verdict("overturn"), court.anna),
            court.press(question, court.verdict("uphold"), court.bert),
        )
        late = [one for one in said if "먼저 판정했어" in one]
        case = await service.record.cases.get(1)
        assert case is not None
        assert case.decision is not None
        assert case.decision.by is not None
        assert len(late) == 1
        assert f"{case.decision.by.user_id} 님이" in late[0]
        assert [event.kind.value for event in case.events if event.by is not None] == [case.decision.kind.value]


# Commands


@pytest.mark.parametrize(
    "words",
    ["/mod case 1", "/mod 사건 1", "/mod@ohlora_bot CASE #1", "/mod\ncase 1"],
)
async def test_what_moderators_ask_in_the_group_is_answered_to_them_alone(court: Court, words: str) -> None:
    house = court.house
    async with court.served():
        await court.confess()
        asked = await house.server.say(court.bert, house.group, words)
        (page,) = await house.spoken(house.server.private(court.bert))
        assert (await house.reply(asked)).text == PRIVATELY
    for shown in ("사건 1", "│ 사랑해", str(house.person.id), f"곳: {house.group.id}", "판정 모델: fakes"):
        assert shown in page.words
    assert labels(page) == ["유지", "취소", "메모"]


async def test_answers_are_in_the_moderators_own_language(court: Court) -> None:
    house = court.house
    carol = house.server.user("Carol", language_code="en")
    house.group.members[carol.id] = Member(carol, "administrator")
    async with court.served():
        await court.confess()
        page = await court.shown("/mod 사건 1", carol)
        assert page.words.startswith("Case 1\n")
        assert labels(page) == ["Uphold", "Overturn", "Comment"]


async def test_whoever_never_started_her_gets_a_link_that_opens_the_cases_and_nothing_is_done(court: Court) -> None:
    house = court.house
    shy = house.server.user("수줍은 관리자")
    house.group.members[shy.id] = Member(shy, "administrator")
    async with court.served() as service:
        await court.confess()
        asked = await house.server.say(shy, house.group, "/mod overturn 1")
        link = f"{LINK}?start=mod{house.group.id}"
        assert (await house.reply(asked)).text == texts.text("ko", "platform", "start_first", link=link)
        case = await service.record.cases.get(1)
        assert case is not None
        assert case.state is State.OPEN
        private = house.server.private(shy)
        await house.server.say(shy, private, f"/start {link.partition('start=')[2]}")
        about, cases = await house.spoken(private, 2)
        assert about.text == texts.text("ko", "about", "text")
        assert cases.words.splitlines()[0] == say("cases_title")
        assert "#1" in cases.words


async def test_an_appeal_in_the_group_counts_also_when_she_cannot_answer(court: Court) -> None:
    house = court.house
    shy = house.server.user("수줍은 사람")
    async with court.served() as service:
        said = await house.server.say(shy, house.group, "/chat 사랑해")
        await house.reply(said, 2)
        appeal = await house.server.say(shy, house.group, "/appeal 1 아니야")
        link = f"{LINK}?start=standing"
        assert (await house.reply(appeal)).text == texts.text("ko", "platform", "start_first", link=link)
        case = await service.record.cases.get(1)
        assert case is not None
        assert case.state is State.APPEALED
        private = house.server.private(shy)
        await house.server.say(shy, private, "/start standing")
        assert "이의 접수" in (await house.spoken(private, 2))[-1].words


async def test_a_private_page_goes_on_about_its_group_and_is_changed_in_place(court: Court) -> None:
    house = court.house
    async with court.served():
        for _ in range(9):
            await court.shown(f"/mod warn {house.person.id} 혐오 도배")
        page = await court.shown("/mod 사건목록 혐오")
        assert labels(page) == ["9", "8", "7", "6", "5", "4", "3", "2", say("further")]
        assert await court.press(page, say("further")) == ""
        await house.server.until(lambda: labels(page) == ["1"])
        await court.press(page, "1")
        await house.server.until(lambda: page.words.startswith("사건 1\n"))
        await court.press(page, court.verdict("uphold"))
        await house.server.until(lambda: labels(page) == ["메모"])
        assert house.server.private(court.anna).replies[-1] is page


def mentioned(user: User, text: str) -> dict[str, Any]:
    """As Telegram writes a mention of somebody without a user name; `text` has "지우" in it."""
    start = units(text[: text.index("지우")])
    command = {"type": "bot_command", "offset": 0, "length": 4}
    return {"entities": [command, {"type": "text_mention", "offset": start, "length": 2, "user": user.json()}]}


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("/mod person {id}", "number"),
        ("/mod person <@{id}>", "number"),
        ("/mod person telegram:{id}", "number"),
        ("/mod 사람 😀지우", "mention"),
        ("/mod person", "reply"),
    ],
)
async def test_a_person_is_their_number_their_mention_or_whoever_is_replied_to(
    court: Court, text: str, how: str
) -> None:
    house, person = court.house, court.house.person
    async with court.served():
        text = text.format(id=person.id).replace("😀", "")
        if how == "mention":
            page = await court.shown(text, **mentioned(person, text))
        else:
            said = await house.server.say(person, house.group, "안녕 얘들아")
            page = await court.shown(text, reply_to=said if how == "reply" else None)
        assert page.words.splitlines()[0] == say("person_title", person=person.id)


async def test_replies_block_and_lift_and_the_person_hears_of_it(court: Court) -> None:
    house, person = court.house, court.house.person
    async with court.served() as service:
        said = await house.server.say(person, house.group, "광고 보고 가세요")
        assert "사건 1번을" in (await court.shown("/mod 차단 혐오 2h 도배", reply_to=said)).words
        (blocked,) = await house.spoken(house.private)
        assert "2시간 동안" in blocked.words
        assert "│ 도배" in blocked.words
        assert "사건: 1" in (await court.shown("/mod 해제 실수였어", court.bert, reply_to=said)).words
        assert "│ 실수였어" in (await house.spoken(house.private, 2))[-1].words
        case = await service.record.cases.get(1)
        assert case is not None
        assert (case.person, case.everywhere) == (key(person), False)


async def test_whoever_she_cannot_write_to_gets_a_hint_in_the_group(court: Court) -> None:
    house = court.house
    shy = house.server.user("수줍은 사람")
    async with court.served() as service:
        await court.shown(f"/mod warn {shy.id} 혐오 도배")
        hint = texts.text("ko", "told", "elsewhere", n=1)
        await house.server.until(lambda: hint in [one.text for one in house.group.replies])
        # that nobody was told is written a moment later
        while len(events := (await service.record.cases.of(key(shy)))[0].events) < 2:
            pass
        assert (events[-1].kind, events[-1].text) == (Kind.NOTICED, "refused")


@pytest.mark.parametrize("text", ["/mod warn @jiu 혐오 도배", "/mod 차단 @jiu 혐오 1h 도배", "/mod lift @jiu"])
async def test_an_at_name_is_nobody_also_in_a_reply_to_somebody(court: Court, text: str) -> None:
    house = court.house
    jiu = house.server.user("지우", username="jiu")
    async with court.served() as service:
        said = await house.server.say(jiu, house.group, "안녕 얘들아")
        for reply_to in (None, said):
            page = await court.shown(text, reply_to=reply_to)
            assert page.text == texts.text("ko", "platform", "name_is_nobody")
        assert await service.record.cases.of(key(jiu)) == []


@pytest.mark.parametrize("kind", ["anonymous", "channel", "forwarded", "bot", "topic", "number"])
async def test_a_reply_names_nobody_where_it_is_not_clear_whom(court: Court, kind: str) -> None:
    house, server = court.house, court.house.server
    async with court.served() as service:
        topic = None
        if kind == "topic":
            house.group.forum = True
            topic = house.group.topic("잡담", by=house.person)
            said = topic.service
        elif kind == "bot":
            said = await house.chat("/about")
        else:
            how: dict[str, Any] = {
                "anonymous": {"anonymous": True},
                "channel": {"as_channel": server.channel("소식")},
                "forwarded": {"forwarded": True},
            }.get(kind, {})
            said = await server.say(house.person, house.group, "안녕 얘들아", **how)
        text = "/mod warn 777 혐오 도배" if kind == "number" else "/mod warn 혐오 도배"
        page = await court.shown(text, reply_to=None if topic else said, topic=topic)
        assert await service.record.cases.of(key(house.person)) == []
        assert ("사건 1번을" in page.words) == (kind == "number")


# Words for a button


async def test_words_are_asked_for_with_a_reply_and_the_block_becomes_shorter(court: Court) -> None:
    house = court.house
    async with court.served():
        await court.reviewing()
        await court.confess(2)
        queued = await court.queued(2)
        assert await court.press(queued, court.verdict("shorten"), court.bert) == PRIVATELY
        private = house.server.private(court.bert)
        (question,) = await house.spoken(private)
        assert question.reply_markup is not None
        assert question.reply_markup["force_reply"] is True
        assert "/mod shorten 2 1h" in question.words
        done = await court.shown("30m\n너무 길었어", court.bert, private, reply_to=question)
        assert "단축" in done.words
        await house.server.until(lambda: "단축 (30분)" in queued.words)
        assert "│ 너무 길었어" in queued.words
        assert labels(queued) == ["메모", "자세히"]
        await house.server.until(lambda: "30분(으)로 줄었어" in house.private.replies[-1].words)


async def test_a_comment_is_written_from_a_private_page_too_whatever_its_words_are(court: Court) -> None:
    house = court.house
    async with court.served() as service:
        await court.confess()
        page = await court.shown("/mod case 1")
        private = house.server.private(court.anna)
        assert await court.press(page, court.verdict("comment")) == ""
        question = (await house.spoken(private, 2))[-1]
        for words in ("1h 는 노래 제목", "'; DROP TABLE cases; --"):
            await court.shown(words, chat=private, reply_to=question)
        case = await service.record.cases.get(1)
        assert case is not None
        said = [event.text for event in case.events if event.kind is Kind.COMMENTED]
        assert said == ["1h 는 노래 제목", "'; DROP TABLE cases; --"]


async def test_after_a_restart_a_question_is_only_a_message_and_the_command_it_names_works(court: Court) -> None:
    house = court.house
    async with court.served():
        await court.confess()
        page = await court.shown("/mod case 1")
        await court.press(page, court.verdict("comment"))
        private = house.server.private(court.anna)
        question = (await house.spoken(private, 2))[-1]
    async with court.served() as service:
        await court.shown("아무 말", chat=private, reply_to=question)
        await court.shown("/mod comment 1 아는 노래야", chat=private, reply_to=question)
        case = await service.record.cases.get(1)
        assert case is not None
        assert [event.text for event in case.events if event.kind is Kind.COMMENTED] == ["아는 노래야"]


async def test_whoever_cannot_be_asked_for_words_is_told_at_the_button(court: Court) -> None:
    house = court.house
    async with court.served():
        await court.reviewing()
        await court.confess()
        await house.server.block(court.bert)
        hint = texts.text("ko", "platform", "start_first", link=LINK)
        for name in ("comment", "case"):
            assert await court.press(await court.queued(1), court.verdict(name), court.bert) == hint


# Files


async def test_cases_are_exported_as_files_and_figures_come_with_a_picture(court: Court) -> None:
    house = court.house
    async with court.served():
        await court.confess()
        private = house.server.private(court.anna)
        await court.shown("/mod export")
        table, lines = await house.spoken(private, 2)
        assert table.document is not None
        assert lines.document is not None
        assert table.caption == say("exported", n=1)
        assert (table.document.name, lines.document.name) == ("aurora-cases.csv", "aurora-cases.jsonl")
        row = json.loads(lines.document.content)
        assert (row["number"], row["person"], row["prompt"]) == (1, str(house.person.id), "사랑해")
        stats = await court.shown("/mod 통계")
        assert stats.photo is not None
        assert "사랑 고백/만남: 1건" in stats.words
        house.server.refuse_photos = True
        assert (await court.shown("/mod stats")).document is not None


# The queue and what can happen to it


async def test_details_of_a_queue_message_go_to_whoever_pressed(court: Court) -> None:
    house = court.house
    async with court.served():
        await court.reviewing()
        await court.confess()
        queued = await court.queued(1)
        assert await court.press(queued, court.verdict("case"), court.bert) == PRIVATELY
        (page,) = await house.spoken(house.server.private(court.bert))
        assert page.words.startswith("사건 1\n")
        await court.press(page, court.verdict("overturn"), court.bert)
        await house.server.until(lambda: "취소" in queued.words and labels(queued) == ["메모", "자세히"])


async def test_a_queue_in_a_topic_stays_in_its_topic(court: Court) -> None:
    house = court.house
    court.desk.forum = True
    topic = court.desk.topic("사건", by=court.anna)
    async with court.served():
        await court.shown(f"/mod settings in={house.group.id} review=here", chat=court.desk, topic=topic)
        await court.confess()
        queued = await court.queued(1)
        assert queued.topic is topic
        assert "취소" in await court.press(queued, court.verdict("overturn"))


async def test_people_s_words_are_words_in_the_queue_and_nobody_sees_previews(court: Court) -> None:
    house = court.house
    text = "<b>사랑해</b> *너* https://example.com <@1> @ohlora_bot"
    async with court.served():
        await court.reviewing()
        await house.chat(f"/chat {text}")
        queued = await court.queued(1)
        assert "*너* https://example.com <\u200b@1>" in queued.words
    (call,) = [one for one in house.server.calls if one.arguments.get("text") == queued.words]
    assert call.arguments["link_preview_options"] == {"is_disabled": True}
    assert "parse_mode" not in call.arguments


async def test_groups_that_become_supergroups_keep_their_cases_and_their_queue(court: Court) -> None:
    house, server = court.house, court.house.server
    async with court.served():
        await court.reviewing()
        await court.confess()
        await court.queued(1)
        court.desk = await server.upgrade(court.desk, court.anna)
        house.group = await server.upgrade(house.group, court.anna)
        await house.settled()
        await court.confess()
        queued = await court.queued(2)
        assert "취소" in await court.press(queued, court.verdict("overturn"), court.bert)
        page = await court.shown("/mod case 1")
        assert f"곳: {house.group.id}" in page.words


@pytest.mark.parametrize("what", ["kicked", "gone", "upgraded"])
async def test_a_queue_that_cannot_be_written_to_stops_nobody(
    court: Court, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    house = court.house
    async with court.served() as service:
        await court.reviewing()
        await court.confess()
        queued = await court.queued(1)
        if what == "kicked":
            await house.server.move_bot(court.desk, "kicked", court.anna)
        elif what == "gone":
            await house.server.delete(queued)
        else:
            court.desk.migrated_to = house.server.group("새 중재자 방", admins=[court.anna]).id
        await court.shown("/mod overturn 1")
        await court.confess()
        case = await service.record.cases.get(2)
        assert case is not None
        if what == "gone":
            assert court.verdict("uphold") in labels(await court.queued(2))
        else:
            await court.shown("/mod uphold 2")
            assert court.desk.replies[-1] is queued
    assert "does not take case 1" in caplog.text
