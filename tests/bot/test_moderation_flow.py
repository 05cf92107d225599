"""Cases from their notice to their end: judged, appealed, overturned; warned, blocked and lifted by hand."""

from datetime import timedelta

import pytest

from core.cases import Kind, State
from core.errors import DeliveryError, DeliveryRefused
from core.messages import NoticeKind
from tests.bot.asking import button
from tests.bot.conftest import HOME, JUN, LOUNGE, MINA
from tests.bot.moderating import ANNA, BERT, DESK, OPERATOR, OTHER, Court, labels, press_of

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def test_an_overturned_case_counts_no_more_so_the_next_confession_is_a_warning_again(court: Court) -> None:
    await court.review_here()
    (warned,) = (await court.says()).notices
    assert (warned.kind, "사건 번호는 1번" in warned.text) == (NoticeKind.WARNING, True)
    (blocked,) = (await court.says()).notices
    assert blocked.kind is NoticeKind.BLOCK
    assert "1시간 동안" in blocked.text
    assert "사건 번호는 2번" in blocked.text
    for number in (1, 2):  # blocked people ask for commands
        assert f"appeal of case {number}" in (await court.ask(f"appeal {number} 노래 가사였어", MINA)).text
        done = await court.press(press_of(number, "overturn", await court.queued(number, 1), appeal=1))
        assert done.aside
        assert "overturned" in done.text
    await court.paper.until(lambda: len(court.paper.told) == 2)
    assert court.paper.told[1] == (MINA, "사건 2번은 취소됐어. 이제 없던 일이야. 미안해!")
    (again,) = (await court.says()).notices
    assert (again.kind, "사건 번호는 3번" in again.text) == (NoticeKind.WARNING, True)
    assert (await court.events(2))[:4] == ["issued", "noticed", "appealed", "overturned"]


async def test_a_blocked_person_sees_the_number_and_may_appeal_in_private_too(court: Court) -> None:
    for _ in range(2):
        await court.says()
    standing = (await court.ask("standing", MINA)).text
    assert "Blocked until" in standing
    assert "Case 2: love confession / dating · 1 hour(s) · not reviewed" in standing
    assert "appeal of case 2" in (await court.ask("appeal #2 because", MINA, HOME)).text
    assert (await court.case(2)).state is State.APPEALED


async def test_evidence_and_history_are_on_the_page_of_a_case(court: Court) -> None:
    await court.says()
    await court.ask("appeal 1 it was a song", MINA)
    await court.ask("mod comment 1 I know the song")
    page = await court.ask("mod case 1")
    for said in (
        "#1 · love confession / dating, step 1 · warning · appealed · <@mina>", "Where: <#lounge>", "│ 로라야 사랑해",
        "│ 미안, 나는 AI야", "· love confession / dating: 1.0000 / 0.9800 ●", "/ 0.5000", "Judged by: judge-1",
        "오로라 · case opened", "오로라 · person told (delivered)", "<@mina> · appealed", "│ it was a song",
        "<@anna> · comment", "│ I know the song",
    ):  # fmt: skip
        assert said in page.text
    assert labels(page) == ["Uphold", "Overturn", "Comment"]


async def test_a_block_is_shortened_by_a_form_and_the_person_told_until_when(court: Court) -> None:
    for _ in range(2):
        await court.says()
    page = await court.ask("mod case 2")
    assert labels(page) == ["Uphold", "Overturn", "Shorten", "Comment"]
    press = button(page, "shorten 2 appeal=0", "30 minutes", "it was 1h too much")
    form = court.app.host.commands.form(press.data, "en")
    assert form is not None
    assert [field.label for field in form.fields] == ["New period (1h, 3d; 0 is a warning)", "Reason"]
    assert form.instead == "/mod shorten 2 1h reason"
    after = await court.press(press, chat=LOUNGE)
    assert "shortened (30 minute(s))" in after.text
    await court.paper.until(lambda: bool(court.paper.told))
    (told,) = court.paper.told
    assert told[0] == MINA
    assert "30분(으)로 줄었어. 2025년 11월 21일 12:30까지야." in told[1]
    assert "│ it was 1h too much" in told[1]


async def test_what_is_upheld_unasked_is_no_news_and_what_was_appealed_is(court: Court) -> None:
    await court.says()
    await court.ask("mod uphold 1")
    await court.ask("appeal 1 again please", MINA)
    await court.ask("mod uphold 1 still a confession")
    await court.paper.until(lambda: bool(court.paper.told))
    assert court.paper.told == [
        (MINA, "사건 1번에 대한 이의를 사람이 다시 봤는데, 결정은 그대로야.\n│ still a confession")
    ]


@pytest.mark.parametrize("fault", [DeliveryRefused("closed"), DeliveryError("lost"), RuntimeError("broken")])
async def test_news_that_do_not_arrive_are_noted_and_a_closed_door_gets_a_hint_where_it_happened(
    court: Court, fault: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    await court.says()
    court.paper.told_fault = fault
    await court.ask("mod overturn 1")
    await court.app.service._casework._news._teller.close()
    outcome = "refused" if isinstance(fault, DeliveryRefused) else "unknown"
    assert (await court.case(1)).events[-1].text == outcome
    hints = [text for (chat, _), (text, _) in court.paper.written.items() if chat == LOUNGE.chat_id]
    assert hints == (["사건 1번에 소식이 있어. 당사자는 /standing 으로 확인해 줘."] if outcome == "refused" else [])
    assert "case 1" in caplog.text


class TestByHand:
    async def test_a_moderator_warns_and_blocks_in_their_place_only(self, court: Court) -> None:
        await court.ask("mod warn <@jun> politics -- 3 times now")
        await court.ask("mod block <@jun> politics 2d enough")
        await court.paper.until(lambda: len(court.paper.told) == 2)
        assert "'정치'(으)로 너에게 경고했어.\n│ 3 times now\n사건 번호는 1번" in court.paper.told[0][1]
        assert "2일 동안 너를 차단했어. 2025년 11월 23일 12:00까지야." in court.paper.told[1][1]
        assert [notice.kind for notice in (await court.says("안녕", JUN)).notices] == [NoticeKind.BLOCKED]
        assert (await court.says("안녕", JUN, OTHER)).notices == ()
        assert "It holds in this place only." in (await court.ask("mod case 2")).text

    async def test_a_block_without_a_period_takes_the_next_step_of_the_ladder(self, court: Court) -> None:
        for period in (timedelta(0), 3 * DAY):
            verb = "block" if period else "warn"
            await court.ask(f"mod {verb} <@jun> politics because")
            assert (await court.record.cases.of(JUN))[-1].sanction.period == period

    async def test_an_operators_block_holds_everywhere(self, court: Court) -> None:
        await court.ask("mod block <@jun> hate 1h spam", OPERATOR, HOME)
        assert [notice.kind for notice in (await court.says("안녕", JUN, OTHER)).notices] == [NoticeKind.BLOCKED]

    @pytest.mark.parametrize("words", ["politics 0 because", "politics", "2h because", "politics 2h"])
    async def test_what_says_too_little_does_nothing(self, court: Court, words: str) -> None:
        assert "missing" in (await court.ask(f"mod block <@jun> {words}")).text
        assert await court.record.cases.of(JUN) == []

    async def test_lifting_ends_the_block_and_the_case_goes_on_counting(self, court: Court) -> None:
        for _ in range(2):
            await court.says()
        assert "Cases: 2" in (await court.ask("mod lift <@mina> enough")).text
        await court.paper.until(lambda: bool(court.paper.told))
        assert court.paper.told == [(MINA, "사건 2번의 차단이 풀렸어.\n│ enough")]
        assert "Nothing blocks them" in (await court.ask("mod lift <@mina>")).text
        (blocked,) = (await court.says()).notices
        assert "1일 동안" in blocked.text


async def test_a_persons_page_has_standing_next_steps_and_the_cases_of_this_place(court: Court) -> None:
    for _ in range(2):
        await court.says()
    page = await court.ask("mod person <@mina>")
    for said in ("Person: <@mina>", "Blocked until 2025-11-21 13:00", "love confession / dating: step 3, 1 day(s)",
                 "insulting parents: step 1, 7 day(s)", "#2 ·", "#1 ·"):  # fmt: skip
        assert said in page.text
    case = await court.press(button(page, "case 2"), chat=LOUNGE)
    assert case.text.startswith("Case 2")


async def test_shadow_cases_reach_the_moderators_and_never_the_person(court: Court) -> None:
    await court.review_here()
    await court.ask("mod settings category=love mode=shadow")
    assert (await court.says()).notices == ()
    text, _ = court.paper.written[DESK.chat_id, await court.queued(1)]
    assert "(기록만)" in text
    assert await court.events(1) == ["issued"]
    assert "no such case" in (await court.ask("appeal 1 what", MINA)).text
    await court.ask("mod overturn 1", BERT)
    assert (await court.case(1)).events[-1].kind is Kind.OVERTURNED
    assert "No warnings" in (await court.ask("standing", MINA)).text
    assert court.paper.told == []


async def test_appeals_wait_a_week_and_are_three_at_most(court: Court) -> None:
    await court.says()
    answers = []
    for wait in (0, 0, 1, 8, 8, 8):
        court.clock.move(wait * DAY)
        answers.append((await court.ask("appeal 1 please", MINA)).text)
        if len(answers) > 1:
            await court.ask("mod uphold 1")
    assert [text.partition(" ")[0] for text in answers] == ["I", "That", "You", "I", "I", "A"]
    assert "after 2025-11-28 12:00, 7 days" in answers[2]
    assert "3 times" in answers[5]


async def test_case_numbers_and_rights_are_the_same_in_korean(court: Court) -> None:
    await court.says()
    page = await court.ask("mod 사건목록 대기 사랑", ANNA, language="ko")
    assert "#1 · 사랑 고백/만남 1번째 · 경고 · 검토 전 · <@mina>" in page.text
    assert "취소" in (await court.ask("mod 취소 1", language="ko")).text
    assert (await court.case(1)).state is State.OVERTURNED
