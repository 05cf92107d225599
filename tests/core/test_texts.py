"""Every sentence people read."""

import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import resources
from zoneinfo import ZoneInfo

import pytest

from core import texts
from core.errors import ConfigurationError
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


@pytest.fixture
def _her_own() -> Iterator[None]:
    yield
    texts.use({})


@pytest.mark.usefixtures("_her_own")
class TestInstead:
    def test_a_single_sentence_is_said_instead_and_the_others_stay(self) -> None:
        before = texts.text("ko", "notice", "busy", position=1, seconds=2), texts.text("en", "notice", "empty")
        texts.use({"ko": {"notice": {"empty": "뭐라고?"}}})
        assert texts.text("ko", "notice", "empty") == texts.text("xx", "notice", "empty") == "뭐라고?"
        assert (
            texts.text("ko", "notice", "busy", position=1, seconds=2),
            texts.text("en", "notice", "empty"),
        ) == before

    def test_gaps_may_come_in_another_order_and_twice(self) -> None:
        texts.use({"en": {"notice": {"busy": "{seconds} s, {position}., {seconds} s!"}}})
        assert texts.text("en", "notice", "busy", position=3, seconds=9) == "9 s, 3., 9 s!"

    def test_what_is_not_named_any_more_is_hers_again(self) -> None:
        hers = texts.text("ko", "notice", "empty")
        texts.use({"ko": {"notice": {"empty": "뭐라고?"}}})
        texts.use({"ko": {"notice": {"fault": "앗!"}}})
        assert texts.text("ko", "notice", "empty") == hers

    @pytest.mark.parametrize(
        ("section", "name", "sentence", "said"),
        [
            ("nonsense", "empty", "x", "ko.toml: there is no section [nonsense]"),
            ("notice", "emty", "x", "ko.toml: notice.emty is no sentence of hers"),
            ("notice", "empty", "", "has to be a text"),
            ("notice", "empty", " \n", "has to be a text"),
            ("notice", "empty", 7, "has to be a text"),
            ("notice", "empty", {"a": "b"}, "has to be a text"),
            ("notice", "empty", "{name}?", "has to have the gaps none, not {name}"),
            ("notice", "empty", "{}", "has to have the gaps none, not {}"),
            ("notice", "busy", "{position}!", "has to have the gaps {position} {seconds}, not {position}"),
            ("notice", "busy", "{position} {seconds:d}", "not {position} {seconds:d}"),
            ("notice", "busy", "{position} {seconds!r}", "not {position} {seconds!r}"),
            ("notice", "busy", "{position.real} {seconds}", "not {position.real} {seconds}"),
            ("notice", "busy", "{position} {seconds", "cannot be read"),
            ("notice", "empty", "100 }", "cannot be read"),
            ("command_name", "memory", "기억해", "cannot be changed"),
            ("mode_word", "off", "꺼", "cannot be changed"),
        ],
    )
    def test_a_bad_sentence_is_refused_with_all_that_came_with_it(
        self, section: str, name: str, sentence: object, said: str
    ) -> None:
        texts.use({"en": {"notice": {"empty": "What?"}}})
        with pytest.raises(ConfigurationError, match=re.escape(said)):
            texts.use({"ko": {"memory": {"none": "없어!"}, section: {name: sentence}}})
        assert texts.text("en", "notice", "empty") == "What?"
        assert texts.text("ko", "memory", "none") != "없어!"

    def test_every_other_sentence_may_be_said_as_it_is(self) -> None:
        assert {section for section, _ in sentences("ko")} > texts._FIXED
        for language in texts.LANGUAGES:
            own = texts._table(language)
            texts.use({language: {section: rows for section, rows in own.items() if section not in texts._FIXED}})
