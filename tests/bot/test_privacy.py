"""/forget-me: a question, then everything about the person goes, and the next message is the first."""

from datetime import timedelta

import pytest

from bot.adapters.desk import CommandDesk
from bot.app import App
from bot.service import Service
from core.cases import standing
from core.messages import PersonKey
from core.people import PlaceSettings
from core.tasks import MEMORY, OUTPUT_MESSAGE
from models.fakes import FakeClock
from storage.record import Record
from tests.bot.asking import ask, button
from tests.bot.conftest import HOME, JUN, LOUNGE, MINA, PaperAdapter, PuppetModel, handle, nothing_is_left, say
from tests.bot.moderating import ANNA, DESK, Court

COMMANDS = ("forget-me", "forget_me")


async def everything(record: Record, person: PersonKey = MINA) -> dict[str, int]:
    """How much of each kind is kept."""
    kept = await record.people.export(person)
    return {name: len(found) for name, found in kept.items() if isinstance(found, list) and found}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("language", "goes", "stays", "word"),
    [
        ("ko", "나에게 한 말과 내 답", "네 계정 번호", "응"),
        ("en", "what you said to me", "your account's number", "yes"),
    ],
)
async def test_the_question_says_what_goes_and_what_stays_and_nothing_happens_yet(
    commands: CommandDesk,
    service: Service,
    record: Record,
    command: str,
    language: str,
    goes: str,
    stays: str,
    word: str,
) -> None:
    await handle(service, say("안녕"))
    before = await everything(record)
    question = await commands.run(ask(command, language))
    assert goes in question.text
    assert stays in question.text
    assert "/memory export" in question.text
    assert question.instead.endswith(f"/{command} {word}")
    assert await everything(record) == before | {"buttons": 2}
    kept = await commands.pressed(ask("unused", language), button(question, "no"))
    assert kept.buttons == ()
    assert await everything(record) == before | {"buttons": 2}


@pytest.mark.parametrize("command", COMMANDS)
async def test_the_button_deletes_everything_and_she_introduces_herself_anew(
    commands: CommandDesk, service: Service, app: App, record: Record, paper: PaperAdapter, command: str
) -> None:
    await handle(service, say("안녕", 1))
    await handle(service, say("나도 안녕", 2, JUN))
    juns = await record.people.export(JUN)
    await commands.run(ask("settings language=en", chat=HOME))
    assert (await app.host.places.of(HOME)).language == "en"
    question = await commands.run(ask(command))
    done = await commands.pressed(ask("unused"), button(question, "응"))
    assert done.text == "다 지웠어. 다시 말 걸어 주면 그때는 처음 만나는 거야!"
    assert await everything(record) == {}
    assert await record.people.export(JUN) == juns
    assert await app.host.places.of(HOME) == PlaceSettings()
    assert paper.notices == []
    await handle(service, say("안녕", 1))
    assert paper.notices == ["introduction"]


@pytest.mark.parametrize("words", ["forget-me 응", "forget-me yes", "forget_me YES"])
async def test_where_no_buttons_are_the_word_is_typed(
    commands: CommandDesk, service: Service, record: Record, words: str
) -> None:
    await handle(service, say("안녕"))
    assert (await commands.run(ask(words))).text.startswith("다 지웠어.")
    assert await everything(record) == {}


async def test_nobody_presses_somebody_elses_button(commands: CommandDesk, service: Service, record: Record) -> None:
    await handle(service, say("안녕"))
    question = await commands.run(ask("forget-me"))
    answer = await commands.pressed(ask("unused", person=JUN), button(question, "응"))
    assert "네 것이 아니거나" in answer.text
    assert (await everything(record))["messages"] == 1


async def test_a_button_pressed_twice_is_gone(commands: CommandDesk, service: Service) -> None:
    await handle(service, say("안녕"))
    yes = button(await commands.run(ask("forget-me")), "응")
    await commands.pressed(ask("unused"), yes)
    assert "네 것이 아니거나" in (await commands.pressed(ask("unused"), yes)).text


async def test_who_is_blocked_may_leave_and_stays_blocked(court: Court, record: Record, clock: FakeClock) -> None:
    for _ in range(2):
        await court.says()
        clock.move(timedelta(minutes=1))
    before = standing(await record.cases.of(MINA), clock.now())
    assert before.blocked_until is not None
    await court.ask("appeal 2 -- 억울한 카나리아", MINA)
    done = await court.ask("forget-me yes", MINA)
    assert done.text.endswith("Without their words these cases stay: 1, 2.")
    assert standing(await record.cases.of(MINA), clock.now()) == before
    reply = await court.says("안녕")
    assert "blocked" in [notice.kind.value for notice in reply.notices]
    assert await court.events(2) == ["issued", "noticed", "appealed"]


async def test_moderators_do_not_read_the_words_any_longer(court: Court, paper: PaperAdapter) -> None:
    await court.review_here()
    await court.says("로라야 사랑해 카나리아")
    shown = DESK.chat_id, await court.queued(1)
    assert "카나리아" in paper.written[shown][0]
    await court.ask("forget-me yes", MINA)
    await paper.until(lambda: "카나리아" not in paper.written[shown][0])
    page = await court.ask("mod case 1", ANNA, DESK)
    assert "카나리아" not in page.text
    assert "미안, 나는 AI야" not in page.text


@pytest.mark.parametrize("task", [OUTPUT_MESSAGE.name, MEMORY.name])
async def test_a_turn_under_way_leaves_nothing_behind(
    commands: CommandDesk, service: Service, record: Record, language: PuppetModel, paper: PaperAdapter, task: str
) -> None:
    language.gated = {task}
    turn = await service.receive(say("취미: 노래", 1))
    waiting = await service.receive(say("별명: 미나리", 2, chat=LOUNGE))
    await language.arrived.get()
    assert (await commands.run(ask("forget-me 응"))).text.startswith("다 지웠어.")
    shown = len(paper.replies)
    language.gate.set()
    await turn
    await waiting
    assert "fault" not in paper.notices
    assert len(paper.replies) == shown
    assert await everything(record) == {}
    assert await nothing_is_left(record)
