"""What a person can ask for beside talking: every command, in both languages, with its buttons."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.adapters.desk import Answer, CommandDesk, Press
from bot.app import App, assemble
from bot.config import Settings
from bot.service import Service
from core import Models
from core.messages import ChatKey, PersonKey, Reply, Turn
from core.people import Images, PlaceSettings
from core.sanctions import Sanction
from models.fakes import FakeClock
from storage.record import Record
from tests.bot.asking import ask, button
from tests.bot.conftest import HOME, JUN, LOUNGE, MINA, NEW, PaperAdapter, handle, say

GAMES, ELSEWHERE = replace(LOUNGE, chat_id="games"), ChatKey("paper", "lounge 2", False, "guild 2")
LANGUAGES = ("ko", "en")


@pytest.mark.parametrize(
    ("words", "korean", "english"),
    [
        ("memory", "아직 너에 대해 기억하고 있는 게 없어.", "I don't remember anything about you yet."),
        ("memory list", "아직 너에 대해", "I don't remember anything"),
        ("memory list 3", "아직 너에 대해", "I don't remember anything"),
        ("memory list " + "9" * 5000, "아직 너에 대해", "I don't remember anything"),
        ("memory forget", "번호를 쓰거나", "Give a number, or all."),
        ("memory forget three", "번호를 쓰거나", "Give a number, or all."),
        ("memory forget ٣", "번호를 쓰거나", "Give a number, or all."),
        ("memory forget -1", "번호를 쓰거나", "Give a number, or all."),
        ("memory forget " + "9" * 100, "번호를 쓰거나", "Give a number, or all."),
        ("memory forget 7", "그 번호로 기억하는 건 없어.", "I remember nothing under that number."),
        ("memory forget all yes", "0개를 잊었어.", "Forgot 0."),
        ("memory forget all", "정말 너에 대한 기억 0개", "Really forget all 0 memories"),
        ("memory pause", "알겠어, 지금부터는", "All right, from now on"),
        ("memory export", "너에 대해 저장된 것 전부야.", "This is everything stored about you."),
        ("memory dance", "번호를 쓰거나", "Give a number, or all."),
        ("forget-me", "너에 대해 저장된 걸 전부 지울까?", "Delete everything stored about you?"),
        ("forget_me", "너에 대해 저장된 걸 전부 지울까?", "Delete everything stored about you?"),
        ("forget-me now", "너에 대해 저장된 걸 전부 지울까?", "Delete everything stored about you?"),
        ("forget-me no", "알겠어, 아무것도 안 지웠어.", "All right, nothing is deleted."),
        ("forget-me 응", "다 지웠어.", "Everything is deleted."),
        ("standing", "경고도 차단도 없어.", "No warnings, no blocks."),
        ("about", "나는 오로라, 줄여서 로라야. 사람이 아니라 AI야.", "I am 오로라, 로라 for short: an AI"),
        ("start", "나는 오로라, 줄여서 로라야. 사람이 아니라 AI야.", "I am 오로라, 로라 for short: an AI"),
        ("settings", "이곳에서의 설정", "Settings in this place"),
        ("settings colour=red", "그 설정은 몰라.", "I don't know that setting."),
        ("settings images=often", "그 설정은 몰라.", "I don't know that setting."),
    ],
    ids=lambda words: words[:24],
)
async def test_every_command_has_a_sentence_in_both_languages(
    commands: CommandDesk, words: str, korean: str, english: str
) -> None:
    assert (await commands.run(ask(words, "ko", MINA))).text.startswith(korean)
    assert (await commands.run(ask(words, "en", JUN))).text.startswith(english)


@pytest.mark.parametrize("words", ["dance", "", "MEMORY", "chat"])
async def test_a_command_that_does_not_exist_has_an_empty_answer(commands: CommandDesk, words: str) -> None:
    assert await commands.run(ask(words)) == Answer("")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_about_says_what_is_kept_and_under_which_licences(commands: CommandDesk, language: str) -> None:
    text = (await commands.run(ask("about", language))).text
    for said in ("AI", "LoRA", "/memory", "/forget-me", "/standing", "MIT", "CC BY-SA 4.0"):
        assert said in text


async def test_start_is_an_introduction(commands: CommandDesk, service: Service, paper: PaperAdapter) -> None:
    await commands.run(ask("start", person=NEW))
    await handle(service, say("안녕", person=NEW))
    assert paper.notices == []
    await handle(service, say("안녕", 2, PersonKey("paper", "newer")))
    assert paper.notices == ["introduction"]


class TestStanding:
    @pytest.mark.parametrize(
        ("language", "rows", "until", "case"),
        [
            ("ko", ["사랑 고백/만남: 1번", "혐오/기타: 1번"], "2025년 11월 22일 12:00까지 차단 중이야. 이유: 혐오",
             "사건 1: 사랑 고백/만남 · 경고 · 검토 전"),
            ("en", ["love confession / dating: 1", "hate / improper: 1"], "Blocked until 2025-11-22 12:00. Reason: h",
             "Case 1: love confession / dating · warning · not reviewed"),
        ],
    )  # fmt: skip
    async def test_warnings_and_a_block_are_shown_until_it_is_over(
        self, commands: CommandDesk, record: Record, clock: FakeClock, language: str, rows: list[str], until: str,
        case: str,
    ) -> None:  # fmt: skip
        asked = say("사귀자")
        await record.turns.receive(asked)
        issued = (
            Sanction("love", 1, clock.now(), timedelta(0)),
            Sanction("hate", 1, clock.now(), timedelta(hours=24)),
        )
        await record.turns.commit(Turn(Reply(asked, "미안"), "사귀자", issued))
        shown = (await commands.run(ask("standing", language))).text.splitlines()
        assert shown[:2] == rows
        assert shown[2].startswith(until)
        assert shown[3] == case
        assert "/appeal" in shown[-1]
        clock.move(timedelta(hours=25))
        assert (await commands.run(ask("standing", language))).text.splitlines() == [*rows, *shown[3:]]
        assert "1" not in (await commands.run(ask("standing", language, JUN))).text


class TestSettings:
    async def test_managers_change_what_holds_in_all_channels_of_their_place(
        self, commands: CommandDesk, app: App, record: Record
    ) -> None:
        page = await commands.run(ask("settings channel=lounge name_call=off images=change", chat=LOUNGE))
        chosen = PlaceSettings(frozenset({"lounge"}), name_call=False, images=Images.CHANGE)
        assert "내 채널: <#lounge>" in page.text
        assert await app.host.places.of(GAMES) == await record.places.of(GAMES.place) == chosen
        for other in (ELSEWHERE, HOME):
            assert await app.host.places.of(other) == PlaceSettings()
        after = await commands.pressed(ask("unused", chat=LOUNGE), button(page, "language=en"))
        assert after.text.startswith("Settings in this place")
        assert (await app.host.places.of(GAMES)).language == "en"

    async def test_one_bad_change_changes_nothing(self, commands: CommandDesk, app: App) -> None:
        await commands.run(ask("settings images=off colour=red", chat=LOUNGE))
        assert await app.host.places.of(LOUNGE) == PlaceSettings()

    @pytest.mark.parametrize("words", ["settings", "settings images=off"])
    @pytest.mark.parametrize(("language", "said"), [("ko", "이곳의 관리자만"), ("en", "Only those who manage")])
    async def test_others_neither_change_nor_press(
        self, commands: CommandDesk, app: App, words: str, language: str, said: str
    ) -> None:
        refused = await commands.run(ask(words, language, chat=LOUNGE, manager=False))
        assert said in refused.text
        assert refused.buttons == ()
        page = await commands.run(ask("settings", chat=LOUNGE))
        visitor = ask("unused", language, chat=LOUNGE, manager=False)
        assert said in (await commands.pressed(visitor, button(page, "images=off"))).text
        assert await app.host.places.of(LOUNGE) == PlaceSettings()


class TestButtons:
    @pytest.mark.parametrize(("spoken", "said"), [("ko", "네 것이 아니거나"), ("en", "not yours, or too old")])
    async def test_somebody_elses_button_is_gone_and_does_nothing(
        self, commands: CommandDesk, record: Record, spoken: str, said: str
    ) -> None:
        page = await commands.run(ask("memory"))
        for person in (JUN, PersonKey("stone", MINA.user_id)):
            chat = replace(HOME, platform=person.platform)
            answer = await commands.pressed(ask("unused", spoken, person, chat), button(page, "pause"))
            assert said in answer.text
        assert not (await record.people.of(MINA)).paused
        assert said in (await commands.pressed(ask("unused", spoken), Press(str(10**30)))).text

    async def test_every_button_has_an_id_of_its_own(self, commands: CommandDesk) -> None:
        pages = [await commands.run(ask(words)) for words in ("memory", "memory", "settings")]
        ids = [one.data for page in pages for row in page.buttons for one in row]
        assert len(set(ids)) == len(ids)
        assert all(ids)

    async def test_a_button_works_after_a_restart(
        self, commands: CommandDesk, record: Record, thinking: Models, clock: FakeClock
    ) -> None:
        pause = button(await commands.run(ask("memory")), "pause")
        restarted = assemble(Settings.model_construct(), record, thinking, [], clock).host.commands
        assert (await restarted.pressed(ask("unused"), pause)).text.startswith("알겠어")


async def test_a_record_that_fails_gives_an_honest_sentence(commands: CommandDesk, record: Record) -> None:
    page = await commands.run(ask("memory"))
    await record.close()
    failing = (
        "memory",
        "memory forget all yes",
        "memory pause",
        "memory export",
        "forget-me yes",
        "standing",
        "start",
        "settings images=off",
    )
    for words in failing:
        assert "something went wrong" in (await commands.run(ask(words, "en"))).text, words
    assert "something went wrong" in (await commands.pressed(ask("unused", "en"), button(page, "pause"))).text
