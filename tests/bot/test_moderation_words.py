"""What moderators write, and what platforms build from one table."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.adapters.desk import Command, Field
from bot.adapters.menu import VERBS, Kind, about, appeal_command, mod_command, verb_of
from bot.moderation.forms import filled, form_of, personal_data, personal_id
from bot.moderation.voice import quoted
from bot.moderation.words import Reader, Unclear, Wanted, period
from core import texts
from core.messages import PersonKey

NOW = datetime(2025, 11, 21, 3, tzinfo=UTC)
SEOUL = ZoneInfo("Asia/Seoul")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MINA = PersonKey("discord", "42")


def read(line: str) -> Wanted:
    return Reader("discord", NOW, SEOUL).read(line)


@pytest.mark.parametrize(
    ("line", "verb", "given"),
    [
        ("", "cases", {}),
        ("cases", "cases", {}),
        ("cases open", "cases", {"state": "open"}),
        ("사건목록 이의 사랑", "cases", {"state": "appealed", "category": "love"}),
        ("cases <@42> hate 7d", "cases", {"person": MINA, "category": "hate", "since": NOW - 7 * DAY}),
        ("cases 2025-11-01", "cases", {"since": datetime(2025, 11, 1, tzinfo=SEOUL)}),
        ("case 12", "case", {"case": 12}),
        ("case #12", "case", {"case": 12}),
        ("person <@!42>", "person", {"person": MINA}),
        ("person 42", "person", {"person": MINA}),
        ("person telegram:42", "person", {"person": PersonKey("telegram", "42")}),
        ("warn <@42> love was rude", "warn", {"person": MINA, "category": "love", "reason": "was rude"}),
        ("block <@42> hate 3d  twice\n said", "block",
         {"person": MINA, "category": "hate", "period": 3 * DAY, "reason": "twice\n said"}),
        ("차단 <@42> 혐오 3일 두 번", "block",
         {"person": MINA, "category": "hate", "period": 3 * DAY, "reason": "두 번"}),
        ("block <@42> hate -- 3d of this", "block", {"person": MINA, "category": "hate", "reason": "3d of this"}),
        ("lift <@42>", "lift", {"person": MINA}),
        ("overturn 3 hate is no word for it", "overturn", {"case": 3, "reason": "hate is no word for it"}),
        ("shorten 3 1d12h kind", "shorten", {"case": 3, "period": 36 * HOUR, "reason": "kind"}),
        ("shorten 3 0", "shorten", {"case": 3, "period": timedelta(0)}),
        ("settings category=love mode=shadow", "settings", {"category": "love", "mode": "shadow"}),
        ("settings love shadow", "settings", {"category": "love", "mode": "shadow"}),
        ("settings love threshold=0.99 ladder=0,1h,1일", "settings",
         {"category": "love", "threshold": 0.99, "ladder": (timedelta(0), HOUR, DAY)}),
        ("settings love threshold=default", "settings", {"category": "love", "threshold": "default"}),
        ("settings role=77 review=here", "settings", {"role": "77", "review": "here"}),
    ],
)  # fmt: skip
def test_a_line_is_read(line: str, verb: str, given: dict[str, Any]) -> None:
    assert read(line) == Wanted(verb, given=given)


@pytest.mark.parametrize(
    ("line", "about_what"),
    [
        ("dance", ""), ("help", ""), ("cases someday", ""), ("case", "case"), ("case one", "case"), ("case 1 2", ""),
        ("person", "person"), ("person @mina", "person"), ("person mina", "person"), ("warn <@42>", "category"),
        ("warn <@42> love", "reason"), ("warn <@42> love --", "reason"), ("block mina love x", "person"),
        ("shorten 3", "period"), ("shorten 3 soon", "period"), ("comment 3", "comment"), ("settings mode=loud", "mode"),
        ("settings love threshold=2", "threshold"), ("settings love threshold=nan", "threshold"),
        ("settings love ladder=0,soon", "ladder"), ("settings love ladder=", "ladder"), ("settings role=@mods", "role"),
        ("settings review=<#9>", "review"), ("cases <@42 >", ""), ("person <@" + "4" * 99 + ">", "person"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_what_is_missing(line: str, about_what: str) -> None:
    with pytest.raises(Unclear) as unclear:
        read(line)
    assert unclear.value.about == about_what


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("0", timedelta(0)), ("30m", HOUR / 2), ("1h", HOUR), ("1H", HOUR), ("2hours", 2 * HOUR), ("90분", 1.5 * HOUR),
        ("1d12h", 36 * HOUR), ("2주", 14 * DAY), ("1461d", 1461 * DAY), ("4y", 1460 * DAY), ("1462d", None),
        ("99y", None),
        ("", None), ("h", None), ("1", None), ("-1h", None), ("1.5h", None), ("1h!", None), ("1x", None), ("٣h", None),
        ("9" * 20 + "d", None),
    ],
)  # fmt: skip
def test_periods(text: str, length: timedelta | None) -> None:
    assert period(text) == length


def test_buttons_say_where_and_from_where_on() -> None:
    wanted = read("cases in=-100 love before=12")
    assert (wanted.place_id, wanted.before, wanted.given) == ("-100", 12, {"category": "love"})
    assert read("overturn 3 appeal=2").appeal == 2


class TestMenu:
    @pytest.mark.parametrize("verb", VERBS)
    def test_every_command_that_a_platform_builds_can_be_read(self, verb: str) -> None:
        values = {
            Kind.NUMBER: "7", Kind.PERSON: "42", Kind.ROLE: "77", Kind.WORDS: "3d in=x -- words", Kind.WORD: "1h",
        }  # fmt: skip
        special = {"threshold": "0.5", "ladder": "0,1h"}
        given = {
            option.name: special.get(option.name) or (option.choices[0] if option.choices else values[option.kind])
            for option in VERBS[verb]
        }
        command = mod_command(verb, given)
        wanted = read(command.argument)
        assert (command.name, wanted.verb, wanted.place_id) == ("mod", verb, "")
        assert wanted.given.keys() == given.keys()
        assert all(wanted.given[name] == words for name, words in given.items() if words == values[Kind.WORDS])

    def test_an_appeal_keeps_the_persons_words(self) -> None:
        assert appeal_command("3", "4 times I sang").argument == "3 -- 4 times I sang"

    @pytest.mark.parametrize("language", texts.LANGUAGES)
    def test_every_word_has_its_sentence(self, language: str) -> None:
        for name in ("mod", "appeal", *(f"mod_{verb}" for verb in VERBS)):
            assert len(texts.text(language, "command", name)) <= 100
            assert 0 < len(texts.text(language, "command_name", name)) <= 32
        for option in {option for options in VERBS.values() for option in options}:
            assert len(texts.text(language, "option", option.name)) <= 100
            assert (
                texts.text(language, "option_name", option.name)
                == texts.text(language, "option_name", option.name).lower()
            )
            for choice in option.choices:
                assert texts.text(language, option.labels, choice)

    def test_verbs_have_different_names(self) -> None:
        for language in texts.LANGUAGES:
            assert {verb_of(texts.text(language, "command_name", f"mod_{verb}")) for verb in VERBS} == set(VERBS)

    @pytest.mark.parametrize(
        ("given", "meant"),
        [
            ("warn love rude", "warn <@42> love rude"), ("차단 혐오 3일 왜", "차단 <@42> 혐오 3일 왜"),
            ("person", "person <@42>"),
            ("warn <@7> love rude", "warn <@7> love rude"), ("case 3", "case 3"), ("cases", "cases"), ("", ""),
        ],
    )  # fmt: skip
    def test_a_reply_names_the_person(self, given: str, meant: str) -> None:
        assert about(Command("mod", given), "42") == Command("mod", meant)


class TestForms:
    @pytest.mark.parametrize(
        ("data", "fields"),
        [
            ("case:3:0:shorten", 2), ("case:3:1:comment", 1), ("17?shorten.3", 2), ("17?comment.3", 1),
            ("case:3:0:overturn", 0), ("case:3:0:case", 0), ("17", 0), ("", 0), ("17?drop.3", 0), ("x" * 200, 0),
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("language", texts.LANGUAGES)
    def test_only_what_needs_words_has_a_form(self, data: str, fields: int, language: str) -> None:
        form = form_of(data, language)
        asked: tuple[Field, ...] = () if form is None else form.fields
        assert len(asked) == fields
        if form is not None:
            assert all(len(label) <= 45 for label in (form.title, *(field.label for field in asked)))
            assert read(form.instead.removeprefix("/mod ")).given["case"] == 3

    @pytest.mark.parametrize(
        ("verb", "values", "words"),
        [
            ("shorten", ("2 hours", "in=x"), "2hours -- in=x"), ("shorten", ("2h kind",), "2h kind"),
            ("comment", ("appeal=3 is odd",), "-- appeal=3 is odd"), ("overturn", ("x",), ""), ("shorten", (), ""),
        ],
    )  # fmt: skip
    def test_what_is_filled_in_ends_the_command(self, verb: str, values: tuple[str, ...], words: str) -> None:
        assert filled(verb, values) == words

    def test_a_personal_button_keeps_its_id(self) -> None:
        assert personal_id(personal_data(17, "shorten.3")) == personal_id(personal_data(17, "")) == 17
        assert (
            max(len(personal_data(2**63 - 1, "comment.999999999999999")), len("case:999999999999999:3:overturn")) <= 64
        )


@pytest.mark.parametrize(
    ("text", "longest", "shown"),
    [
        ("one", 10, "│ one"), ("one\n\ntwo", 10, "│ one\n│ two"), ("0123456789", 5, "│ 0123…"), ("", 5, ""),
        ("a\r\nb\u2028c\x85d", 20, "│ a\n│ b\n│ c\n│ d"), ("\ud800x", 5, "│ x"),
    ],
)  # fmt: skip
def test_peoples_words_stand_behind_a_margin(text: str, longest: int, shown: str) -> None:
    assert quoted(text, longest) == shown
