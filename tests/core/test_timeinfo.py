"""The time mark and the calendar, at every border."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from core.timeinfo import WEEKDAYS, contradicts_calendar, time_mark, with_time

SEOUL, NEW_YORK = ZoneInfo("Asia/Seoul"), ZoneInfo("America/New_York")
MONDAY = datetime(2025, 11, 17, tzinfo=SEOUL)

# phrase → the weekdays on which behaviour.md §3 accepts it
CLAIMS = {
    "내일 주말": "목금토", "내일은 주말": "목금토", "오늘 주말": "금토일", "오늘은 주말": "금토일",
    "내일부터 주말이": "목금", "오늘부터 주말이": "금토",
    "내일 불금": "목", "내일은 불금": "목", "오늘 불금": "금", "오늘은 불금": "금",
    "내일부터 한 주 시작": "토일", "오늘부터 한 주 시작": "일월",
}  # fmt: skip
NAMED = {("오늘", 0): ("오늘 ", "오늘은 ", "오늘도 "), ("내일", 1): ("내일 ", "내일은 ", "내일도 ")}


def at(weekday: str, clock: str = "12:00") -> datetime:
    hour, minute = map(int, clock.split(":"))
    return MONDAY + timedelta(days=WEEKDAYS.index(weekday), hours=hour, minutes=minute)


@pytest.mark.parametrize("weekday", WEEKDAYS)
@pytest.mark.parametrize(
    ("clock", "part", "days_back"),
    [
        ("00:00", "저녁", 1), ("03:59", "저녁", 1), ("04:00", "오전", 0), ("11:59", "오전", 0), ("12:00", "오후", 0),
        ("16:59", "오후", 0), ("17:00", None, 0), ("17:59", None, 0), ("18:00", "저녁", 0), ("23:59", "저녁", 0),
    ],
)  # fmt: skip
def test_the_mark_names_the_part_of_the_day(weekday: str, clock: str, part: str | None, days_back: int) -> None:
    named = WEEKDAYS[WEEKDAYS.index(weekday) - days_back]
    expected = part or ("저녁" if weekday == "금" else "오후")
    assert time_mark(at(weekday, clock), SEOUL) == f"(지금은 {named}요일 {expected})"


@pytest.mark.parametrize(
    ("moment", "zone", "mark"),
    [
        (datetime(2025, 11, 21, 18, 59, 59, tzinfo=UTC), SEOUL, "(지금은 금요일 저녁)"),
        (datetime(2025, 11, 21, 19, 0, tzinfo=UTC), SEOUL, "(지금은 토요일 오전)"),
        (datetime(2025, 11, 21, 7, 59, 59, tzinfo=UTC), SEOUL, "(지금은 금요일 오후)"),
        (datetime(2025, 11, 21, 8, 0, tzinfo=UTC), SEOUL, "(지금은 금요일 저녁)"),
        (datetime(2025, 11, 21, 8, 59, tzinfo=UTC), NEW_YORK, "(지금은 목요일 저녁)"),
        (datetime(2025, 12, 31, 18, 0, tzinfo=UTC), SEOUL, "(지금은 수요일 저녁)"),
    ],
)
def test_the_mark_follows_the_persons_zone(moment: datetime, zone: ZoneInfo, mark: str) -> None:
    assert time_mark(moment, zone) == mark


@pytest.mark.parametrize(
    ("prompt", "marked"),
    [
        ("로라야 오늘 약속 없는데 뭐하지", True), ("내일 봐", True), ("지금 뭐해", True), ("무슨 요일이야", True),
        ("이따 보자", True), ("휴일엔 뭐해", True), ("안녕 로라야", False), ("주말 좋아", False),
    ],
)  # fmt: skip
def test_only_a_prompt_that_speaks_of_time_gets_the_mark(prompt: str, marked: bool) -> None:
    expected = f"(지금은 토요일 오후) {prompt}" if marked else prompt
    assert with_time(prompt, at("토", "14:00"), SEOUL) == expected


@pytest.mark.parametrize("weekday", WEEKDAYS)
@pytest.mark.parametrize(("phrase", "days"), CLAIMS.items())
def test_a_claim_about_the_weekend_must_fit_the_day(phrase: str, days: str, weekday: str) -> None:
    assert contradicts_calendar(f"와! {phrase} 잖아 ㅎㅎ", at(weekday), SEOUL) == (weekday not in days)


@pytest.mark.parametrize("weekday", WEEKDAYS)
@pytest.mark.parametrize("said", WEEKDAYS)
@pytest.mark.parametrize(("word", "ahead"), NAMED)
def test_a_named_weekday_must_be_the_right_one(word: str, ahead: int, said: str, weekday: str) -> None:
    right = WEEKDAYS[(WEEKDAYS.index(weekday) + ahead) % 7]
    for start in NAMED[word, ahead]:
        assert contradicts_calendar(f"응 {start}{said}요일이야", at(weekday), SEOUL) == (said != right)


@pytest.mark.parametrize(
    ("answer", "weekday", "clock", "wrong"),
    [
        ("오늘은 금요일이야", "토", "03:59", False),
        ("오늘은 금요일이야", "토", "04:00", True),
        ("내일은 토요일이야", "토", "02:00", False),
        ("오늘은 금요일, 내일은 일요일!", "금", "12:00", True),
        ("오늘 금요일이고 내일은 토요일!", "금", "12:00", False),
        ("월요일은 싫어", "금", "12:00", False),
        ("주말엔 쉬자", "월", "12:00", False),
        ("", "월", "12:00", False),
    ],
)
def test_answers_are_held_against_the_day_that_begins_at_four(
    answer: str, weekday: str, clock: str, wrong: bool
) -> None:
    assert contradicts_calendar(answer, at(weekday, clock), SEOUL) == wrong
