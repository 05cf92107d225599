"""What moderators set and decide, as a turn feels it: modes, thresholds, ladders, undone cases; and clocks."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from core import Policy
from core.case_store import CaseFilter
from core.cases import Kind, standing
from core.messages import ChatKey, NoticeKind, Turn
from core.moderation import Moderator, appealed, decided, issued, lifted
from core.people import PlaceSettings
from core.sanctions import LADDERS, Mode, Sanction, step_period
from storage.record import Record
from tests.core.casework import OPERATOR
from tests.core.talk import GAMES, HOME, JUN, LOUNGE, LOUNGE_ELSEWHERE, MINA, Talk, issued_to, script

NAMES = {"love": "사랑 고백/만남", "politics": "정치", "insult": "패드립", "hate": "혐오/기타"}
DECLINES = script("미안, 그건 좀 부담스러워", "[취미: 노래]", "미안하다고 함")
BORA = Moderator(JUN, LOUNGE.place)
HOUR, DAY, MOMENT = timedelta(hours=1), timedelta(days=1), timedelta(microseconds=1)


def kinds(turn: Turn) -> list[NoticeKind]:
    return [notice.kind for notice in turn.reply.notices]


async def choose(record: Record, chat: ChatKey = LOUNGE, **chosen: object) -> None:
    await record.places.change(chat.place, replace(PlaceSettings(), **chosen))  # type: ignore[arg-type]


class TestModes:
    @pytest.mark.parametrize("category", NAMES)
    async def test_a_shadow_is_recorded_and_the_person_notices_nothing(self, record: Record, category: str) -> None:
        await choose(record, modes={category: Mode.SHADOW})
        talk = Talk(record, DECLINES)
        for _ in range(3):
            turn = await talk.say(NAMES[category], chat=LOUNGE)
            assert (turn.reply.text, kinds(turn), turn.to_remember) == ("미안, 그건 좀 부담스러워", [], True)
        assert await talk.remembered() == ["[취미: 노래]"]
        assert await talk.summary(chat=LOUNGE) == "미안하다고 함"
        assert await issued_to(MINA, record) == []
        cases = await record.cases.page(CaseFilter(LOUNGE.place))
        # none of them counts, so each is what the first one would have been
        first = LADDERS[category][0]
        assert [(case.sanction.mode, case.sanction.step, case.sanction.period) for case in cases] == [
            (Mode.SHADOW, 1, first)
        ] * 3
        assert cases[0].sanction.evidence.scores[category] == 1.0

    @pytest.mark.parametrize("category", NAMES)
    async def test_a_category_that_is_off_leaves_nothing(self, record: Record, category: str) -> None:
        await choose(record, modes={category: Mode.OFF})
        turn = await Talk(record, DECLINES).say(NAMES[category], chat=LOUNGE)
        assert (kinds(turn), turn.sanctions, turn.to_remember) == ([], (), True)
        assert await record.cases.page(CaseFilter()) == []

    async def test_a_mode_holds_in_all_channels_of_its_place_and_nowhere_else(self, record: Record) -> None:
        await choose(record, modes={"love": Mode.OFF})
        talk = Talk(record, DECLINES)
        for chat, expected in (
            (LOUNGE, []), (GAMES, []), (HOME, [NoticeKind.WARNING]), (LOUNGE_ELSEWHERE, [NoticeKind.BLOCK]),
        ):  # fmt: skip
            assert kinds(await talk.say(NAMES["love"], chat=chat)) == expected

    async def test_what_is_enforced_counts_on_beside_a_shadow(self, record: Record) -> None:
        talk = Talk(record, DECLINES)
        assert kinds(await talk.say(NAMES["love"], chat=LOUNGE_ELSEWHERE)) == [NoticeKind.WARNING]
        await choose(record, modes={"love": Mode.SHADOW})
        assert kinds(await talk.say(NAMES["love"], chat=LOUNGE)) == []
        assert kinds(await talk.say(NAMES["love"], chat=LOUNGE_ELSEWHERE)) == [NoticeKind.BLOCK]
        assert [one.step for one in await issued_to(MINA, record)] == [1, 2]

    async def test_a_place_may_raise_its_threshold(self, record: Record) -> None:
        talk = Talk(record, DECLINES)
        await choose(record, thresholds={"insult": 1.0})
        almost = "패드립을"
        scored = await talk.say(almost, chat=LOUNGE)
        await choose(record, thresholds={"insult": scored.ethics_scores["insult"] + 0.01})
        assert kinds(await talk.say(almost, chat=LOUNGE)) == []
        assert kinds(await talk.say(NAMES["insult"], chat=LOUNGE)) == [NoticeKind.BLOCK]
        (issued,) = await issued_to(MINA, record)
        assert issued.evidence.thresholds["insult"] == max(scored.ethics_scores["insult"] + 0.01, 0.9)

    async def test_a_place_may_have_a_milder_ladder(self, record: Record) -> None:
        await choose(record, ladders={"insult": (timedelta(0), HOUR)})
        talk = Talk(record)
        turns = [kinds(await talk.say(NAMES["insult"], chat=LOUNGE)) for _ in range(2)]
        assert turns == [[NoticeKind.WARNING], [NoticeKind.BLOCK]]
        assert [one.period for one in await issued_to(MINA, record)] == [timedelta(0), HOUR]


class TestWhatModeratorsDo:
    async def test_an_overturned_case_counts_for_neither_the_block_nor_the_next_step(self, record: Record) -> None:
        talk = Talk(record, DECLINES)
        assert kinds(await talk.say(NAMES["love"], chat=LOUNGE)) == [NoticeKind.WARNING]
        assert kinds(await talk.say(NAMES["love"], chat=LOUNGE)) == [NoticeKind.BLOCK]
        assert kinds(await talk.say("안녕", chat=LOUNGE)) == [NoticeKind.BLOCKED]
        first, second = await record.cases.of(MINA)
        now = talk.clock.now()
        # also while blocked
        await record.cases.append(second.number, partial(appealed, person=MINA, now=now, text="농담이었어"))
        await record.cases.append(second.number, partial(decided, by=BORA, kind=Kind.OVERTURNED, now=now))
        assert kinds(await talk.say("안녕", chat=LOUNGE)) == []
        await record.cases.append(first.number, partial(decided, by=BORA, kind=Kind.OVERTURNED, now=now))
        assert kinds(await talk.say(NAMES["love"], chat=LOUNGE)) == [NoticeKind.WARNING]

    async def test_who_was_lifted_talks_again_and_is_one_step_further(self, record: Record) -> None:
        talk = Talk(record, DECLINES)
        for _ in range(2):
            await talk.say(NAMES["love"], chat=LOUNGE)
        blocking = (await record.cases.of(MINA))[-1]
        await record.cases.append(blocking.number, partial(lifted, by=BORA, now=talk.clock.now()))
        assert kinds(await talk.say("안녕", chat=LOUNGE)) == []
        await talk.say(NAMES["love"], chat=LOUNGE)
        assert [one.period for one in await issued_to(MINA, record)] == [timedelta(0), HOUR, DAY]

    @pytest.mark.parametrize(
        ("by", "everywhere", "heard_elsewhere"), [(BORA, False, []), (OPERATOR, True, [NoticeKind.BLOCKED])]
    )
    async def test_a_block_by_hand_holds_in_its_place_and_an_operators_everywhere(
        self, record: Record, by: Moderator, everywhere: bool, heard_elsewhere: list[NoticeKind]
    ) -> None:
        talk = Talk(record)
        now = talk.clock.now()
        reason = issued(MINA, LOUNGE.place, by, now, "도배", everywhere=everywhere)
        block = Sanction("hate", 1, now, DAY)
        await record.cases.open(MINA, LOUNGE, block, reason, everywhere=everywhere, language="ko")
        for chat in (LOUNGE, GAMES):
            assert kinds(await talk.say("안녕", chat=chat)) == [NoticeKind.BLOCKED]
            talk.later(minutes=10)
        for chat in (HOME, LOUNGE_ELSEWHERE):
            assert kinds(await talk.say("안녕", chat=chat)) == heard_elsewhere
            talk.later(minutes=10)
        talk.later(days=1)
        assert kinds(await talk.say("안녕", chat=LOUNGE)) == []


class TestClocks:
    @pytest.mark.parametrize(
        "jumps", [[-DAY], [-HOUR], [HOUR, -HOUR], [DAY, -DAY], [-DAY, DAY, DAY, -DAY, -HOUR, HOUR]]
    )
    async def test_a_clock_that_jumps_and_comes_back_leaves_the_end_where_it_was(
        self, record: Record, jumps: list[timedelta]
    ) -> None:
        talk = Talk(record)
        await talk.say(NAMES["hate"])
        end = talk.clock.now() + DAY
        talk.clock.moment = end - MOMENT
        for jump in jumps:
            talk.clock.move(jump)
            await talk.say("안녕")
        talk.clock.moment = end - MOMENT
        assert (await talk.say("안녕")).reply.text == ""
        talk.clock.moment = end
        assert (await talk.say("안녕")).reply.text == "응, 듣고 있어!"

    @pytest.mark.parametrize("lag", [HOUR, DAY])
    async def test_a_clock_that_fell_back_takes_nothing_off_a_new_block(self, record: Record, lag: timedelta) -> None:
        talk = Talk(record)
        right = talk.clock.now()
        message = replace(talk.message(NAMES["hate"]), sent_at=right)
        talk.clock.move(-lag)
        (new,) = (await talk.conversation.reply(message)).sanctions
        assert new.at + new.period == right + DAY

    @pytest.fixture
    def anywhere(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
        yield monkeypatch
        monkeypatch.undo()
        time.tzset()

    @pytest.mark.parametrize("category", NAMES)
    async def test_the_ladder_holds_over_restarts_and_in_every_time_zone(
        self, tmp_path: Path, anywhere: pytest.MonkeyPatch, category: str
    ) -> None:
        zones = ["Asia/Seoul", "America/New_York", "Pacific/Kiritimati", "Europe/Berlin", "Pacific/Pago_Pago"]
        url, ladder = f"sqlite+aiosqlite:///{tmp_path}/record.db", LADDERS[category]
        now = None
        for step in range(1, len(ladder) + 2):
            zone = zones[step % len(zones)]
            anywhere.setenv("TZ", zone)
            time.tzset()
            async with await Record.open(url) as record:
                talk = Talk(record, DECLINES, policy=Policy(zone=ZoneInfo(zone)))
                talk._messages = 100 * step
                talk.clock.moment = now or talk.clock.moment
                period = step_period(ladder, step)
                told = await talk.say(NAMES[category])
                assert kinds(told) == [NoticeKind.BLOCK if period else NoticeKind.WARNING]
                end = talk.clock.moment + period
            async with await Record.open(url) as record:
                talk = Talk(record, DECLINES, policy=Policy(zone=ZoneInfo(zones[(step + 2) % len(zones)])))
                talk._messages = 100 * step + 50
                if period:
                    talk.clock.moment = end - MOMENT
                    assert kinds(await talk.say("안녕")) == [NoticeKind.BLOCKED]
                talk.clock.moment = now = end
                assert kinds(await talk.say("안녕")) == []
                cases = await record.cases.of(MINA)
                assert standing(cases, end).counts == {category: step}
                assert cases[-1].sanction.step == step
