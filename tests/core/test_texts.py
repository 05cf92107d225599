"""Every sentence people read."""

import re
import tomllib
from datetime import UTC, datetime, timedelta
from importlib import resources
from zoneinfo import ZoneInfo

import pytest

from core import texts
from core.messages import NoticeKind
from core.sanctions import LADDERS

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def sentences(language: str) -> dict[tuple[str, str], str]:
    content = resources.files(texts).joinpath(f"{language}.toml").read_text(encoding="utf-8")
    table = tomllib.loads(content)
    return {(section, name): sentence for section, rows in table.items() for name, sentence in rows.items()}


def test_all_languages_have_the_same_sentences_with_the_same_gaps() -> None:
    gaps = [
        {key: sorted(re.findall(r"{\w+}", sentence)) for key, sentence in sentences(language).items()}
        for language in texts.LANGUAGES
    ]
    assert all(table == gaps[0] for table in gaps)


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_every_notice_and_category_has_a_sentence(language: str) -> None:
    assert {name for section, name in sentences(language) if section == "notice"} == set(NoticeKind)
    assert {name for section, name in sentences(language) if section == "category"} == set(LADDERS)


@pytest.mark.parametrize(
    ("length", "korean", "english"),
    [
        (timedelta(0), "0분", "0 minute(s)"),
        (timedelta(minutes=30), "30분", "30 minute(s)"),
        (timedelta(minutes=90), "1시간 30분", None),
        (2 * HOUR, "2시간", "2 hour(s)"),
        (24 * HOUR, "1일", None),
        (14 * DAY, "14일", "14 day(s)"),
        (3 * DAY + HOUR, "3일 1시간", None),
        (90 * DAY, "90일", "90 day(s)"),
        (364 * DAY, "364일", "364 day(s)"),
        (365 * DAY, "1년", None),
        (365 * DAY + HOUR, "1년 1시간", None),
        (730 * DAY, "2년", "2 year(s)"),
        (1461 * DAY, "4년", "4 year(s)"),
    ],
)
def test_a_period_is_told_completely(length: timedelta, korean: str, english: str | None) -> None:
    assert texts.period("ko", length) == korean
    assert english is None or texts.period("en", length) == english


@pytest.mark.parametrize(
    ("when", "shown"),
    [
        (datetime(2025, 11, 21, 3, 0, tzinfo=UTC), "2025년 11월 21일 12:00"),
        (datetime(2025, 11, 21, 3, 0, 0, 1, tzinfo=UTC), "2025년 11월 21일 12:01"),
        (datetime(2025, 11, 21, 3, 0, 1, tzinfo=UTC), "2025년 11월 21일 12:01"),
        (datetime(2025, 11, 21, 3, 0, 59, 999999, tzinfo=UTC), "2025년 11월 21일 12:01"),
        (datetime(2025, 12, 31, 14, 59, 30, tzinfo=UTC), "2026년 01월 01일 00:00"),
    ],
)
def test_a_moment_is_never_shown_too_early(when: datetime, shown: str) -> None:
    assert texts.moment("ko", when, ZoneInfo("Asia/Seoul")) == shown


def test_an_unknown_language_reads_korean() -> None:
    assert texts.text("xx", "notice", "empty") == texts.text("ko", "notice", "empty")
    assert texts.text("en", "notice", "empty") != texts.text("ko", "notice", "empty")


def test_categories_are_listed_by_their_names() -> None:
    assert texts.categories("ko", ["love", "hate"]) == "사랑 고백/만남, 혐오/기타"
    assert texts.categories("ko", []) == ""
