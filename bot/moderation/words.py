"""What a moderator wrote: one line of words → what is wanted. Pure, and in both languages.

A word fills the first option that it can be; the first word that can be none of them begins their own words.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from bot.adapters.menu import VERBS, WORDS_FOLLOW, Kind, Option, verb_of
from core import texts
from core.messages import PersonKey
from core.sanctions import LONGEST

_TOKEN = re.compile(r"\S+")
_NUMBER = re.compile(r"#?(\d{1,15})", re.ASCII)
_ID = r"[\w.\-]{1,64}"
_PERSON = re.compile(rf"<@!?({_ID})>|({_ID})", re.ASCII)
_PERSON_OF = re.compile(rf"([a-z]+):({_ID})", re.ASCII)
_UNITS = {
    "m min mins minute minutes 분": timedelta(minutes=1),
    "h hour hours 시간": timedelta(hours=1),
    "d day days 일": timedelta(days=1),
    "w week weeks 주": timedelta(weeks=1),
    "y year years 년": timedelta(days=365),
}
_UNIT = {word: length for words, length in _UNITS.items() for word in words.split()}
_PERIOD = re.compile(r"(\d{1,6})([a-z가-힣]+)", re.ASCII)
# written by buttons, and by whoever wants to ask about a place from elsewhere
_HIDDEN = ("in", "before", "appeal")
DEFAULT = "default"


class Unclear(Exception):
    """What was written says nothing; `about`: the option that is missing or wrong, "" for the verb."""

    def __init__(self, about: str = "") -> None:
        super().__init__(about)
        self.about = about


@dataclass(frozen=True, slots=True)
class Wanted:
    """A verb and what it takes. `place_id`: which place it is about, "" for where it was asked.

    `given`: option → its value, read; WORDS as they were written. `before`: the page before this case.
    `appeal`: how many appeals the moderator saw.
    """

    verb: str
    place_id: str = ""
    before: int | None = None
    appeal: int | None = None
    given: Mapping[str, Any] = field(default_factory=dict)


class Reader:
    """Reads for one platform at one moment."""

    def __init__(self, platform: str, now: datetime, zone: ZoneInfo) -> None:
        self._platform = platform
        self._now = now
        self._zone = zone

    def read(self, line: str) -> Wanted:
        """`/mod …`. Raises Unclear."""
        word, _, rest = line.strip().partition(" ")
        verb = verb_of(word) if word else "cases"
        if not verb:
            raise Unclear
        given, hidden = self.options(VERBS[verb], rest, _HIDDEN)
        number = {name: int(text) for name, text in hidden.items() if name != "in" and _NUMBER.fullmatch(text)}
        return Wanted(verb, hidden.get("in", ""), number.get("before"), number.get("appeal"), given)

    def options(
        self, options: Sequence[Option], line: str, marks: Sequence[str] = ()
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """The values of options, and of `marks`, which buttons write. Raises Unclear for what is missing or wrong."""
        given: dict[str, Any] = {}
        hidden: dict[str, str] = {}
        words = next((option for option in options if option.kind is Kind.WORDS), None)
        for token in _TOKEN.finditer(line):
            name, equals, value = token[0].partition("=")
            if equals and name in marks:
                hidden[name] = value
            elif not self._fill(options, given, token[0]):
                if words is None:
                    raise Unclear(next((one.name for one in options if one.needed and one.name not in given), ""))
                start = token.end() if token[0] == WORDS_FOLLOW else token.start()
                given[words.name] = line[start:].strip()
                break
        for option in options:
            if option.needed and given.get(option.name) in (None, ""):
                raise Unclear(option.name)
        return given, hidden

    def _fill(self, options: Sequence[Option], given: dict[str, Any], token: str) -> bool:
        """Whether some option takes the word. Raises Unclear for a named one that does not."""
        name, equals, value = token.partition("=")
        for option in options:
            if option.kind is Kind.WORDS or option.name in given:
                continue
            named = bool(equals) and name.casefold() == option.name
            read = self._value(option, value if named else token)
            if read is not None:
                given[option.name] = read
                return True
            if named:
                raise Unclear(option.name)
        return False

    def _value(self, option: Option, text: str) -> Any:
        """What a word is for an option; None when it cannot be that."""
        match option.kind:
            case Kind.NUMBER:
                return int(found[1]) if (found := _NUMBER.fullmatch(text)) else None
            case Kind.PERSON:
                return self._person(option, text)
            case Kind.CHOICE:
                return _choice(option, text)
            case Kind.ROLE:
                return text if text.isascii() and (text.isdecimal() or text == "off") else None
        readers: Mapping[str, Callable[[str], Any]] = {
            "since": self._since,
            "period": period,
            "threshold": _threshold,
            "ladder": _ladder,
        }
        return readers[option.name](text)

    def _person(self, option: Option, text: str) -> PersonKey | None:
        if found := _PERSON_OF.fullmatch(text):
            return PersonKey(found[1], found[2])
        found = _PERSON.fullmatch(text)
        if found is None:
            return None
        # a bare word is a number, and only where somebody has to be named
        bare = found[1] or (found[2] if option.needed and found[2].isdecimal() else "")
        return PersonKey(self._platform, bare) if bare else None

    def _since(self, text: str) -> datetime | None:
        ago = period(text)
        if ago is not None:
            return self._now - ago
        try:
            return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=self._zone)
        except ValueError:
            return None


def period(text: str) -> timedelta | None:
    """`1h`, `1d12h`, `3일`, `0`; None for anything else, and for more than the longest block."""
    if text == "0":
        return timedelta(0)
    parts = _PERIOD.findall(text.casefold())
    if not parts or "".join(f"{n}{unit}" for n, unit in parts) != text.casefold():
        return None
    if any(unit not in _UNIT for _, unit in parts):
        return None
    length = sum((int(n) * _UNIT[unit] for n, unit in parts), timedelta(0))
    return length if length <= LONGEST else None


def _choice(option: Option, text: str) -> str | None:
    return _spoken(option.labels, option.choices).get(text.casefold())


@cache
def _spoken(labels: str, choices: tuple[str, ...]) -> Mapping[str, str]:
    """What people call each choice: its own name, and the words of every language."""
    called = {choice: choice for choice in choices}
    for language in texts.LANGUAGES:
        for choice in choices:
            for word in texts.text(language, f"{labels}_word", choice).split():
                called[word.casefold()] = choice
    return called


def _threshold(text: str) -> float | str | None:
    if text == DEFAULT:
        return text
    try:
        return value if 0 <= (value := float(text)) <= 1 else None
    except ValueError:
        return None


def _ladder(text: str) -> tuple[timedelta, ...] | str | None:
    if text == DEFAULT:
        return text
    steps = [period(step) for step in text.split(",")]
    return None if any(step is None for step in steps) else tuple(step for step in steps if step is not None)
