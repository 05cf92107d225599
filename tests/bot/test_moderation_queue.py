"""The review queue: one message a question, edited as its case moves, also after hours out of reach; and races."""

import asyncio
from datetime import timedelta

import pytest

from bot.adapters.base import REVIEW_LENGTH
from core.cases import Kind
from core.errors import DeliveryError, DeliveryRefused
from core.messages import PersonKey
from tests.bot.conftest import HOME, LOUNGE, MINA
from tests.bot.moderating import ANNA, DESK, MODERATES, OPERATOR, OPERATORS_CHAT, OTHER, Court, press_of


def buttons_under(court: Court, message: str, chat_id: str = DESK.chat_id) -> list[str]:
    return [button.label for row in court.paper.written[chat_id, message][1] for button in row]


async def test_a_case_and_each_appeal_have_a_message_that_follows_the_case(court: Court) -> None:
    await court.review_here()
    await court.says()
    first = await court.queued(1)
    assert "새 사건 1" in court.paper.written[DESK.chat_id, first][0]
    assert buttons_under(court, first) == ["유지", "취소", "메모", "자세히"]
    await court.ask("appeal 1 노래였어", MINA)
    second = await court.queued(1, 1)
    assert second != first
    assert "│ 노래였어" in court.paper.written[DESK.chat_id, second][0]
    await court.paper.until(lambda: buttons_under(court, first) == ["메모", "자세히"])
    await court.ask("mod comment 1 I know it")
    await court.paper.until(lambda: "│ I know it" in court.paper.written[DESK.chat_id, second][0])
    await court.ask("mod overturn 1 a song indeed")
    await court.paper.until(lambda: "│ a song indeed" in court.paper.written[DESK.chat_id, second][0])
    await court.paper.until(lambda: buttons_under(court, second) == ["메모", "자세히"])
    assert len(court.paper.written) == 2


async def test_details_and_comments_come_beside_the_message(court: Court) -> None:
    await court.review_here()
    await court.says()
    message = await court.queued(1)
    details = await court.press(press_of(1, "case", message))
    assert details.aside
    assert "Judged by: judge-1" in details.text
    assert all(button.data.isdecimal() or "?" in button.data for row in details.buttons for button in row)
    said = await court.press(press_of(1, "comment", message, "in=guild is no place"))
    assert (said.aside, said.buttons) == (True, ())
    assert (await court.case(1)).events[-1].text == "in=guild is no place"


async def test_a_message_fits_whatever_people_write(court: Court) -> None:
    await court.review_here()
    await court.says("사랑해\n" * 20)
    await court.ask("appeal 1 " + "a\n" * 500, MINA)
    for words in ("b\n" * 400, "c" * 900):
        await court.ask(f"mod comment 1 {words}")
    message = await court.queued(1, 1)
    await court.paper.until(lambda: "ccc" in court.paper.written[DESK.chat_id, message][0])
    assert all(len(text) <= REVIEW_LENGTH for text, _ in court.paper.written.values())


async def test_questions_from_hours_out_of_reach_are_asked_at_the_next_start(court: Court) -> None:
    await court.ask("mod settings review=here", chat=DESK)
    court.paper.chat_faults[DESK.chat_id] = DeliveryRefused("no permission")
    await court.says()
    await court.says(person=PersonKey("paper", "new"))
    await court.paper.until(lambda: court.paper.attempts >= 2)
    court.paper.chat_faults.clear()
    court.clock.move(timedelta(hours=5))
    async with court.assembled().service._casework.under_way():
        for number in (1, 2):
            await court.queued(number)
    assert len(court.paper.written) == 2


async def test_a_chat_that_takes_messages_again_gets_those_it_missed(court: Court) -> None:
    await court.review_here()
    court.paper.chat_faults[DESK.chat_id] = DeliveryRefused("no permission")
    await court.says()
    await court.paper.until(lambda: court.paper.attempts >= 1)
    court.paper.chat_faults.clear()
    await court.says(person=PersonKey("paper", "new"))
    for number in (1, 2):
        await court.queued(number)


async def test_what_the_platform_did_not_take_is_tried_again(court: Court) -> None:
    queue = court.app.service._casework._news._queues["paper"]
    queue._retry_s = 0.01
    await court.review_here()
    court.paper.chat_faults[DESK.chat_id] = DeliveryError("down")
    await court.says()
    await court.paper.until(lambda: court.paper.attempts >= 3)
    court.paper.chat_faults.clear()
    await court.queued(1)


@pytest.mark.parametrize("fault", [DeliveryError("down"), DeliveryRefused("gone"), RuntimeError("broken")])
async def test_a_queue_that_fails_hurts_no_turn(court: Court, fault: Exception) -> None:
    await court.review_here()
    court.paper.chat_faults[DESK.chat_id] = fault
    assert len((await court.says()).notices) == 1
    await court.paper.until(lambda: court.paper.attempts >= 1)
    assert len((await court.says()).notices) == 1


async def test_the_reply_is_there_before_the_queue_hears_of_the_case(court: Court) -> None:
    await court.review_here()
    court.paper.gate.clear()
    turn = asyncio.create_task(court.says())
    await court.paper.posting.wait()
    await asyncio.sleep(0)
    assert court.paper.written == {}
    court.paper.gate.set()
    await turn
    await court.queued(1)


async def test_operators_have_a_chat_for_every_place(court: Court) -> None:
    app = court.app = court.assembled(review_chats=[f"paper:{OPERATORS_CHAT}"])
    async with app.service._casework.under_way():
        for number, chat in enumerate((LOUNGE, OTHER, HOME), 1):
            await court.says(chat=chat, person=PersonKey("paper", f"p{number}"))
        operators = DESK.__class__("paper", OPERATORS_CHAT, private=False, place_id="operators' guild")
        for number in (1, 2, 3):
            message = await court.queued(number, chat=operators)
            refused = await court.press(press_of(number, "overturn", message), PersonKey("paper", "who"), operators)
            assert "no such case" in refused.text
            done = await court.press(press_of(number, "overturn", message), OPERATOR, operators)
            assert "overturned" in done.text


async def test_a_place_without_a_review_chat_is_quiet(court: Court) -> None:
    await court.says()
    await court.review_here()
    await court.queued(1)
    await court.ask("mod settings review=off", chat=DESK)
    await court.says(person=PersonKey("paper", "new"))
    await court.ask("mod overturn 1")
    await court.paper.until(lambda: "취소" in court.paper.written[DESK.chat_id, "q1"][0])
    assert len(court.paper.written) == 1


async def test_fifty_moderators_on_ten_cases_make_ten_decisions_and_the_others_hear_who_was_faster(
    court: Court,
) -> None:
    await court.review_here()
    moderators = [PersonKey("paper", f"mod{number}") for number in range(50)]
    court.rights |= {(moderator, "guild"): MODERATES for moderator in moderators}
    for number in range(10):
        await court.says(person=PersonKey("paper", f"p{number}"))
    messages = [await court.queued(number) for number in range(1, 11)]
    answers = await asyncio.gather(
        *(
            court.press(press_of(number, ("overturn", "uphold")[turn % 2], message), moderator)
            for number, message in enumerate(messages, 1)
            for turn, moderator in enumerate(moderators)
        )
    )
    decided = {}
    for number in range(1, 11):
        events = [event for event in (await court.case(number)).events if event.kind in (Kind.OVERTURNED, Kind.UPHELD)]
        assert len(events) == 1
        assert events[0].by is not None
        decided[number] = events[0].by.user_id
    faster = [answer.text for answer in answers if "was faster" in answer.text]
    assert len(faster) == 490
    assert len(answers) - len(faster) == 10
    for number in range(10):
        mine = [answer.text for answer in answers[50 * number : 50 * number + 50] if "was faster" in answer.text]
        assert {text.partition(" ")[0] for text in mine} == {f"<@{decided[number + 1]}>"}


async def test_a_decision_on_a_question_the_moderator_did_not_see_is_refused(court: Court) -> None:
    await court.review_here()
    await court.says()
    first = await court.queued(1)
    await court.ask("appeal 1 wait", MINA)
    assert "Something happened meanwhile" in (await court.press(press_of(1, "uphold", first))).text
    assert (await court.case(1)).decision is None
    await court.press(press_of(1, "uphold", await court.queued(1, 1), appeal=1), ANNA)
    assert (await court.case(1)).decision is not None
