"""Moderators work on cases from inside Discord, and people appeal: commands, buttons, forms, the review queue."""

import json
from datetime import timedelta

import pytest

from core import texts
from tests.end_to_end.discord_court import (
    CONFESSION,
    DECLINES,
    Court,
    case,
    events,
    ids,
    said,
    verbs,
)
from tests.end_to_end.discord_court import court as court
from tests.end_to_end.discord_court import house as house
from tests.end_to_end.discord_house import key
from tests.end_to_end.discord_server import Permission, would_ping


def notice(kind: str, number: int, **values: object) -> str:
    """A sanction's notice for love as it is shown."""
    told = said("notice", kind, category=texts.categories("ko", ["love"]), **values)
    return f"※ {told} {said('case', 'numbers', numbers=number)}"


async def test_a_case_overturned_by_a_button_counts_no_more_so_the_next_confession_is_a_warning_again(
    court: Court,
) -> None:
    house, direct = court.house, court.house.server.dm(court.house.person)
    async with court.served() as service:
        await house.chat(CONFESSION)
        await house.chat(CONFESSION)
        warned, blocked = await house.spoken(direct, 2)
        assert warned.content == notice("warning", 1, period="")
        assert blocked.content == notice("block", 2, period=texts.period("ko", timedelta(hours=1)))
        silent = await house.server.say(house.person, house.channel, "로라야 왜?")
        await house.spoken(direct, 3)
        # blocked people appeal, in private as well as in the server
        assert await court.appeal(2, "노래 가사였어", direct) == said("mod", "appealed", n=2)
        assert await court.appeal(1, "이것도 노래였어") == said("mod", "appealed", n=1)
        for number, who in ((1, court.anna), (2, court.bert)):
            question = await court.queued(number, 1)
            assert would_ping(question) == set()
            assert verbs(question)[:2] == ["uphold", "overturn"]
            told = await court.decide(who, question, "overturn")
            assert said("event", "overturned") in await court.edited(question, 1)
            assert verbs(question) == ["comment", "case"]
            assert said("mod", "case_title", n=number) in told
        assert {one.content for one in (await house.spoken(direct, 5))[3:]} == {
            said("told", "overturned", n=1), said("told", "overturned", n=2)
        }  # fmt: skip
        reply = await house.chat(CONFESSION)
        assert (reply.content, silent.replies) == (DECLINES, [])
        assert (await house.spoken(direct, 6))[-1].content == notice("warning", 3, period="")
        assert await events(service, 2) == ["issued", "appealed", "overturned"]


@pytest.mark.parametrize(("language", "locale"), [("ko", "ko"), ("en", "en-US")])
async def test_every_question_of_a_moderator_is_answered_to_them_alone(
    court: Court, language: str, locale: str
) -> None:
    def word(section: str, name: str, **values: object) -> str:
        return texts.text(language, section, name, **values)

    person = court.house.person
    async with court.served():
        await court.house.chat(CONFESSION)
        listed = await court.page("cases", locale=locale, state="open", person=person, category="love", since="1d")
        assert word("mod", "cases_title") in listed.content
        assert f"#1 · {texts.categories(language, ['love'])}" in listed.content
        page = await court.page("case", locale=locale, case=1)
        assert f"│ {CONFESSION}" in page.content
        assert f"│ {DECLINES}" in page.content
        assert [one["label"] for one in page.components[0]["components"]] == [
            word("mod", f"do_{verb}") for verb in ("uphold", "overturn", "comment")
        ]
        standing = await court.mod("person", locale=locale, person=person)
        assert word("mod", "person_title", person=person.mention) in standing
        assert word("mod", "not_blocked") in standing
        settings = await court.mod("settings", locale=locale)
        assert word("mod", "settings_review", chat=f"<#{court.desk.id}>") in settings
        figures = await court.page("stats", locale=locale)
        assert [(file.filename, file.content_type) for file in figures.attachments] == [
            ("aurora-cases.png", "image/png")
        ]
        export = await court.page("export", locale=locale)
        assert [file.filename for file in export.attachments] == ["aurora-cases.csv", "aurora-cases.jsonl"]
        assert export.attachments[1].data is not None
        assert json.loads(export.attachments[1].data)["prompt"] == CONFESSION


async def test_a_list_has_pages_and_a_button_for_each_case(court: Court) -> None:
    async with court.served():
        for _ in range(9):
            await court.mod("warn", person=court.house.person, category="love", reason="연습")
        page = await court.page("cases")
        numbers = [one["label"] for row in page.components for one in row["components"]]
        assert numbers == [*map(str, range(9, 1, -1)), said("mod", "further")]
        await court.house.server.press(court.anna, page, ids(page)[-1])
        assert "#1 ·" in await court.edited(page, len(page.history) + 1)
        await court.house.server.press(court.anna, page, ids(page)[0])
        assert (await court.edited(page, len(page.history) + 1)).startswith(said("mod", "case_title", n=1))


async def test_a_person_is_warned_blocked_and_let_go_by_hand_and_hears_of_each(court: Court) -> None:
    house, direct = court.house, court.house.server.dm(court.house.person)
    category = texts.categories("ko", ["hate"])
    async with court.served() as service:
        told = await court.mod("warn", person=house.person, category="hate", reason="첫 번째")
        assert told.startswith(said("mod", "issued", n=1))
        await court.mod("block", person=house.person, category="hate", period="3h", reason="두 번째")
        silent = await house.server.say(house.person, house.channel, "로라야 안녕")
        await house.spoken(direct, 3)
        assert said("mod", "lifted", numbers=2) in await court.mod("lift", person=house.person, reason="됐어")
        assert (await house.chat("로라야 안녕")).content == DECLINES
        heard = [one.content for one in await house.spoken(direct, 4) if not one.content.startswith("※")]
        assert heard[0].startswith(said("told", "warned", n=1, category=category))
        assert "첫 번째" in heard[0]
        assert heard[1].startswith(said("told", "blocked", n=2, category=category, period="3시간", until="")[:20])
        assert heard[2].startswith(said("told", "lifted", n=2))
        assert silent.replies == []
        assert (await case(service, 2)).person == key(house.person)


async def test_who_takes_no_private_messages_reads_where_it_happened_that_there_is_news(court: Court) -> None:
    court.house.person.dms_closed = True
    async with court.served():
        await court.mod("warn", None, court.house.channel, person=court.house.person, category="love", reason="그만")
        [hint] = await court.house.spoken(court.house.channel)
        assert hint.content == said("told", "elsewhere", n=1)


async def test_forms_ask_for_words_in_the_queue_and_on_a_page(court: Court) -> None:
    house = court.house
    async with court.served() as service:
        await house.chat("로라야 꺼져")
        question = await court.queued(1)
        comment = await court.press(court.anna, question, "comment")
        sent = await court.filled(comment, "노래 가사 같은데?")
        assert comment.modal is not None
        assert comment.modal["title"] == said("form", "comment_title", n=1)
        assert said("mod", "case_title", n=1) in await court.told(sent)
        assert "노래 가사 같은데?" in await court.edited(question, 1)
        page = await court.page("case", court.bert, case=1)
        [shorten] = [one for one in ids(page) if "?shorten." in one]
        used = await house.server.press(court.bert, page, shorten)
        times = len(page.history)
        await court.filled(used, "30m", "너무 길어")
        assert said("event", "shortened") in await court.edited(page, times + 1)
        assert (await case(service, 1)).period == timedelta(minutes=30)
        assert await events(service, 1) == ["issued", "commented", "shortened"]


async def test_buttons_and_forms_of_before_a_restart_work(court: Court) -> None:
    async with court.served():
        await court.house.chat("로라야 꺼져")
        question = await court.queued(1)
        opened = await court.press(court.anna, question, "shorten")
        await court.house.server.until(lambda: opened.modal)
    async with court.served() as service:
        assert said("event", "shortened") in await court.told(await court.filled(opened, "1h", ""))
        assert (await court.decide(court.bert, question, "case")).startswith(said("mod", "case_title", n=1))
        assert (await case(service, 1)).period == timedelta(hours=1)


async def test_what_is_too_long_for_a_message_goes_on_in_the_next_with_the_buttons_below(court: Court) -> None:
    async with court.served() as service:
        await court.house.chat(CONFESSION)
        question = await court.queued(1)
        for _ in range(6):
            await court.mod("comment", case=1, comment="_" * 900)
        assert "\\_" * 50 in await court.edited(question, 1)
        options = {"case": 1}
        used = await court.house.server.slash(court.anna, court.desk, "mod", subcommand="case", options=options)
        await court.house.server.until(lambda: any(one.components for one in used.responses))
        *first, last = used.responses
        assert first
        assert [one.components for one in first] == [[]] * len(first)
        assert all(one.ephemeral for one in used.responses)
        await court.house.server.press(court.anna, last, ids(last)[0])
        assert (await court.edited(last, len(last.history) + 1)).startswith(said("mod", "case_title", n=1))
        assert await events(service, 1) == ["issued", *["commented"] * 6, "upheld"]


async def test_two_moderators_at_once_make_one_decision_and_the_second_hears_who_was_faster(court: Court) -> None:
    async with court.served() as service:
        await court.house.chat(CONFESSION)
        question = await court.queued(1)
        both, decisions = (court.anna, court.bert), ("uphold", "overturn")
        used = [await court.press(who, question, verb) for who in both for verb in decisions]
        heard = [await court.told(one) for one in used]
        slower = [one for one in heard if said("mod", "case_title", n=1) not in one]
        assert len(slower) == 3
        assert len(await events(service, 1)) == 2
        decision = (await case(service, 1)).decision
        assert decision is not None
        assert decision.by is not None
        assert all(one.startswith(f"<@{decision.by.user_id}>") for one in slower)


async def test_fifty_moderators_pressing_on_ten_cases_at_once_make_ten_decisions(court: Court) -> None:
    server = court.house.server
    async with court.served() as service:
        for _ in range(10):
            await court.mod("warn", person=court.house.person, category="love", reason="연습")
        questions = [await court.queued(number) for number in range(1, 11)]
        bench = [server.user(f"지킴이 {number}") for number in range(50)]
        court.bench.members |= {one.id for one in bench}
        used = [
            await court.press(who, questions[number % 10], "uphold" if number % 3 else "overturn")
            for number, who in enumerate(bench)
        ]
        heard = [await court.told(one) for one in used]
        decided = [await events(service, number) for number in range(1, 11)]
        assert {tuple(happened[:-1]) for happened in decided} == {("issued",)}
        assert {happened[-1] for happened in decided} <= {"upheld", "overturned"}
        faster = said("refused", "decided", who="", at="", what="").split(":")[0].strip()
        assert sum(faster in one for one in heard) == 40


@pytest.mark.parametrize("how", ["refused silently", "denied", "deleted"])
async def test_a_review_channel_that_takes_nothing_is_logged_and_breaks_nothing(
    court: Court, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with court.served():
        await court.house.chat(CONFESSION)
        await court.queued(1)
        match how:
            case "refused silently":
                court.desk.refuse(Permission.SEND_MESSAGES)
            case "denied":
                court.desk.deny(Permission.SEND_MESSAGES)
            case _:
                court.desk.close()
        await court.house.chat(CONFESSION)
        assert await court.mod("uphold", None, court.house.channel, case=1)
        told = await court.mod("overturn", None, court.house.channel, case=2)
        assert said("event", "overturned") in told
        court.clock.move(timedelta(hours=2))
        assert (await court.house.chat("로라야 안녕")).content == DECLINES
    assert f"chat {court.desk.id} does not take case 2" in caplog.text


async def test_a_role_chosen_for_it_moderates_until_it_is_taken_away(court: Court) -> None:
    house = court.house
    role, carla = house.guild.role("도우미"), house.server.user("카를라")
    async with court.served():
        # the server's own settings offer the command to that role
        court.offer()
        assert await court.mod("stats", carla) == said("mod", "moderators_only")
        await court.mod("settings", house.guild.owner, role=role)
        role.members.add(carla.id)
        assert await court.mod("stats", carla) == said("mod", "stats_none")
        role.members.clear()
        assert await court.mod("stats", carla) == said("mod", "moderators_only")


async def test_operators_work_from_their_private_chat_and_have_a_channel_of_their_own(court: Court) -> None:
    house = court.house
    olga, hq = house.server.user("올가"), house.server.guild("본부").channel("사건")
    moderation = {"operators": [f"discord:{olga.id}"], "review_chats": [f"discord:{hq.id}"]}
    async with court.served(moderation=moderation) as service:
        await house.chat(CONFESSION)
        await court.queued(1, channel=hq)
        question = await court.queued(1)
        page = await court.page("case", olga, house.server.dm(olga), case=1)
        [overturn] = [one for one in ids(page) if one == ids(page)[1]]
        await house.server.press(olga, page, overturn)
        assert said("event", "overturned") in await court.edited(question, 1)
        assert (await case(service, 1)).decision is not None
