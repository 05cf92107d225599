"""Stored cases through another judge: who would be blocked, what is counted, what becomes a training row."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.cases import Case, Event, Kind, standing
from core.ethics import Thresholds, acting
from core.messages import ChatKey, PersonKey
from core.sanctions import LADDERS, WARNING, Evidence, Mode, Sanction, next_sanctions
from models.training.case_rows import CaseRows
from models.training.evaluation import replay_report, report
from models.training.evaluation.replay import Judge, Replay, Step, turns_of
from models.training.evaluation.report import Report
from tests.models.evaluation_samples import category_encoder

NOON = datetime(2025, 11, 21, 3, tzinfo=UTC)
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
MINA, JUN = PersonKey("discord", "1"), PersonKey("discord", "2")
GUILD = ChatKey("discord", "lounge", private=False, place_id="guild")
SCORES = {"love": 0.8, "politics": 0.1, "insult": 0.1, "hate": 0.1, "normal": 0.1}
LIMITS = {"love": 0.7, "politics": 0.7, "insult": 0.7, "hate": 0.7, "normal": 0.5}
ANNA = PersonKey("discord", "9")


def evidence(
    prompt: str = "사귀자", answer: str = "미안!", limits: dict[str, float] = LIMITS, **scores: float
) -> Evidence:
    return Evidence(prompt, answer, {**SCORES, **scores}, limits, "old")


def case(number: int, said: Evidence, category: str = "love", *later: Event, **given: Any) -> Case:
    """Mina's `number`-th turn, an hour after the one before; a first warning where nothing else is given."""
    at = NOON + number * HOUR
    sanction = Sanction(
        category, given.pop("step", 1), at, given.pop("period", WARNING), given.pop("mode", Mode.ENFORCE), said
    )
    person, turn = given.pop("person", MINA), given.pop("turn", number)
    return Case(number, person, GUILD, sanction, (Event(Kind.ISSUED, at), *later), turn, **given)


def then(kind: Kind, hours: float) -> Event:
    """So long after noon."""
    return Event(kind, NOON + hours * HOUR, ANNA)


async def each(cases: Iterable[Case]) -> AsyncIterator[Case]:
    for one in cases:
        yield one


async def replayed(judge: Judge, *cases: Case) -> Replay:
    replay = Replay(judge, LADDERS)
    async for turn in turns_of(each(cases)):
        replay.add(turn)
    replay.finish()
    return replay


def decisions(replay: Replay) -> list[tuple[int, str, Step | None, Step | None]]:
    return [(one.number, one.category, one.then, one.now) for one in replay.changed]


def figures(replay: Replay) -> dict[str, Any]:
    return {name: value for name, value in replay_report.part_of(replay).figures.items() if value not in (0, None)}


async def test_a_case_that_goes_moves_the_later_steps_and_spares_who_would_not_have_been_blocked() -> None:
    cases = case(1, evidence(love=0.8)), case(2, evidence(love=0.95), step=2, period=HOUR)
    replay = await replayed(Judge(changed={"love": 0.9}), *cases)
    assert decisions(replay) == [
        (1, "love", Step(1, WARNING), None),
        (2, "love", Step(2, HOUR), Step(1, WARNING)),
    ]
    assert figures(replay) == {
        "cases": 2, "cases_replayed": 2, "cases_another_step": 1, "cases_would_not_arise": 1,
        "people_not_blocked_any_more": 1,
    }  # fmt: skip


async def test_a_case_that_was_overturned_in_time_moved_nothing_then_and_moves_nothing_now() -> None:
    before = case(1, evidence(love=0.8), "love", then(Kind.OVERTURNED, 1.5))
    late = case(2, evidence(love=0.8), "love", then(Kind.OVERTURNED, 9))
    later = case(3, evidence(love=0.95), step=2, period=HOUR)
    replay = await replayed(Judge(changed={"love": 0.9}), before, late, later)
    assert decisions(replay)[-1] == (3, "love", Step(2, HOUR), Step(1, WARNING))
    assert figures(replay)["overturned_would_not_arise"] == 1


async def test_a_case_that_was_only_recorded_shows_what_it_would_do_if_it_were_enforced() -> None:
    felt = case(1, evidence())
    silent = [case(n, evidence(), mode=Mode.SHADOW, step=2, period=HOUR) for n in (2, 3)]
    replay = await replayed(Judge(), felt, *silent)
    assert decisions(replay) == [(2, "love", None, Step(2, HOUR)), (3, "love", None, Step(3, DAY))]
    assert figures(replay)["people_newly_blocked"] == 1
    table = replay_report.part_of(replay).tables[2]
    assert list(table.rows) == [("discord:1", "2, 3")]


async def test_a_category_that_newly_acts_comes_with_the_step_that_the_person_is_at() -> None:
    said = evidence(love=0.8, insult=0.65)
    earlier = case(1, evidence(insult=0.9), "insult", period=WEEK)
    replay = await replayed(Judge(changed={"insult": 0.6, "love": 0.9}), earlier, case(2, said))
    assert decisions(replay) == [
        (2, "love", Step(1, WARNING), None),
        (2, "insult", None, Step(2, timedelta(days=30))),
    ]


@pytest.mark.parametrize(
    ("said", "judge", "stays"),
    [
        pytest.param(evidence(answer="응 좋아"), Judge(), False, id="love needs an answer that declines"),
        pytest.param(evidence(normal=0.6), Judge(changed={"normal": 0.65}), True, id="a higher veto"),
        pytest.param(evidence(), Judge(changed={"normal": 0.1}), False, id="a lower veto"),
        pytest.param(evidence(), Judge(thresholds=Thresholds({"hate": 0.7})), False, id="no threshold any more"),
        pytest.param(
            evidence(limits={"hate": 0.7, "normal": 0.5}), Judge(changed={"love": 0.2}), False, id="off stays off"
        ),
        pytest.param(evidence(), Judge(category_encoder({"사귀자": {"love": 1.0}})), True, id="another encoder agrees"),
        pytest.param(
            evidence(), Judge(category_encoder({"사귀자": {"normal": 1.0}})), False, id="another one does not"
        ),
        pytest.param(
            evidence("사 귀\u200b 자"), Judge(category_encoder({"사귀자": {"love": 1.0}})), True, id="a disguise"
        ),
    ],
)
async def test_a_case_stays_where_the_judge_would_sanction_it_too(said: Evidence, judge: Judge, stays: bool) -> None:
    replay = await replayed(judge, case(1, said))
    assert replay.counts == {
        ("love", "stays" if stays else "goes"): 1,
        ("love", f"open, {'kept' if stays else 'gone'}"): 1,
    }


async def test_what_nobody_can_judge_again_stays_and_is_counted() -> None:
    blanked = case(1, evidence(prompt=""), blanked=True)
    manual = case(2, Evidence(), step=2, period=HOUR, turn=None)
    replay = await replayed(Judge(changed={"love": 1.0}), blanked, manual, case(3, evidence(), step=3, period=DAY))
    assert decisions(replay) == [(3, "love", Step(3, DAY), None)]
    assert figures(replay) == {
        "cases": 3, "cases_replayed": 1, "cases_not_replayable": 1, "cases_by_hand": 1, "cases_would_not_arise": 1,
    }  # fmt: skip


SAID = st.lists(
    st.tuples(
        st.sampled_from([MINA, JUN]),
        st.fixed_dictionaries({name: st.sampled_from([0.1, 0.8, 0.95]) for name in ("love", "hate", "insult")}),
        st.none() | st.floats(0.1, 5),  # hours until all of it is overturned
        st.sampled_from([Mode.ENFORCE, Mode.ENFORCE, Mode.SHADOW]),
    ),
    max_size=12,
)


def issued(said: Sequence[tuple[Any, ...]], limits: dict[str, float]) -> list[Case]:
    """The cases of a service with these thresholds, by its own rules."""
    cases: list[Case] = []
    for turn, (person, scores, overturned, mode) in enumerate(said, start=1):
        at = NOON + turn * HOUR
        theirs = [one for one in cases if one.person == person]
        known = [replace(one, events=tuple(event for event in one.events if event.at <= at)) for one in theirs]
        found = evidence(limits=limits, **scores)
        acted = acting(found.scores, found.answer, Judge().limits(found))
        modes = dict.fromkeys(acted, mode)
        later = [Event(Kind.OVERTURNED, at + overturned * HOUR, ANNA)] if overturned else []
        for sanction in next_sanctions(acted, standing(known, at).counts, at, found, modes=modes):
            events = (Event(Kind.ISSUED, at), *later)
            cases.append(Case(len(cases) + 1, person, GUILD, sanction, events, turn))
    return cases


@given(SAID, st.sampled_from(["love", "hate", "insult"]))
async def test_steps_are_those_of_a_service_that_had_judged_like_this_from_the_beginning(
    said: list[tuple[Any, ...]], stricter: str
) -> None:
    cases = issued(said, LIMITS)
    replay = await replayed(Judge(changed={stricter: 0.9}), *cases)
    changed = {(one.number, one.category): one.now for one in replay.changed}
    wanted = {
        (one.turn, one.sanction.category): Step(one.sanction.step, one.sanction.period)
        for one in issued(said, {**LIMITS, stricter: 0.9})
        if one.sanction.felt
    }
    now = {}
    for one in cases:
        category, step = one.sanction.category, Step(one.sanction.step, one.sanction.period)
        if one.sanction.felt and (step := changed.get((one.number, category), step)):
            now[one.turn, category] = step
    assert now == wanted


@given(SAID)
async def test_the_judge_that_issued_them_changes_no_case(said: list[tuple[Any, ...]]) -> None:
    cases = issued(said, LIMITS)
    replay = await replayed(Judge(), *cases)
    assert [one.number for one in replay.changed] == [one.number for one in cases if not one.sanction.felt]
    assert sum(count for (_, became), count in replay.counts.items() if became == "stays") == sum(
        one.sanction.felt for one in cases
    )


async def test_many_turns_are_encoded_in_their_order() -> None:
    words = {n: f"말{chr(0xAC00 + n)}" for n in range(1, 600)}
    scripted = {word: {"hate" if n % 3 else "normal": 1.0} for n, word in words.items()}
    cases = [case(n, evidence(word), "hate", person=PersonKey("discord", str(n))) for n, word in words.items()]
    replay = await replayed(Judge(category_encoder(scripted)), *cases)
    assert [one.number for one in replay.changed] == [n for n in range(1, 600) if n % 3 == 0]


async def test_a_report_names_cases_and_people_and_nothing_that_was_said() -> None:
    replay = await replayed(
        Judge(category_encoder({"비밀이야": {"hate": 1.0}})), case(7, evidence("비밀이야", "미안, 비밀"))
    )
    written = Report("t", {}, [replay_report.part_of(replay)])
    page, data = report.html(written), str(report.as_json(written))
    assert "비밀" not in page + data
    assert "discord:1" in page
    assert "Scores of love cases" in page
    assert list(replay_report.changes(replay).rows[1]) == [
        7, "discord:1", "love", "0.8 → 0.0", "step 1: warning → –", "open",
    ]  # fmt: skip


UPHELD, OVERTURNED = then(Kind.UPHELD, 50), then(Kind.OVERTURNED, 50)


@pytest.mark.parametrize(
    ("turns", "rows"),
    [
        ([[("love", OVERTURNED)]], {"사귀자": "normal"}),
        ([[("love", UPHELD)]], {"사귀자": "love"}),
        ([[("love", None)]], {}),
        ([[("love", then(Kind.SHORTENED, 50))]], {}),
        ([[("love", OVERTURNED), ("hate", None)]], {}),
        ([[("love", OVERTURNED), ("hate", UPHELD)]], {"사귀자": "hate"}),
        ([[("hate", UPHELD), ("love", UPHELD)]], {"사귀자": "love"}),
        ([[("love", UPHELD)], [("love", UPHELD)]], {"사귀자": "love"}),
        ([[("love", UPHELD)], [("love", OVERTURNED)]], {}),
    ],
)
def test_rows_are_the_sentences_that_moderators_agree_on(
    turns: Sequence[Sequence[tuple[str, Event | None]]], rows: dict[str, str]
) -> None:
    collected = CaseRows()
    for turn in turns:
        collected.add([case(1, evidence(), category, *([event] if event else [])) for category, event in turn])
    assert {row.text: row.category for row in collected.rows} == rows
    assert {row.data_type for row in collected.rows} <= {"train"}
    assert collected.disputed == (len(turns) == 2 and not rows)


def test_blanked_cases_make_no_rows_and_broken_characters_no_broken_file() -> None:
    collected = CaseRows()
    collected.add([case(1, evidence(prompt=""), "love", UPHELD, blanked=True)])
    collected.add([case(2, evidence("사귀자\ud800\x00"), "love", UPHELD)])
    assert [row.text for row in collected.rows] == ["사귀자"]
