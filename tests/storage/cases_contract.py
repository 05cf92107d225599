"""What every CaseStore must do; the `record` fixture gives an empty record."""

import asyncio
import random
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from core.case_store import CaseFilter, Shown, Stats, WeekCount
from core.cases import Case, Event, Kind, State
from core.errors import RecordError
from core.messages import PersonKey, PlaceKey
from core.moderation import Refusal, Refused, issued
from core.ports import Delivery
from core.sanctions import Evidence, Mode, Sanction
from storage.record import Record
from tests.storage.case_samples import (
    DAY,
    GAMES,
    GUILD,
    LOUNGE,
    OPERATOR,
    OTHER,
    OTHER_GUILD,
    appeal,
    judge,
    moderator,
    note,
    numbers,
    offend,
    shadow,
)
from tests.storage.samples import HOME, JUN, MINA, NOON, bare, issued_to, message, sanction, turn

NEVER_THERE = [0, -1, 7, 10**30]


class CaseStoreContract:
    async def test_a_persons_cases_come_back_as_they_were_oldest_first(self, record: Record) -> None:
        periods = {"love": timedelta(0), "hate": timedelta(days=1461), "insult": timedelta(hours=1, microseconds=1)}
        log = [
            replace(sanction(name, period, NOON + timedelta(days=step)), step=step)
            for step, (name, period) in enumerate(periods.items())
        ]
        for number, one in enumerate(log):
            await offend(record, number, one)
        found = await record.cases.of(MINA)
        assert [case.sanction for case in found] == [replace(one, evidence=Evidence()) for one in log]
        assert await issued_to(MINA, record) == log
        assert [case.events for case in found] == [(Event(Kind.ISSUED, one.at),) for one in log]
        assert {(case.person, case.chat, case.language, case.everywhere) for case in found} == {
            (MINA, LOUNGE, "ko", True)
        }

    async def test_cases_of_one_turn_keep_their_order(self, record: Record) -> None:
        found = await offend(record, 1, sanction("politics"), sanction("hate"), sanction("love"))
        assert [case.sanction.category for case in found] == ["politics", "hate", "love"]
        assert numbers(found) == sorted(numbers(found))
        assert len({case.turn for case in found}) == 1
        assert await record.cases.of_turn(10**6) == []

    async def test_nobody_is_sanctioned_for_another_person(self, record: Record) -> None:
        await offend(record, 1)
        assert await record.cases.of(JUN) == []
        assert await record.cases.of(PersonKey("discord", MINA.user_id)) == []

    async def test_evidence_that_has_no_form_in_json_is_refused_and_nothing_is_written(self, record: Record) -> None:
        await record.turns.receive(message())
        bad = replace(sanction(), evidence=Evidence(scores={"love": object()}))  # type: ignore[dict-item]
        with pytest.raises(RecordError, match="object has no form in JSON"):
            await record.turns.commit(turn(message(), bad))
        assert await record.turns.unanswered() == [message()]
        assert await record.turns.undelivered() == []

    async def test_numbers_of_numpy_are_evidence(self, record: Record) -> None:
        await offend(record, 1, replace(sanction(), evidence=Evidence(scores={"love": np.float32(0.5)})))
        assert (await issued_to(MINA, record))[0].evidence.scores == {"love": 0.5}

    async def test_a_case_that_nobody_notices_is_recorded_and_not_among_the_persons(self, record: Record) -> None:
        found = await offend(record, 1, shadow("love"), sanction("hate", DAY))
        assert [case.sanction.mode for case in found] == [Mode.SHADOW, Mode.ENFORCE]
        assert await record.cases.of(MINA) == [bare(case) for case in found[1:]]
        assert await record.cases.page(CaseFilter(person=MINA)) == found[::-1]

    async def test_the_reply_names_the_cases_that_the_person_notices(self, record: Record) -> None:
        _, felt = await offend(record, 1, shadow("love"), sanction("hate", DAY))
        (left,) = await record.turns.undelivered()
        assert all(f"사건 번호는 {felt.number}번" in notice.text for notice in left.reply.notices)

    @pytest.mark.parametrize("number", NEVER_THERE)
    async def test_a_case_that_was_never_issued_is_none(self, record: Record, number: int) -> None:
        await offend(record, 1)
        assert await record.cases.get(number) is None
        with pytest.raises(Refused) as refused:
            await judge(record, number)
        assert refused.value.reason is Refusal.NO_CASE

    async def test_a_case_has_its_events_in_their_order(self, record: Record) -> None:
        (case,) = await offend(record, 1, sanction("hate", DAY))
        happened = (
            Event(Kind.APPEALED, NOON + DAY, MINA, "억울해\ud800"),
            Event(Kind.COMMENTED, NOON, OPERATOR.person, "'; DROP TABLE cases; --"),
            Event(Kind.SHORTENED, NOON + 2 * DAY, OPERATOR.person, "<b>음</b>", timedelta(hours=1, microseconds=1)),
            Event(Kind.LIFTED, NOON - DAY, OPERATOR.person),
        )
        after = await note(record, case.number, *happened)
        assert after == replace(case, events=(*case.events, *happened))

    async def test_what_is_appended_follows_from_the_case_as_it_is(self, record: Record) -> None:
        (case,) = await offend(record, 1)

        def counted(now: Case) -> Event:
            return Event(Kind.COMMENTED, NOON, OPERATOR.person, str(len(now.events)))

        await asyncio.gather(*(record.cases.append(case.number, counted) for _ in range(20)))
        after = await record.cases.get(case.number)
        assert after is not None
        assert [event.text for event in after.events[1:]] == [str(number) for number in range(1, 21)]

    async def test_a_rule_that_refuses_writes_nothing(self, record: Record) -> None:
        (case,) = await offend(record, 1)
        with pytest.raises(Refused):
            await judge(record, case.number, by=moderator(place=OTHER_GUILD))
        assert await record.cases.get(case.number) == case

    async def test_fifty_moderators_on_ten_cases_make_ten_decisions(self, record: Record) -> None:
        cases = [(await offend(record, number))[0].number for number in range(10)]
        presses = [(number, moderator(f"mod {name}")) for number in cases for name in range(50)]
        random.Random(7).shuffle(presses)
        kinds = [Kind.UPHELD, Kind.OVERTURNED]
        pressed = await asyncio.gather(
            *(judge(record, number, kinds[turn % 2], by=by) for turn, (number, by) in enumerate(presses)),
            return_exceptions=True,
        )
        made = [case for case in pressed if isinstance(case, Case)]
        assert sorted(numbers(made)) == cases
        winners = {case.number: case.decision for case in made}
        for (number, by), outcome in zip(presses, pressed, strict=True):
            if isinstance(outcome, Refused):
                assert outcome.reason is Refusal.DECIDED
                assert outcome.event == winners[number]
                assert outcome.event is not None
                assert outcome.event.by != by.person
        for number in cases:
            after = await record.cases.get(number)
            assert after is not None
            assert len(after.events) == 2

    async def test_a_delivered_notice_is_an_event_of_its_cases(self, record: Record) -> None:
        first, second = await offend(record, 1, sanction("hate", DAY), shadow("love"))
        assert first.turn is not None
        await record.turns.begin(first.turn, NOON + timedelta(minutes=5))
        for outcome in (Delivery.UNKNOWN, Delivery.UNKNOWN, Delivery.DELIVERED, Delivery.REFUSED):
            await record.turns.end(first.turn, outcome)
        told, silent = await record.cases.of_turn(first.turn)
        later = NOON + timedelta(minutes=5)
        assert told.events[1:] == tuple(Event(Kind.NOTICED, later, None, how) for how in ("unknown", "delivered"))
        assert silent == second

    async def test_a_case_issued_by_hand_is_a_case(self, record: Record) -> None:
        by = moderator()
        reason = issued(JUN, GUILD, by, NOON, "도배")
        handmade = Sanction("hate", 2, NOON, 3 * DAY)
        case = await record.cases.open(JUN, GAMES, handmade, reason, everywhere=False, language="en")
        assert case == Case(case.number, JUN, GAMES, handmade, (reason,), everywhere=False, language="en")
        assert case.manual
        assert await record.cases.get(case.number) == case
        assert await record.cases.of(JUN) == [case]
        assert (await judge(record, case.number, Kind.OVERTURNED)).state is State.OVERTURNED

    async def test_what_lists_are_made_of_follows_from_the_events(self, record: Record) -> None:
        rng = random.Random(11)
        kinds = [kind for kind in Kind if kind is not Kind.ISSUED]
        for number in range(40):
            (case,) = await offend(record, number, sanction("hate", DAY))
            for _ in range(rng.randrange(4)):
                period = timedelta(hours=rng.randrange(24))
                await note(record, case.number, Event(rng.choice(kinds), NOON + DAY, MINA, "", period))
        everything = await record.cases.page(CaseFilter(), limit=100)
        assert {case.state for case in everything} == set(State)
        for state in State:
            listed = await record.cases.page(CaseFilter(state=state), limit=100)
            assert listed == [case for case in everything if case.state is state]


class ListsOfCasesContract:
    @pytest.mark.parametrize(
        ("wanted", "found"),
        [
            (CaseFilter(), [6, 5, 4, 3, 2, 1]),
            (CaseFilter(GUILD), [5, 3, 2, 1]),
            (CaseFilter(PlaceKey("discord", "guild")), []),
            (CaseFilter(OTHER_GUILD), [6]),
            (CaseFilter(HOME.place), [4]),
            (CaseFilter(state=State.OPEN), [6, 5, 4, 3]),
            (CaseFilter(GUILD, State.OVERTURNED), [1]),
            (CaseFilter(GUILD, State.APPEALED), [2]),
            (CaseFilter(OTHER_GUILD, State.APPEALED), []),
            (CaseFilter(person=JUN), [5, 4]),
            (CaseFilter(GUILD, person=JUN), [5]),
            (CaseFilter(category="hate"), [6, 3]),
            (CaseFilter(GUILD, category="hate"), [3]),
            (CaseFilter(GUILD, State.OPEN, MINA, "hate", NOON + 2 * DAY), [3]),
            (CaseFilter(since=NOON + 3 * DAY), [6, 5, 4]),
            (CaseFilter(since=NOON + 3 * DAY + timedelta(microseconds=1)), [6, 5]),
            (CaseFilter(GUILD, since=NOON + 60 * DAY), []),
        ],
    )
    async def test_a_list_has_what_is_wanted_newest_first(
        self, record: Record, wanted: CaseFilter, found: list[int]
    ) -> None:
        await six_cases(record)
        listed = await record.cases.page(wanted)
        assert numbers(listed) == found
        assert listed == [await record.cases.get(number) for number in found]

    async def test_pages_are_the_list_in_pieces_also_when_cases_are_added_between(self, record: Record) -> None:
        await six_cases(record)
        first = await record.cases.page(CaseFilter(), limit=2)
        await offend(record, 99)
        second = await record.cases.page(CaseFilter(), before=first[-1].number, limit=3)
        third = await record.cases.page(CaseFilter(), before=second[-1].number, limit=3)
        assert [numbers(page) for page in (first, second, third)] == [[6, 5], [4, 3, 2], [1]]
        assert numbers(await record.cases.page(CaseFilter(), before=10**30)) == [7, 6, 5, 4, 3, 2, 1]

    async def test_an_export_has_everything_since_then_oldest_first(self, record: Record) -> None:
        await six_cases(record)
        for since, place, found in (
            (NOON - DAY, None, [1, 2, 3, 4, 5, 6]),
            (NOON + 3 * DAY, None, [4, 5, 6]),
            (NOON + 2 * DAY, GUILD, [3, 5]),
            (NOON + 60 * DAY, None, []),
        ):
            assert numbers([case async for case in record.cases.export(since, place)]) == found

    async def test_a_long_export_comes_whole_and_once(self, record: Record) -> None:
        reason = issued(JUN, GUILD, moderator(), NOON, "도배")
        for _ in range(401):
            await record.cases.open(JUN, LOUNGE, sanction(), reason, everywhere=False, language="ko")
        assert numbers([case async for case in record.cases.export(NOON)]) == list(range(1, 402))

    async def test_figures_are_those_of_the_log(self, record: Record) -> None:
        await six_cases(record)
        await judge(record, 2, Kind.UPHELD, NOON + 20 * DAY)  # appealed at NOON + 10 days
        await appeal(record, 2, NOON + 30 * DAY)
        await judge(record, 2, Kind.SHORTENED, NOON + 34 * DAY)
        await appeal(record, 3, NOON + 30 * DAY)
        friday, next_friday = date(2025, 11, 17), date(2025, 11, 24)
        figures = await record.cases.stats(GUILD, NOON)
        assert figures == Stats(
            weeks=(
                WeekCount(friday, "hate", Mode.ENFORCE, State.APPEALED, 1),
                WeekCount(friday, "love", Mode.ENFORCE, State.OVERTURNED, 1),
                WeekCount(friday, "love", Mode.ENFORCE, State.SHORTENED, 1),
                WeekCount(next_friday, "love", Mode.SHADOW, State.OPEN, 1),
            ),
            answered=2,
            mean_wait=7 * DAY,
            longest_wait=10 * DAY,
            waiting=1,
        )
        assert figures.share_overturned() == {"love": 0.5, "hate": 0.0}
        everywhere = await record.cases.stats(None, NOON)
        assert sum(count.cases for count in everywhere.weeks) == 6
        assert everywhere.answered == 2

    async def test_figures_begin_with_the_week_of_the_moment(self, record: Record) -> None:
        await six_cases(record)
        assert await record.cases.stats(OTHER_GUILD, NOON + 14 * DAY) == Stats()
        sunday, monday = NOON + 2 * DAY, NOON + 3 * DAY
        assert sum(count.cases for count in (await record.cases.stats(None, sunday)).weeks) == 6
        assert sum(count.cases for count in (await record.cases.stats(None, monday)).weeks) == 3


class KeptForAWhileContract:
    async def test_prompt_and_answer_go_after_a_while_and_the_rest_stays(self, record: Record) -> None:
        (old,) = await offend(record, 1, sanction("hate", 2 * DAY))
        (young,) = await offend(record, 2, sanction("hate", 3 * DAY))
        assert await record.cases.blank(NOON + 2 * DAY) == 0
        assert await record.cases.blank(NOON + 3 * DAY) == 1
        assert await record.cases.blank(NOON + 3 * DAY) == 0
        evidence = replace(old.sanction.evidence, prompt="", answer="")
        blanked = replace(old, sanction=replace(old.sanction, evidence=evidence), blanked=True)
        assert await record.cases.get(old.number) == blanked
        assert await record.cases.get(young.number) == young

    async def test_an_end_that_comes_earlier_counts(self, record: Record) -> None:
        (case,) = await offend(record, 1, sanction("hate", 90 * DAY))
        await judge(record, case.number, Kind.OVERTURNED, NOON + DAY)
        assert await record.cases.blank(NOON + DAY) == 0
        assert await record.cases.blank(NOON + 2 * DAY) == 1

    async def test_a_case_with_an_open_appeal_keeps_its_evidence(self, record: Record) -> None:
        (case,) = await offend(record, 1)
        await appeal(record, case.number)
        assert await record.cases.blank(NOON + DAY) == 0
        await judge(record, case.number)
        assert await record.cases.blank(NOON + DAY) == 1

    async def test_many_are_blanked_a_few_at_a_time(self, record: Record) -> None:
        reason = issued(JUN, GUILD, moderator(), NOON, "도배")
        for _ in range(501):
            await record.cases.open(JUN, LOUNGE, sanction(), reason, everywhere=False, language="ko")
        assert [await record.cases.blank(NOON + DAY) for _ in range(3)] == [500, 1, 0]


class ReviewQueueContract:
    async def test_a_case_knows_the_messages_that_show_it_and_its_appeals_in_each_chat(self, record: Record) -> None:
        (case,) = await offend(record, 1)
        first, again = Shown(0, "mods", "m1"), Shown(0, "mods", "m2")
        others, second = Shown(0, "operators", "m1"), Shown(1, "mods", "m3")
        for shown in (second, first, others, again):
            await record.cases.show(case.number, shown)
        assert await record.cases.shown(case.number) == [again, others, second]
        assert await record.cases.shown(case.number + 1) == []

    async def test_a_message_cannot_show_a_case_that_is_not_there(self, record: Record) -> None:
        with pytest.raises(RecordError, match=r"(?i)foreign ?key"):
            await record.cases.show(7, Shown(0, "mods", "m1"))


async def six_cases(record: Record) -> None:
    """1 to 6, a day apart but for the last two, which come after a week: who, where, and what became of them."""
    week = NOON + 7 * DAY
    await offend(record, 1, sanction("love", at=NOON))
    await offend(record, 2, sanction("love", DAY, NOON + DAY))
    await offend(record, 3, sanction("hate", DAY, NOON + 2 * DAY))
    await offend(record, 4, sanction("insult", DAY, NOON + 3 * DAY), person=JUN, chat=HOME)
    await offend(record, 5, shadow("love", DAY, week), person=JUN, chat=GAMES)
    await offend(record, 6, sanction("hate", DAY, week), chat=OTHER)
    await judge(record, 1, Kind.OVERTURNED)
    await appeal(record, 2, NOON + 10 * DAY)
