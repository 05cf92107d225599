"""What people ask for in Telegram beside talking: commands, buttons, and who sees the answers."""

import json

import pytest

from core import texts
from core.ports import Prompt
from core.tasks import MEMORY
from models.fakes import FakeLanguageModel, plain_rule
from tests.end_to_end.telegram_house import ANSWER, House, answering, key
from tests.end_to_end.telegram_house import house as house
from tests.end_to_end.telegram_server import Member, Message

PLAIN = ["chat", "memory", "forget_me", "standing", "about", "appeal"]


def learning() -> FakeLanguageModel:
    """Remembers of every message what its last word is."""

    def rule(prompt: Prompt) -> str:
        if prompt.task != MEMORY.name:
            return plain_rule(prompt)
        word = prompt.text.removesuffix(" (요약 시작)").split()[-1]
        return f"[{word}: 좋아함] {prompt.stop}"

    return FakeLanguageModel(rule)


def refusing() -> FakeLanguageModel:
    """Declines everything kindly."""
    return answering("미안, 그건 부담스러워")


def labels(message: Message) -> list[str]:
    """The buttons under a message."""
    return [button["text"] for button in message.buttons]


async def press(house: House, message: Message, label: str) -> str:
    """The person presses a button; what an alert says, "" without one."""
    button = await house.server.press(house.person, message, label)
    await house.server.until(lambda: button.answers)
    return str(button.answers[0].get("text", ""))


# The list of commands


async def test_telegram_knows_the_commands_in_both_languages_and_is_told_once(house: House) -> None:
    async with house.served():
        pass
    assert {scope: [*commands] for scope, commands in house.server.commands.items()} == {
        (f"all_{scope}", language): names
        for language in ("", "ko")
        for scope, names in {
            "private_chats": ["start", *PLAIN, "settings", "mod"],
            "group_chats": PLAIN,
            "chat_administrators": [*PLAIN, "settings", "mod"],
        }.items()
    }
    assert house.server.commands["all_group_chats", ""]["chat"] == "Talk to 오로라"
    assert house.server.commands["all_group_chats", "ko"]["chat"] == "오로라에게 말 걸기"
    async with house.served():
        pass
    assert house.server.counts["setMyCommands 200"] == 6


async def test_a_list_that_telegram_did_not_take_stops_nobody_and_is_told_at_the_next_start(house: House) -> None:
    house.server.fault("setMyCommands", status=500, skip=2)
    async with house.served():
        await house.shown("안녕")
    async with house.served():
        assert house.server.counts["setMyCommands 200"] == 2 + 6


# First contact


@pytest.mark.parametrize(("code", "language"), [("ko", "ko"), ("en", "en")])
async def test_whoever_talks_first_is_told_once_what_she_is(house: House, code: str, language: str) -> None:
    stranger = house.server.user("새 사람", language_code=code)
    chat = house.server.private(stranger)
    async with house.served(strangers=True):
        for _ in range(2):
            await house.server.say(stranger, chat, "안녕")
        first, second = await house.spoken(chat, 2)
        assert first.caption == f"{ANSWER}\n\n※ {texts.text(language, 'notice', 'introduction')}"
        assert second.caption == ANSWER


async def test_start_says_what_she_is_so_that_the_first_answer_need_not(house: House) -> None:
    async with house.served(strangers=True):
        started = await house.shown("/start from_a_link")
        assert started.text == texts.text("ko", "about", "text")
        assert (await house.shown("안녕")).caption == ANSWER


# Commands


@pytest.mark.parametrize(("code", "language"), [("ko", "ko"), ("en", "en")])
async def test_every_command_is_answered_in_the_persons_language(house: House, code: str, language: str) -> None:
    somebody = house.server.user("누구", language_code=code)
    chat = house.server.private(somebody)

    async with house.served():
        for said in ("/memory", "/memory forget 7", "/standing", "/about", "/settings"):
            await house.server.say(somebody, chat, said)
        memory, forgot, standing, about, settings = await house.spoken(chat, 5)
    assert memory.text == texts.text(language, "memory", "none")
    assert forgot.text == texts.text(language, "memory", "forgot_none")
    assert standing.text == texts.text(language, "standing", "clean")
    assert about.text == texts.text(language, "about", "text")
    assert (settings.text or "").startswith(texts.text(language, "settings", "title"))


async def test_memory_is_listed_forgotten_paused_and_exported_with_buttons(house: House) -> None:
    async with house.served(learning()) as service:
        await house.shown("딸기")
        await house.shown("사과")
        page = await house.shown("/memory")
        assert "[딸기: 좋아함]" in (page.text or "")
        assert "[사과: 좋아함]" in (page.text or "")
        await press(house, page, texts.text("ko", "memory", "export"))
        export = await house.server.until(lambda: house.private.replies[-1].document)
        kept = json.loads(export.content)
        assert "딸기" in json.dumps(kept, ensure_ascii=False)
        await press(house, page, texts.text("ko", "memory", "forget_all"))
        await house.server.until(lambda: labels(page) == ["응, 전부 잊어 줘", "아니야"])
        await press(house, page, texts.text("ko", "memory", "no"))
        await house.server.until(lambda: "[딸기: 좋아함]" in (page.text or ""))
        await press(house, page, labels(page)[0])
        await house.server.until(lambda: page.text == texts.text("ko", "memory", "forgot", n=1))
        paused = await house.shown("/memory pause")
        assert paused.text == texts.text("ko", "memory", "now_paused")
        left = await service.record.memories.items(key(house.person))
        assert [item.text for item in left] == ["[딸기: 좋아함]"]


@pytest.mark.parametrize("command", ["/forget_me", "/forget-me"])
async def test_forget_me_asks_and_then_nothing_of_the_person_is_left(house: House, command: str) -> None:
    async with house.served(learning()) as service:
        await house.shown("딸기")
        question = await house.shown(command)
        assert question.text == texts.text("ko", "forget_me", "sure")
        assert labels(question) == ["응, 전부 지워 줘", "아니야"]
        assert (await service.record.people.export(key(house.person)))["messages"] != []
        await press(house, question, "응, 전부 지워 줘")
        await house.server.until(lambda: question.text == texts.text("ko", "forget_me", "deleted"))
        assert (await service.record.people.export(key(house.person)))["messages"] == []


async def test_in_a_group_forget_me_asks_in_private(house: House) -> None:
    async with house.served(learning()):
        await house.shown("딸기")
        await house.server.say(house.person, house.group, "/forget_me")
        question = (await house.spoken(house.private, 2))[-1]
        assert question.text == texts.text("ko", "forget_me", "sure")
        assert house.group.replies == []


async def test_buttons_survive_a_restart(house: House) -> None:
    async with house.served(learning()):
        await house.shown("딸기")
        page = await house.shown("/memory")
    async with house.served():
        assert await press(house, page, labels(page)[0]) == ""
        await house.server.until(lambda: page.text == texts.text("ko", "memory", "forgot", n=1))


async def test_a_page_that_can_no_longer_be_changed_is_answered_with_a_new_one(house: House) -> None:
    async with house.served(learning()):
        page = await house.shown("/memory")
        await house.server.delete(page)
        await press(house, page, texts.text("ko", "memory", "pause"))
        await house.server.until(lambda: house.private.replies)
        assert house.private.replies[-1].text == texts.text("ko", "memory", "now_paused")


@pytest.mark.parametrize("data", ["0", "-1", "9" * 30, "x", "１", ""])
async def test_a_forged_button_does_nothing_but_is_acknowledged(house: House, data: str) -> None:
    async with house.served():
        page = await house.shown("/memory")
        text = page.text
        button = await house.server.press(house.person, page, data, forged=True)
        await house.server.until(lambda: button.answers)
        assert button.answers == [{"text": texts.text("ko", "button", "gone"), "show_alert": True}]
        assert page.text == text


async def test_a_button_is_acknowledged_also_when_nothing_else_works(house: House) -> None:
    async with house.served() as service:
        page = await house.shown("/memory")
        await service.record.close()
        assert await press(house, page, texts.text("ko", "memory", "pause")) == ""
        await house.server.until(lambda: page.text == texts.text("ko", "notice", "fault"))


# Groups


@pytest.mark.parametrize("command", ["/memory", "/memory@ohlora_bot", "/standing"])
async def test_what_concerns_one_person_only_is_answered_privately(house: House, command: str) -> None:
    async with house.served():
        await house.server.say(house.person, house.group, command)
        (answer,) = await house.spoken(house.private)
        assert answer.text in (texts.text("ko", "memory", "none"), texts.text("ko", "standing", "clean"))
        assert house.group.replies == []


@pytest.mark.parametrize("command", ["/memory", "/standing"])
async def test_whoever_never_started_her_is_told_how_and_nothing_else(house: House, command: str) -> None:
    shy = house.server.user("수줍은 사람")
    async with house.served():
        said = await house.server.say(shy, house.group, command)
        hint = await house.reply(said)
        assert hint.text == texts.text("ko", "platform", "start_first", link="https://t.me/ohlora_bot")


@pytest.mark.parametrize("command", ["/about", "/start", "/start@ohlora_bot"])
async def test_about_is_answered_in_the_group(house: House, command: str) -> None:
    async with house.served():
        assert (await house.chat(command)).text == texts.text("ko", "about", "text")


async def test_settings_of_a_group_are_for_its_admins_as_they_are_now(house: House) -> None:
    async with house.served():
        assert (await house.chat("/settings name_call=off")).text == texts.text("ko", "settings", "managers_only")
        house.group.members[house.person.id] = Member(house.person, "administrator")
        page = await house.chat("/settings language=en")
        assert labels(page)[0] == texts.text("en", "settings", "channel_here")
        await press(house, page, labels(page)[0])
        here = texts.text("en", "settings", "channels", channels="here")
        await house.server.until(lambda: here in (page.text or ""))
        house.group.members[house.person.id].status = "member"
        await press(house, page, labels(page)[0])
        await house.server.until(lambda: page.text == texts.text("en", "settings", "managers_only"))


async def test_a_button_under_somebody_elses_page_says_so_and_leaves_the_page(house: House) -> None:
    house.group.members[house.person.id] = Member(house.person, "administrator")
    async with house.served():
        page = await house.chat("/settings", house.owner)
        text = page.text
        assert await press(house, page, labels(page)[0]) == texts.text("ko", "button", "gone")
        assert (page.text, page.edits) == (text, [])


async def test_settings_of_a_private_chat_are_the_persons_own(house: House) -> None:
    async with house.served():
        page = await house.shown("/settings images=off")
        assert texts.text("ko", "settings", "images", state="끔") in (page.text or "")
        assert (await house.shown("안녕")).text == ANSWER
        assert (await house.chat("/chat 안녕")).caption == ANSWER


# Notices of sanctions


async def test_a_warning_in_a_group_reaches_nobody_but_the_person(house: House) -> None:
    async with house.served(refusing()):
        reply = await house.chat("/chat 사랑해")
        (told,) = await house.spoken(house.private)
        assert reply.caption == "미안, 그건 부담스러워"
        warning = texts.text("ko", "notice", "warning", category="사랑 고백/만남")
        assert told.text == f"※ {warning} {texts.text('ko', 'case', 'numbers', numbers=1)}"


async def test_whoever_she_cannot_write_to_gets_a_hint_without_details(house: House) -> None:
    shy = house.server.user("수줍은 사람")
    async with house.served(refusing()):
        said = await house.server.say(shy, house.group, "/chat 꺼져")
        hint = await house.reply(said, 2)
        assert hint.text == texts.text("ko", "platform", "elsewhere")
        again = await house.server.say(shy, house.group, "/chat 안녕")
        assert (await house.reply(again)).text == texts.text("ko", "platform", "elsewhere")


async def test_in_a_private_chat_sanctions_are_told_in_place(house: House) -> None:
    async with house.served(refusing()):
        first = await house.shown("사랑해")
        warning = texts.text("ko", "notice", "warning", category="사랑 고백/만남")
        numbers = [texts.text("ko", "case", "numbers", numbers=number) for number in (1, 2)]
        assert first.caption == f"미안, 그건 부담스러워\n\n※ {warning} {numbers[0]}"
        second = await house.shown("사랑해")
        block = texts.text("ko", "notice", "block", category="사랑 고백/만남", period="1시간")
        assert second.caption == f"미안, 그건 부담스러워\n\n※ {block} {numbers[1]}"
        blocked = await house.shown("안녕")
        assert "이유: 사랑 고백/만남" in (blocked.text or "")


async def test_what_was_said_in_private_never_shows_in_a_group(house: House) -> None:
    other = house.server.group("다른 집", members=[house.person])
    async with house.served(learning()):
        await house.shown("비밀딸기")
        await house.chat("/chat 우리집사과")
        await house.reply(await house.server.say(house.person, other, "/chat 다른집포도"))
        page = await house.shown("/memory")
        await house.server.say(house.person, house.group, "/memory")
        await house.spoken(house.private, 3)
        in_groups = " ".join(one.words for chat in (house.group, other) for one in chat.replies)
        assert all(word in (page.text or "") for word in ("비밀딸기", "우리집사과", "다른집포도"))
        assert "딸기" not in in_groups
