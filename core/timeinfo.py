"""The time mark in front of a prompt, and answers that contradict the calendar (behaviour.md §3). Pure."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from core.memory import DAY_STARTS

WEEKDAYS = "월화수목금토일"
TIME_WORDS = ("오늘", "내일", "지금", "요일", "이따", "휴일")
FRIDAY = 4

# a phrase → the weekdays on which it is true
_CLAIMS = (
    (re.compile(r"내일은?\s*주말"), "목금토"),
    (re.compile(r"오늘은?\s*주말"), "금토일"),
    (re.compile(r"내일부터\s*주말이"), "목금"),
    (re.compile(r"오늘부터\s*주말이"), "금토"),
    (re.compile(r"내일은?\s*불금"), "목"),
    (re.compile(r"오늘은?\s*불금"), "금"),
    (re.compile(r"내일부터\s*한\s*주\s*시작"), "토일"),
    (re.compile(r"오늘부터\s*한\s*주\s*시작"), "일월"),
)
_NAMED_DAY = re.compile(rf"(오늘|내일)[은도]?\s*([{WEEKDAYS}])요일")


def time_mark(now: datetime, zone: ZoneInfo) -> str:
    """`(지금은 토요일 오후)`; before 04:00 it is still yesterday's evening, and Friday's begins at 17:00."""
    local = now.astimezone(zone)
    weekday = _weekday(now, zone)
    evening = 17 if weekday == FRIDAY else 18
    if 4 <= local.hour < 12:
        part = "오전"
    elif 12 <= local.hour < evening:
        part = "오후"
    else:
        part = "저녁"
    return f"(지금은 {WEEKDAYS[weekday]}요일 {part})"


def with_time(prompt: str, now: datetime, zone: ZoneInfo) -> str:
    """The prompt, behind the time mark if it speaks of time."""
    return f"{time_mark(now, zone)} {prompt}" if any(word in prompt for word in TIME_WORDS) else prompt


def contradicts_calendar(answer: str, now: datetime, zone: ZoneInfo) -> bool:
    """Whether `answer` says something about today or tomorrow that is not so."""
    today = _weekday(now, zone)
    if any(claim.search(answer) and WEEKDAYS[today] not in days for claim, days in _CLAIMS):
        return True
    return any(WEEKDAYS[(today + (word == "내일")) % 7] != named for word, named in _NAMED_DAY.findall(answer))


def _weekday(now: datetime, zone: ZoneInfo) -> int:
    return (now.astimezone(zone) - DAY_STARTS).weekday()
