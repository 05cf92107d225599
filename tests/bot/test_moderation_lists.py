"""Many cases at once: pages, files, figures with a picture; and what holds in a place, within the operator's bounds."""

import csv
import io
import json
from datetime import date, timedelta

import pytest

from bot.moderation.export import exported
from bot.moderation.settings import ModerationSettings
from bot.moderation.stats import chart
from core.case_store import Stats, WeekCount
from core.cases import State
from core.messages import NoticeKind, PersonKey
from core.people import PlaceSettings
from core.sanctions import LADDERS, Mode
from tests.bot.asking import button
from tests.bot.conftest import HOME, JUN, LOUNGE, MINA
from tests.bot.moderating import ANNA, OPERATOR, OTHER, Court, labels

DAY = timedelta(days=1)
PNG = b"\x89PNG\r\n\x1a\n"


async def confessions(court: Court, count: int) -> None:
    """Each of another person, a day apart."""
    for number in range(1, count + 1):
        await court.says(person=PersonKey("paper", f"p{number}"))
        court.clock.move(DAY)


class TestPages:
    async def test_pages_go_back_to_the_first_case_and_do_not_shift_when_a_new_one_arises(self, court: Court) -> None:
        await confessions(court, 10)
        page = await court.ask("mod cases open love")
        assert labels(page) == ["10", "9", "8", "7", "6", "5", "4", "3", "Next"]
        await court.says(person=MINA)
        second = await court.press(button(page, "cases in=guild open love before=3"), chat=LOUNGE)
        assert labels(second) == ["2", "1"]
        assert "#2 ·" in second.text

    @pytest.mark.parametrize(
        ("words", "numbers"),
        [
            ("cases", ["4", "3", "2", "1"]), ("cases appealed", ["2"]), ("cases overturned", ["1"]),
            ("cases hate", ["4"]), ("cases paper:p3", ["3"]), ("cases <@p3> love", ["3"]),
            ("cases 2025-11-23", ["4", "3"]), ("cases 1d", ["4"]),
            ("cases open 2025-11-23 hate", ["4"]), ("cases politics", []),
        ],
    )  # fmt: skip
    async def test_cases_are_chosen(self, court: Court, words: str, numbers: list[str]) -> None:
        await confessions(court, 3)
        await court.says("꺼져", PersonKey("paper", "p4"))
        await court.ask("appeal 2 why", PersonKey("paper", "p2"))
        await court.ask("mod overturn 1")
        court.clock.move(DAY)
        assert labels(await court.ask(f"mod {words}")) == numbers

    async def test_the_same_list_is_asked_for_on_the_next_page(self, court: Court) -> None:
        for _ in range(10):
            await court.ask("mod warn <@mina> love again")
        page = await court.ask("mod cases <@mina> 5d")
        (further,) = [one.command.argument for row in page.buttons for one in row if one.label == "Next"]
        assert further == "cases in=guild paper:mina 2025-11-16 before=3"
        assert labels(await court.press(button(page, further), chat=LOUNGE)) == ["2", "1"]


class TestExport:
    async def test_both_files_have_every_case_of_the_place_with_its_evidence_and_events(self, court: Court) -> None:
        await court.says('사랑해, "로라"\n; ﷽')
        await court.says(person=JUN, chat=OTHER)
        await court.ask("appeal 1 it was a song", MINA)
        answer = await court.ask("mod export")
        table, lines = answer.files
        assert (table.name, lines.name) == ("aurora-cases.csv", "aurora-cases.jsonl")
        assert "Exported 1 cases." in answer.text
        (row,) = csv.DictReader(io.StringIO(table.content.decode("utf-8-sig"), newline=""))
        (line,) = map(json.loads, lines.content.splitlines())
        assert row["prompt"] == line["prompt"] == '사랑해, "로라"\n; ﷽'
        assert (row["number"], line["number"], line["state"], line["person"]) == ("1", 1, "appealed", "mina")
        assert json.loads(row["scores"]) == line["scores"]
        assert line["scores"]["love"] == pytest.approx(1)
        assert [event["kind"] for event in line["events"]] == ["issued", "noticed", "appealed"]
        assert line["events"][2]["by"] == "paper:mina"
        assert "Exported 2 cases." in (await court.ask("mod export", OPERATOR, HOME)).text

    async def test_since_leaves_out_what_is_older(self, court: Court) -> None:
        await confessions(court, 3)
        assert "Exported 2 cases." in (await court.ask("mod export 2025-11-22")).text
        nothing = await court.ask("mod export 2026-01-01")
        assert (nothing.text, nothing.files) == ("Exported 0 cases.", ())

    async def test_files_stay_below_their_limit_and_say_where_to_go_on(self, court: Court) -> None:
        await confessions(court, 3)
        whole = await exported(court.record.cases.export(court.clock.now() - 30 * DAY))
        limit = max(len(whole.csv), len(whole.jsonl)) - 1
        part = await exported(court.record.cases.export(court.clock.now() - 30 * DAY), limit)
        assert (whole.cases, whole.rest_since) == (3, None)
        assert (part.cases, part.rest_since) == (2, (await court.case(3)).sanction.at)
        assert len(part.jsonl.splitlines()) == 2


class TestStats:
    async def test_figures_per_category_and_week_with_a_picture(self, court: Court) -> None:
        await confessions(court, 9)
        await court.says("꺼져", MINA)
        await court.ask("appeal 10 sorry", MINA)
        court.clock.move(2 * DAY)
        await court.ask("mod overturn 10")
        await court.ask("mod overturn 1")
        await court.ask("appeal 2 please", PersonKey("paper", "p2"))
        answer = await court.ask("mod stats")
        for said in (
            "🟥 love confession / dating: 9 (0 recorded only), 1 overturned (11%)",
            "🟪 hate / improper: 1 (0 recorded only), 1 overturned (100%)",
            "11-17: 🟥 3", "11-24: 🟥 6  🟪 1", "Appeals: 1 answered, 1 waiting",
            "2 day(s) on average, 2 day(s) at most",
        ):  # fmt: skip
            assert said in answer.text
        (picture,) = answer.files
        assert picture.name == "aurora-cases.png"
        assert picture.content.startswith(PNG)

    async def test_where_nothing_happened_there_is_no_picture(self, court: Court) -> None:
        assert (await court.ask("mod stats")).files == ()

    @pytest.mark.parametrize("weeks", [1, 2, 26, 200])
    @pytest.mark.parametrize("cases", [1, 2, 999, 100_000])
    def test_every_picture_can_be_drawn(self, weeks: int, cases: int) -> None:
        counts = tuple(
            WeekCount(date(2025, 1, 6) + timedelta(weeks=week), name, Mode.ENFORCE, State.OPEN, cases)
            for week in range(weeks)
            for name in LADDERS
        )
        assert chart(Stats(counts)).startswith(PNG)


class TestSettings:
    async def test_the_page_shows_what_holds_and_changes_modes_by_buttons(self, court: Court) -> None:
        page = await court.ask("mod settings")
        for said in ("place (guild)", "love confession / dating: enforced, threshold 0.9800, warning → 1 hour(s)",
                     "announced: –", "role: – ("):  # fmt: skip
            assert said in page.text
        after = await court.press(button(page, "settings in=guild category=love mode=off"), chat=HOME)
        assert "love confession / dating: off, threshold –" in after.text
        assert (await court.says()).notices == ()
        assert await court.record.cases.get(1) is None
        page = await court.press(button(after, "settings in=guild category=love mode=enforce"))
        assert [notice.kind for notice in (await court.says()).notices] == [NoticeKind.WARNING]

    async def test_a_milder_ladder_and_a_higher_threshold_hold_at_once_and_can_be_undone(self, court: Court) -> None:
        await court.ask("mod settings love threshold=0.99 ladder=0,0,30m")
        for _ in range(2):
            assert [notice.kind for notice in (await court.says()).notices] == [NoticeKind.WARNING]
        assert "30분 동안" in (await court.says()).notices[0].text
        assert (await court.case(1)).sanction.evidence.thresholds["love"] == 0.99
        await court.ask("mod settings love threshold=default ladder=default")
        assert await court.record.places.of(LOUNGE.place) == PlaceSettings(modes={}, thresholds={}, ladders={})

    @pytest.mark.parametrize(
        ("change", "what"),
        [
            ("love threshold=0.5", "threshold"), ("hate ladder=2d", "ladder"), ("love ladder=1h", "ladder"),
            ("politics ladder=0,4d", "ladder"), ("love ladder=" + ",".join(["0"] * 11), "ladder"),
        ],
    )  # fmt: skip
    async def test_what_the_operator_does_not_allow_changes_nothing(self, court: Court, change: str, what: str) -> None:
        assert (await court.ask(f"mod settings {change}")).text == (
            f"Nothing changed, the operator does not allow that: {what}"
        )
        assert await court.record.places.of(LOUNGE.place) == PlaceSettings()

    async def test_modes_that_the_operator_forbids_are_neither_offered_nor_taken(self, court: Court) -> None:
        court.app = court.assembled(modes={Mode.ENFORCE, Mode.SHADOW})
        page = await court.ask("mod settings")
        assert [label.partition(": ")[2] for label in labels(page)] == ["recorded only"] * 4
        assert "does not allow that: mode" in (await court.ask("mod settings love off")).text

    async def test_wider_bounds_let_a_place_be_stricter(self, court: Court) -> None:
        court.app = court.assembled(looser=0.1, harsher=2.0)
        page = await court.ask("mod settings love threshold=0.9 ladder=0,2h")
        assert "threshold 0.9000, warning → 2 hour(s)" in page.text
        assert "does not allow" in (await court.ask("mod settings love threshold=0.8")).text

    async def test_a_change_without_a_category_says_so(self, court: Court) -> None:
        assert "missing, or I don't understand it: Category" in (await court.ask("mod settings mode=off")).text

    async def test_another_chat_may_be_told_of_the_cases_of_a_place(self, court: Court) -> None:
        page = await court.ask("mod settings in=guild review=here", ANNA, OTHER)
        assert "announced: <#other lounge>" in page.text
        await court.says()
        await court.queued(1, chat=OTHER)


class TestOperatorSettings:
    def test_accounts_and_chats_are_platforms_and_numbers(self) -> None:
        settings = ModerationSettings(
            operators=["discord:123", "telegram:456", "console:local"], review_chats=["telegram:-100:7", "discord:9"]
        )
        assert settings.operator_keys == {
            PersonKey("discord", "123"), PersonKey("telegram", "456"), PersonKey("console", "local"),
        }  # fmt: skip
        assert [settings.review_chat(name) for name in ("telegram", "discord", "console")] == ["-100:7", "9", ""]

    @pytest.mark.parametrize(
        "wrong",
        [
            {"operators": ["mina"]}, {"operators": ["discord:mina"]}, {"operators": ["discord:0"]},
            {"operators": ["discord:-5"]}, {"operators": ["discord:٣"]}, {"operators": ["irc:5"]},
            {"operators": ["discord:5 "]}, {"review_chats": ["discord:general"]}, {"review_chats": ["5"]},
            {"retention_days": 0}, {"modes": []}, {"looser": -0.1}, {"harsher": -1}, {"steps": 0},
            {"owner": "discord:5"},
        ],
        ids=str,
    )  # fmt: skip
    def test_anything_else_stops_the_start(self, wrong: dict[str, object]) -> None:
        with pytest.raises(ValueError, match="validation error"):
            ModerationSettings.model_validate(wrong)


class TestRetention:
    async def test_prompt_and_answer_go_after_their_time_and_the_events_stay(self, court: Court) -> None:
        await court.says()
        await court.ask("mod comment 1 keep me")
        work = court.app.service._casework
        court.clock.move(180 * DAY)
        assert await work.forget() == 0
        court.clock.move(timedelta(seconds=1))
        assert await work.forget() == 1
        page = (await court.ask("mod case 1")).text
        assert "사랑해" not in page
        assert "미안" not in page
        assert "kept long enough" in page
        assert "│ keep me" in page
        assert "사랑해" not in (await court.ask("mod export")).files[1].content.decode()

    async def test_what_is_appealed_waits_for_its_decision_and_every_start_looks(self, court: Court) -> None:
        court.app = court.assembled(retention_days=1)
        for person in (MINA, JUN):
            await court.says(person=person)
        await court.ask("appeal 1 please", MINA)
        court.clock.move(2 * DAY)
        assert await court.app.service._casework.forget() == 1
        assert [(await court.case(number)).blanked for number in (1, 2)] == [False, True]
