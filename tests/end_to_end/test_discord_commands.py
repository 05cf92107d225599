"""Every slash command in Discord, in Korean and in English, and the buttons under their answers."""

import json
import re
from typing import Any

import pytest

from bot.adapters.menu import APPEAL, VERBS
from core import texts
from core.ports import Prompt
from core.tasks import MEMORY
from models.fakes import FakeLanguageModel, plain_rule
from tests.end_to_end.discord_house import ANSWER, House, asked, key
from tests.end_to_end.discord_house import house as house
from tests.end_to_end.discord_server import Interaction, Message, NotOffered, User
from tests.end_to_end.serving import HesitantModel

LANGUAGES = ("ko", "en")
LOCALES = [("ko", "ko"), ("en", "en-US")]


def learning(prompt: Prompt) -> str:
    """Learns the number that somebody tells it to keep."""
    told = re.findall(r"기억해 (\d+)", prompt.text)
    if prompt.task == MEMORY.name and told:
        return f"[{told[-1]}번 비밀: 귤] {prompt.stop}"
    return plain_rule(prompt)


async def teach(house: House, *numbers: int) -> None:
    """Tell her to keep these, until she does: the list waits for what is still being learned."""
    for number in numbers:
        await house.chat(f"로라야 기억해 {number}")
    await house.command("memory", subcommand="list")


def labels(message: Message) -> list[list[str]]:
    """The buttons under a message, row by row."""
    return [[button["label"] for button in row["components"]] for row in message.components]


async def press(house: House, message: Message, label: str, user: User | None = None) -> Interaction:
    """Press a button whose answer takes the message's place."""
    [button] = [one for row in message.components for one in row["components"] if one["label"] == label]
    times = len(message.history)
    used = await house.server.press(user or house.person, message, button["custom_id"])
    await house.server.until(lambda: len(message.history) > times)
    return used


async def listed(house: House, locale: str = "ko") -> Message:
    """What /memory list shows."""
    return await house.shown(
        await house.server.slash(house.person, house.channel, "memory", subcommand="list", locale=locale)
    )


def described(command: dict[str, Any]) -> dict[str, tuple[str, str, str, str]]:
    """Path → name and description in Korean, in English, of a command and all that is in it."""
    shown = {"": (
        command["name_localizations"]["ko"], command["description_localizations"]["ko"],
        command["name"], command["description"],
    )}  # fmt: skip
    for inner in command.get("options", []):
        shown |= {f"{inner['name']} {path}".strip(): words for path, words in described(inner).items()}
    return shown


async def test_names_and_descriptions_are_registered_in_korean_and_english(house: House) -> None:
    async with house.served():
        registered = house.server.commands.last or []
        found = {
            f"{command['name']} {path}".strip(): words
            for command in registered
            for path, words in described(command).items()
        }

    def words(section: str, name: str) -> tuple[str, str, str, str]:
        told = [texts.text(language, part, name) for language in LANGUAGES for part in (f"{section}_name", section)]
        return told[0], told[1], told[2], told[3]

    def option(name: str) -> str:
        return texts.text("en", "option_name", name)

    verbs = ("list", "forget", "pause", "export")
    commands = ("chat", "memory", "standing", "about", "settings", "mod", "appeal")
    assert found == {
        **{name: words("command", name) for name in commands},
        "forget-me": words("command", "forget_me"),
        **{f"mod {verb}": words("command", f"mod_{verb}") for verb in VERBS},
        **{f"mod {verb} {option(one.name)}": words("option", one.name) for verb in VERBS for one in VERBS[verb]},
        **{f"appeal {option(one.name)}": words("option", one.name) for one in APPEAL},
        **{f"memory {verb}": words("command", f"memory_{verb}") for verb in verbs},
        "chat text": words("option", "text"),
        "memory forget item": words("option", "item"),
        **{f"settings {name}": words("option", name) for name in ("channel", "name_call", "images", "language")},
    }
    offered = {command["name"]: command["default_member_permissions"] for command in registered}
    assert (offered["settings"], offered["mod"], offered["appeal"]) == (1 << 5, 1 << 40, None)
    choices = {
        choice["value"]: (choice["name_localizations"]["ko"], choice["name"])
        for command in registered
        for one in command["options"]
        for choice in one.get("choices") or []
    }
    assert choices == {
        value: tuple(texts.text(language, "settings", value) for language in LANGUAGES)
        for value in ("always", "change", "off", "ko", "en")
    }


async def test_commands_are_registered_again_only_when_they_changed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = []
    for _ in range(2):
        async with house.served():
            counts.append(house.server.commands.overwrites)
    monkeypatch.setitem(texts._table("ko")["command"], "about", "새로운 소개")
    async with house.served():
        counts.append(house.server.commands.overwrites)
        assert (await house.command("about")) == texts.text("ko", "about", "text")
    assert counts == [1, 1, 2]


@pytest.mark.parametrize(("language", "locale"), LOCALES)
async def test_about_and_standing_answer_only_who_asked_in_their_language(
    house: House, language: str, locale: str
) -> None:
    async with house.served():
        for place in (house.channel, house.server.dm(house.person)):
            for name, section in (("about", "text"), ("standing", "clean")):
                used = await house.server.slash(house.person, place, name, locale=locale)
                shown = await house.shown(used)
                assert shown.content == texts.text(language, name, section)
                assert (shown.ephemeral, shown.visible_to(house.guild.owner), shown.components) == (True, False, [])


@pytest.mark.parametrize(("language", "locale"), LOCALES)
async def test_the_list_of_memories_has_pages_with_the_newest_first(house: House, language: str, locale: str) -> None:
    def said(name: str, **values: object) -> str:
        return texts.text(language, "memory", name, **values)

    def items(first: int, last: int) -> list[str]:
        return [f"{number}. [{number}번 비밀: 귤]" for number in range(first, last - 1, -1)]

    async with house.served(FakeLanguageModel(learning)):
        await teach(house, *range(1, 13))
        page = await listed(house, locale)
        head, below = said("title", n=12), [said("pause"), said("export"), said("forget_all")]
        forget = [said("forget", n=number) for number in range(12, 0, -1)]
        assert page.ephemeral
        assert page.content.split("\n") == [head, *items(12, 3), said("page", page=1, pages=2)]
        assert labels(page) == [forget[:5], forget[5:10], [said("next")], below]
        if language == "ko":  # a button is pressed in the language of who presses it
            await press(house, page, said("next"))
            assert page.content.split("\n") == [head, *items(2, 1), said("page", page=2, pages=2)]
            assert labels(page) == [forget[10:], [said("back")], below]
            await press(house, page, said("back"))
            assert page.content.split("\n")[1:11] == items(12, 3)
            await press(house, page, said("forget", n=12))
            assert (page.content, page.components) == (said("forgot", n=1), [])
            assert (await listed(house)).content.split("\n") == [
                said("title", n=11), *items(11, 2), said("page", page=1, pages=2),
            ]  # fmt: skip


@pytest.mark.parametrize(("language", "locale"), LOCALES)
async def test_memories_are_forgotten_by_number_and_all_only_after_asking(
    house: House, language: str, locale: str
) -> None:
    def said(name: str, **values: object) -> str:
        return texts.text(language, "memory", name, **values)

    async def forget(item: str) -> Message:
        options = {"item": item}
        return await house.shown(
            await house.server.slash(
                house.person, house.channel, "memory", subcommand="forget", options=options, locale=locale
            )
        )

    async with house.served(FakeLanguageModel(learning)) as service:
        assert (await listed(house, locale)).content == said("none")
        await teach(house, 1, 2, 3)
        assert (await forget("2")).content == said("forgot", n=1)
        assert (await forget("2")).content == said("forgot_none")
        assert (await forget("둘")).content == said("forget_usage")
        question = await forget("all")
        assert question.content == said("forget_sure", n=2)
        assert labels(question) == [[said("yes"), said("no")]]
        await press(house, question, said("no"))
        assert len(await service.record.memories.items(key(house.person))) == 2
        question = await forget("all")
        await press(house, question, said("yes"))
        assert question.content == texts.text("ko", "memory", "forgot", n=2)
        assert await service.record.memories.items(key(house.person)) == []


@pytest.mark.parametrize(("language", "locale"), LOCALES)
async def test_forget_me_asks_and_then_nothing_of_the_person_is_left(house: House, language: str, locale: str) -> None:
    def said(name: str) -> str:
        return texts.text(language, "forget_me", name)

    async with house.served(FakeLanguageModel(learning)) as service:
        await teach(house, 1)
        question = await house.shown(await house.server.slash(house.person, house.channel, "forget-me", locale=locale))
        assert question.content == said("sure")
        assert labels(question) == [[said("yes"), said("no")]]
        assert (await service.record.people.export(key(house.person)))["messages"] != []
        await press(house, question, said("yes"))
        assert question.content == texts.text("ko", "forget_me", "deleted")
        assert (await service.record.people.export(key(house.person)))["messages"] == []


async def test_nobody_forgets_what_belongs_to_somebody_else(house: House) -> None:
    async with house.served(FakeLanguageModel(learning)) as service:
        await teach(house, 1)
        told = await house.command("memory", house.guild.owner, subcommand="forget", options={"item": "1"})
        assert told == texts.text("ko", "memory", "forgot_none")
        assert len(await service.record.memories.items(key(house.person))) == 1


@pytest.mark.parametrize(("language", "locale"), LOCALES)
async def test_remembering_pauses_and_begins_again(house: House, language: str, locale: str) -> None:
    def said(name: str, **values: object) -> str:
        return texts.text(language, "memory", name, **values)

    async def pause() -> str:
        return await house.command("memory", subcommand="pause", locale=locale)

    async with house.served(FakeLanguageModel(learning)) as service:
        await teach(house, 1)
        assert await pause() == said("now_paused")
        await teach(house, 2)
        page = await listed(house, locale)
        assert page.content.split("\n") == [said("title", n=1), "1. [1번 비밀: 귤]", said("paused")]
        assert said("resume") in labels(page)[-1]
        assert asked(service.language)[-1] == "로라야 기억해 2"
        assert await pause() == said("now_resumed")
        await teach(house, 3)
        assert len(await service.record.memories.items(key(house.person))) == 2


async def test_pausing_and_resuming_are_buttons_too(house: House) -> None:
    async with house.served():
        page = await listed(house)
        await press(house, page, texts.text("ko", "memory", "pause"))
        assert page.content == texts.text("ko", "memory", "now_paused")
        page = await listed(house)
        await press(house, page, texts.text("ko", "memory", "resume"))
        assert page.content == texts.text("ko", "memory", "now_resumed")


@pytest.mark.parametrize("by_button", [False, True], ids=["command", "button"])
@pytest.mark.parametrize(("language", "locale"), LOCALES)
async def test_everything_kept_about_a_person_comes_as_a_file(
    house: House, language: str, locale: str, by_button: bool
) -> None:
    async with house.served(FakeLanguageModel(learning)):
        await teach(house, 7)
        if by_button:
            page = await listed(house, locale)
            [button] = [
                one
                for row in page.components
                for one in row["components"]
                if one["label"] == texts.text(language, "memory", "export")
            ]
            used = await house.server.press(house.person, page, button["custom_id"], locale=locale)
        else:
            used = await house.server.slash(house.person, house.channel, "memory", subcommand="export", locale=locale)
        shown = await house.shown(used)
        assert (shown.content, shown.ephemeral) == (texts.text(language, "memory", "exported"), True)
        [file] = shown.attachments
        assert (file.filename, file.description) == ("aurora-export.json", shown.content)
        assert file.data is not None
        kept = json.loads(file.data)
        assert kept["user_id"] == str(house.person.id)
        assert [one["text"] for one in kept["messages"]] == ["로라야 기억해 7"]
        assert [one["key"] for one in kept["memories"]] == ["7번 비밀"]


@pytest.mark.parametrize(("language", "locale"), LOCALES)
async def test_a_manager_sees_and_changes_the_settings_of_a_server(house: House, language: str, locale: str) -> None:
    def say(name: str, **values: object) -> str:
        return texts.text(language, "settings", name, **values)

    def state(name: str, value: str) -> str:
        return say(name, state=say(value))

    house.guild.members[house.person.id] = house.person
    house.guild.managers.add(house.person.id)
    async with house.served():
        used = await house.server.slash(house.person, house.channel, "settings", locale=locale)
        page = await house.shown(used)
        assert page.ephemeral
        assert page.content.split("\n") == [
            say("title"), say("channels", channels=say("channels_none")), state("name_call", "on"),
            state("images", "always"), state("language", "unset"),
        ]  # fmt: skip
        assert labels(page) == [
            [say("channel_here"), state("name_call", "off")],
            [state("images", "change"), state("images", "off")],
            [state("language", "ko"), state("language", "en")],
        ]
        options = {"channel": house.channel, "name_call": False, "images": "off", "language": language}
        changed = await house.command("settings", options=options, locale="ja")
        assert changed.split("\n") == [
            say("title"), say("channels", channels=f"<#{house.channel.id}>"), state("name_call", "off"),
            state("images", "off"), state("language", language),
        ]  # fmt: skip
        reply = await house.chat("안녕")
        assert (reply.content, reply.attachments) == (ANSWER, [])


async def test_settings_change_by_buttons_and_hold_after_a_restart(house: House) -> None:
    async with house.served():
        used = await house.server.slash(house.guild.owner, house.channel, "settings")
        page, owner = await house.shown(used), house.guild.owner
        for label in ("여기서는 모든 말에 답하기", "“로라야”로 부르기: 끔", "표정 그림: 끔", "안내문 언어: English"):
            await press(house, page, label, owner)
        await press(house, page, "Pictures of my face: when the expression changes", owner)
        assert page.content.split("\n") == [
            "Settings in this place", f"My channels: <#{house.channel.id}>", "Calling me “로라야”: off",
            "Pictures of my face: when the expression changes", "Language of notices: English",
        ]  # fmt: skip
        assert "Answer here only when called" in labels(page)[0]
    async with house.served():
        assert (await house.chat("안녕")).content == ANSWER
        assert await house.command("about", locale="ko") == texts.text("en", "about", "text")


async def test_settings_of_a_server_hold_in_that_server_only(house: House) -> None:
    other = house.server.guild("남의 집")
    place = other.channel("방")
    async with house.served():
        await house.choose(images="off", language="en")
        reply = await house.reply(await house.server.say(house.person, place, "로라야 안녕"))
        assert len(reply.attachments) == 1
        assert await house.command("about", channel=place) == texts.text("ko", "about", "text")


@pytest.mark.parametrize(("language", "locale"), LOCALES)
async def test_who_manages_nothing_changes_nothing(house: House, language: str, locale: str) -> None:
    async with house.served():
        with pytest.raises(NotOffered):
            await house.server.slash(house.person, house.channel, "settings")
        # a server's own settings may offer it to everybody
        for command in house.server.commands.registered[None]:
            command["default_member_permissions"] = None
        refused = texts.text(language, "settings", "managers_only")
        assert await house.command("settings", options={"images": "off"}, locale=locale) == refused
        assert len((await house.chat("로라야 안녕")).attachments) == 1


@pytest.mark.parametrize(("language", "locale"), LOCALES)
async def test_in_a_direct_chat_a_person_chooses_pictures_and_language(
    house: House, language: str, locale: str
) -> None:
    def state(language: str, name: str, value: str) -> str:
        return texts.text(language, "settings", name, state=texts.text(language, "settings", value))

    direct, other = house.server.dm(house.person), {"ko": "en", "en": "ko"}[language]
    async with house.served():
        used = await house.server.slash(house.person, direct, "settings", locale=locale)
        page = await house.shown(used)
        assert page.content.split("\n") == [
            texts.text(language, "settings", "title"),
            state(language, "images", "always"),
            state(language, "language", "unset"),
        ]
        assert len(labels(page)) == 2
        options = {"images": "off", "language": other}
        changed = await house.command("settings", channel=direct, options=options, locale=locale)
        assert changed.split("\n")[1:] == [state(other, "images", "off"), state(other, "language", other)]
        await house.server.say(house.person, direct, "가" * 100)
        [told] = await house.spoken(direct)
        assert (told.content, told.attachments) == (f"※ {texts.text(other, 'notice', 'too_long')}", [])


async def test_every_command_is_acknowledged_at_once_while_the_device_hangs(house: House) -> None:
    model, server, person = HesitantModel(), house.server, house.person
    async with house.served(model):
        message = await server.say(person, house.channel, "로라야 안녕")
        await model.asked.wait()
        used = [
            await server.slash(person, house.channel, "chat", options={"text": "안녕"}),
            await server.slash(person, house.channel, "memory", subcommand="list"),
            await server.slash(person, house.channel, "memory", subcommand="pause"),
            await server.slash(person, house.channel, "memory", subcommand="forget", options={"item": "1"}),
            await server.slash(person, house.channel, "memory", subcommand="export"),
            await server.slash(person, house.channel, "standing"),
            await server.slash(person, house.channel, "about"),
            await server.slash(house.guild.owner, house.channel, "settings"),
        ]
        await server.until(lambda: all(one.acknowledged_at is not None for one in used))
        await server.until(lambda: all(one.texts for one in used[4:]))  # these need no device
        assert used[0].thinking
        model.let.set()
        await server.until(lambda: all(one.texts and not one.thinking for one in used))
        assert (await house.reply(message)).content == ANSWER


async def test_a_button_works_after_a_restart_of_the_service(house: House) -> None:
    async with house.served(FakeLanguageModel(learning)):
        await teach(house, 1, 2)
        page = await listed(house)
    async with house.served():
        await press(house, page, texts.text("ko", "memory", "forget", n=2))
        assert page.content == texts.text("ko", "memory", "forgot", n=1)


@pytest.mark.parametrize("forged", ["button:1", "button:99999999999999999999999", "button:", "else", "button:²"])
async def test_a_button_of_somebody_else_does_nothing(house: House, forged: str) -> None:
    async with house.served(FakeLanguageModel(learning)) as service:
        await teach(house, 1)
        await listed(house)
        used = await house.server.slash(house.guild.owner, house.channel, "memory", subcommand="list")
        page = await house.shown(used)
        page.components[0]["components"][0]["custom_id"] = forged
        pressed = await house.server.press(house.guild.owner, page, forged)
        told = await house.shown(pressed)
        assert (told.content, told.ephemeral) == (texts.text("ko", "button", "gone"), True)
        assert page.content == texts.text("ko", "memory", "none")
        assert len(await service.record.memories.items(key(house.person))) == 1


@pytest.mark.parametrize("known", [True, False], ids=["by the clock", "by the refusal"])
async def test_what_chat_asked_is_answered_by_an_ordinary_message_past_15_minutes(house: House, known: bool) -> None:
    model = HesitantModel()
    async with house.served(model):
        with house.earlier(minutes=15 if known else 0):
            used = await house.server.slash(house.person, house.channel, "chat", options={"text": "안녕"})
        await model.asked.wait()
        assert used.acknowledged_at is not None
        house.server.settings.interaction_ttl_s = 0
        model.let.set()
        await house.server.until(lambda: len(house.hers(house.channel)) == 2)
        waiting, reply = house.hers(house.channel)
        assert (waiting, reply.content, reply.interaction) == (used.original, ANSWER, None)
        assert (len(reply.attachments), house.server.statuses[401]) == (1, 0 if known else 2)


async def test_other_commands_answer_in_private_past_15_minutes(house: House) -> None:
    model = HesitantModel()
    async with house.served(model):
        message = await house.server.say(house.person, house.channel, "로라야 안녕")
        await model.asked.wait()
        with house.earlier(minutes=15):
            used = await house.server.slash(house.person, house.channel, "memory", subcommand="list")
        await house.server.until(lambda: used.thinking)
        house.server.settings.interaction_ttl_s = 0
        model.let.set()
        [told] = await house.spoken(house.server.dm(house.person))
        assert told.content == texts.text("ko", "memory", "none")
        await house.reply(message)
