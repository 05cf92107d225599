"""Attempts to get round the rules of moderation in Telegram: all are refused, and the log says who tried."""

import asyncio
from typing import Any

import pytest

from core import texts
from core.cases import Case, Kind, State
from tests.end_to_end.serving import Serving
from tests.end_to_end.telegram_house import Court, key
from tests.end_to_end.telegram_house import court as court
from tests.end_to_end.telegram_house import house as house
from tests.end_to_end.telegram_server import Member, Message, User
from tests.end_to_end.telegram_server.people import RIGHTS

GONE = texts.text("ko", "button", "gone")
NOT_YOURS = texts.text("ko", "refused", "not_yours")
NO_MODERATOR = texts.text("ko", "mod", "moderators_only")
INJECTION = "'); DROP TABLE cases;-- @ohlora_bot <b>x</b> [오로라](tg://user?id=1) *_`|| <@1> <#1> 사건 9번은 취소됐어"


async def case(service: Serving, number: int = 1) -> Case:
    """As it is in the record."""
    found = await service.record.cases.get(number)
    assert found is not None
    return found


async def untouched(service: Serving, number: int = 1) -> bool:
    """Whether no person had a hand in a case."""
    return all(event.by is None for event in (await case(service, number)).events)


def stranger(court: Court, **how: Any) -> User:
    """Somebody in the group who has no rights there and has started her."""
    user = court.house.server.user("구경꾼", **how)
    court.house.server.private(user)
    return user


def refused(caplog: pytest.LogCaptureFixture, user: User) -> bool:
    """Whether the log says that their attempt was refused, by their number."""
    lines = [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]
    return any("refused" in line and str(user.id) in line for line in lines)


# Who they say they are


@pytest.mark.parametrize(
    "words", ["/mod overturn 1", "/mod case 1", "/mod comment 1 나야", "/mod warn {id} 혐오 그냥", "/mod lift {id}",
              "/mod cases", "/mod export", "/mod stats", "/mod person {id}", "/mod settings category=love mode=off"],
)  # fmt: skip
async def test_a_name_gives_no_rights(court: Court, words: str, caplog: pytest.LogCaptureFixture) -> None:
    house = court.house
    spoof = stranger(court)
    object.__setattr__(spoof, "first_name", court.anna.first_name)
    object.__setattr__(spoof, "username", "anna")
    async with court.served() as service:
        await court.confess()
        answer = await court.shown(words.format(id=house.person.id), spoof)
        assert answer.text in (NOT_YOURS, NO_MODERATOR)
        assert await untouched(service)
        assert len(await service.record.cases.of(key(house.person))) == 1
    assert refused(caplog, spoof)


@pytest.mark.parametrize(
    "how",
    [{"anonymous": True}, {"forwarded": True}, {"as_channel": "channel"}, {"extra": "via_bot"}],
    ids=["anonymous admin", "forwarded", "channel", "another bot"],
)
@pytest.mark.parametrize("words", ["/mod overturn 1", "/appeal 1 아니야"])
async def test_what_is_of_nobody_in_particular_does_nothing(
    court: Court, words: str, how: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    house, server = court.house, court.house.server
    if "as_channel" in how:
        how = {"as_channel": server.channel("소식")}
    if "extra" in how:
        how = {"extra": {"via_bot": server.user("다른 봇", is_bot=True).json()}}
    user = court.anna if words.startswith("/mod") else house.person
    async with court.served() as service:
        await court.confess()
        before = server.counts["sent"]
        said = await server.say(user, house.group, words, **how)
        await house.settled()
        assert await untouched(service)
        assert server.counts["sent"] == before
    (line,) = [one.getMessage() for one in caplog.records if "of nobody in particular" in one.getMessage()]
    assert f"message {said.id}" in line
    assert words.split()[0] in line


async def test_a_message_changed_into_a_command_is_none(court: Court) -> None:
    house = court.house
    async with court.served() as service:
        await court.confess()
        said = await house.server.say(court.anna, house.group, "/about")
        await house.reply(said)
        await house.server.edit(said, "/mod overturn 1")
        await house.settled()
        assert await untouched(service)


# Rights at that moment


@pytest.mark.parametrize("member", ["removed", "restrained", "left"])
async def test_rights_are_asked_for_at_the_press_and_not_before(
    court: Court, member: str, caplog: pytest.LogCaptureFixture
) -> None:
    house = court.house
    async with court.served() as service:
        await court.reviewing()
        await court.confess()
        page = await court.shown("/mod case 1", court.bert)
        place = house.group.members[court.bert.id]
        if member == "restrained":
            place.rights = frozenset(RIGHTS) - {"can_restrict_members"}
        else:
            place.status = "member" if member == "removed" else "left"
        queued = await court.queued(1)
        assert await court.press(queued, court.verdict("overturn"), court.bert) == NOT_YOURS
        await court.press(page, court.verdict("overturn"), court.bert)
        await house.server.until(lambda: page.words == NOT_YOURS)
        assert (await court.shown("/mod cases", court.bert)).text == NO_MODERATOR
        assert await untouched(service)
    assert refused(caplog, court.bert)


async def test_rights_are_asked_for_again_when_the_words_of_a_form_come(
    court: Court, caplog: pytest.LogCaptureFixture
) -> None:
    house = court.house
    async with court.served() as service:
        await court.reviewing()
        await court.confess()
        await court.press(await court.queued(1), court.verdict("comment"), court.bert)
        private = house.server.private(court.bert)
        (question,) = await house.spoken(private)
        del house.group.members[court.bert.id]
        assert (await court.shown("메모야", court.bert, private, reply_to=question)).text == NOT_YOURS
        assert await untouched(service)
    assert refused(caplog, court.bert)


@pytest.mark.parametrize("how", [{"status": 400}, {"status": 403}])
async def test_where_telegram_cannot_say_nobody_may(
    court: Court, how: dict[str, int], caplog: pytest.LogCaptureFixture
) -> None:
    house = court.house
    async with court.served() as service:
        await court.reviewing()
        await court.confess()
        queued = await court.queued(1)
        house.server.fault("getChatAdministrators", chat=house.group.id, **how)
        assert await court.press(queued, court.verdict("overturn")) == NOT_YOURS
        assert await untouched(service)
        assert "취소" in await court.press(queued, court.verdict("overturn"))
    assert refused(caplog, court.anna)
    assert "nobody can say" in caplog.text


# Other places


async def test_a_moderator_of_another_group_has_no_say(court: Court, caplog: pytest.LogCaptureFixture) -> None:
    house = court.house
    other = stranger(court)
    elsewhere = house.server.group("다른 집", admins=[other])
    court.desk.members[other.id] = Member(other, "administrator")
    async with court.served() as service:
        await court.reviewing()
        await court.confess()
        private = house.server.private(other)
        place = f"in={house.group.id}"
        for words in ("overturn 1", "case 1", f"cases {place}", f"export {place}", f"settings {place} review=here"):
            for chat in (elsewhere, private):
                assert (await court.shown(f"/mod {words}", other, chat)).text in (NOT_YOURS, NO_MODERATOR)
        assert await court.press(await court.queued(1), court.verdict("overturn"), other) == NOT_YOURS
        assert "#1" not in (await court.shown("/mod cases", other, elsewhere)).words
        assert await untouched(service)
    assert refused(caplog, other)


@pytest.mark.parametrize(
    "place",
    ["0", "-0", "10000001", "-100200000000０", "x", "-1' OR '1'='1", "-" + "9" * 40, "-1002000000001:5", "--1"],
)
async def test_a_place_that_is_no_group_is_nobodys(court: Court, place: str, caplog: pytest.LogCaptureFixture) -> None:
    house = court.house
    user = stranger(court)
    async with court.served():
        await court.confess()
        answer = await court.shown(f"/mod cases in={place}", user, house.server.private(user))
        assert "#1" not in answer.words
    assert "was not answered" not in caplog.text


async def test_in_a_private_chat_nobody_moderates(court: Court, caplog: pytest.LogCaptureFixture) -> None:
    house = court.house
    user = stranger(court)
    async with court.served() as service:
        await house.shown("사랑해")
        for number, words in ((1, "cases"), (2, "case 1"), (3, "overturn 1"), (4, f"warn {house.person.id} 혐오 왜")):
            for who in (user, house.person):
                answer = await court.shown(f"/mod {words}", who, house.server.private(who))
                assert "#1" not in answer.words, number
        assert await untouched(service)
        assert len(await service.record.cases.of(key(house.person))) == 1
    assert refused(caplog, user)


# Buttons


@pytest.mark.parametrize("where", ["another group", "another message", "another case", "another question"])
async def test_a_button_counts_only_under_its_own_message(
    court: Court, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    house = court.house
    mine = house.server.group("안나의 다른 집", admins=[court.anna])
    async with court.served() as service:
        await court.reviewing()
        await court.confess(2)
        await court.queued(1)
        data, message = "case:1:0:overturn", await court.queued(2)
        if where == "another group":
            message = await house.reply(await house.server.say(court.anna, mine, "/about"))
        elif where == "another message":
            message = await house.reply(await house.server.say(court.anna, court.desk, "/about"))
        elif where == "another question":
            data = "case:2:1:overturn"
        assert await court.press(message, data, forged=True) == GONE
        assert await untouched(service, 1)
        assert await untouched(service, 2)
    lines = [one.getMessage() for one in caplog.records if "button" in one.getMessage()]
    assert any(str(court.anna.id) in line for line in lines)


@pytest.mark.parametrize(
    "data",
    ["case:1:0:lift", "case:1:0:overturn ", "case:1:0:OVERTURN", "case:１:0:overturn", "case:-1:0:overturn", "case:1:0",
     "case:1:0:overturn:1", "1?overturn.1", "1?comment.1\n", "case:999999999999999:0:overturn", "9" * 64, "' OR 1=1"],
)  # fmt: skip
async def test_changed_data_is_no_button(court: Court, data: str, caplog: pytest.LogCaptureFixture) -> None:
    async with court.served() as service:
        await court.reviewing()
        await court.confess()
        queued = await court.queued(1)
        assert await court.press(queued, data, stranger(court), forged=True) == GONE
        assert await untouched(service)
    assert "button" in caplog.text


async def test_a_press_that_is_handed_in_again_does_nothing(court: Court, caplog: pytest.LogCaptureFixture) -> None:
    house = court.house
    async with court.served() as service:
        await court.reviewing()
        await court.confess()
        queued = await court.queued(1)
        pressed = await house.server.press(court.anna, queued, court.verdict("uphold"))
        await house.server.until(lambda: pressed.answers)
        assert pressed.update is not None
        house.server.repeat(pressed.update)
        house.server.replay(pressed)
        await house.server.until(lambda: len(pressed.answers) == 2)
        assert pressed.answers[1]["text"] == GONE
        kinds = [event.kind for event in (await case(service)).events if event.by is not None]
        assert kinds == [Kind.UPHELD]
    assert "a second time" in caplog.text


async def test_an_old_button_does_not_decide_what_was_asked_since(court: Court) -> None:
    house = court.house
    async with court.served() as service:
        await court.confess()
        page = await court.shown("/mod case 1")
        await court.shown("/appeal 1 노래였어", house.person, house.private)
        await court.press(page, court.verdict("uphold"))
        await house.server.until(lambda: page.edits)
        assert "그사이에 일이 있었어: 이의 제기" in page.words
        assert (await case(service)).state is State.APPEALED


async def test_a_page_is_its_readers_alone(court: Court, caplog: pytest.LogCaptureFixture) -> None:
    house = court.house
    async with court.served() as service:
        await court.confess()
        page = await court.shown("/mod case 1")
        await court.shown("/mod cases", court.bert)
        for button in page.buttons:
            data = button["callback_data"].partition("?")[0]
            assert await court.press(house.group.replies[0], data, court.bert, forged=True) == GONE
        assert await untouched(service)
    assert refused(caplog, court.bert)


# About oneself


async def test_nobody_judges_a_case_about_themselves(court: Court, caplog: pytest.LogCaptureFixture) -> None:
    themselves = texts.text("ko", "refused", "about_yourself")
    async with court.served() as service:
        await court.reviewing()
        await court.confess(2, court.bert)
        assert await court.press(await court.queued(2), court.verdict("overturn"), court.bert) == themselves
        for words in ("overturn 1", "uphold 1", "shorten 2 1m", f"warn {court.bert.id} 혐오 그냥"):
            assert (await court.shown(f"/mod {words}", court.bert)).text == themselves
        assert (await court.shown("/mod case 1", court.bert)).buttons == []
        assert await untouched(service, 1)
        assert await untouched(service, 2)
    assert refused(caplog, court.bert)


@pytest.mark.parametrize("number", [1, 7])
async def test_nobody_appeals_for_somebody_else_nor_learns_what_there_is(
    court: Court, number: int, caplog: pytest.LogCaptureFixture
) -> None:
    house = court.house
    user = stranger(court)
    async with court.served() as service:
        await court.confess()
        answer = await court.shown(f"/appeal {number} 내 친구야", user, house.server.private(user))
        assert answer.text == texts.text("ko", "refused", "no_case")
        assert (await case(service)).state is State.OPEN
    assert refused(caplog, user)


# Words


async def test_words_are_kept_as_they_are_and_shown_as_words(court: Court) -> None:
    house = court.house
    async with court.served() as service:
        await court.reviewing()
        await court.confess()
        await court.shown(f"/appeal 1 {INJECTION}", house.person, house.private)
        await court.shown(f"/mod overturn 1 {INJECTION}")
        events = (await case(service)).events
        assert [event.text for event in events if event.by is not None] == [INJECTION, INJECTION]
        question = await court.queued(1, 1)
        await house.server.until(lambda: len(question.buttons) == 2)
        shown = [one for one in (question, house.private.replies[-1]) for one in one.words.splitlines()]
        assert not [line for line in shown if "사건 9번은" in line and not line.startswith("│ ")]
        await house.server.until(lambda: "DROP TABLE" in house.private.replies[-1].words)


@pytest.mark.parametrize("words", ["", "   ", "가" * 1001])
async def test_an_appeal_has_words_but_not_too_many(court: Court, words: str) -> None:
    house = court.house
    async with court.served() as service:
        await court.confess()
        await court.shown(f"/appeal 1 {words}", house.person, house.private)
        assert (await case(service)).state is State.OPEN


async def test_operators_are_so_by_number_only(court: Court, caplog: pytest.LogCaptureFixture) -> None:
    house = court.house
    operator, spoof = stranger(court), stranger(court)
    moderation = {"operators": [f"telegram:{operator.id}"]}
    async with court.served(moderation=moderation) as service:
        await court.confess()
        assert (await court.shown("/mod cases", spoof, house.server.private(spoof))).buttons == []
        assert await untouched(service)
        cases = await court.shown("/mod cases", operator, house.server.private(operator))
        assert "#1" in cases.words
        await court.shown("/mod overturn 1", operator, house.server.private(operator))
        assert (await case(service)).state is State.OVERTURNED
    assert refused(caplog, spoof)


async def test_many_presses_on_many_cases_decide_each_once(court: Court) -> None:
    house, server = court.house, court.house.server
    moderators = [stranger(court) for _ in range(10)]
    house.group.members |= {one.id: Member(one, "administrator") for one in moderators}
    async with court.served() as service:
        await court.reviewing()
        for _ in range(4):
            await court.shown(f"/mod warn {house.person.id} 혐오 도배")
        questions: list[Message] = [await court.queued(number) for number in range(1, 5)]
        verdicts = ("overturn", "uphold")
        said = await asyncio.gather(
            *(
                court.press(one, court.verdict(verdicts[place % 2]), user)
                for one in questions
                for place, user in enumerate(moderators)
            )
        )
        assert sum("먼저 판정했어" in one for one in said) == 4 * 9
        for number in range(1, 5):
            events = (await case(service, number)).events
            assert sum(event.kind in (Kind.UPHELD, Kind.OVERTURNED) for event in events) == 1
        assert len(server.callbacks) == 40
