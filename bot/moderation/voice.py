"""How cases read for people: one line, or everything. People's own words can never pass for ours, nor for markup."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from core import texts
from core.cases import Case, Event, Kind, State
from core.messages import PersonKey

# in front of every line that somebody else wrote
_MARGIN = "│ "
# Discord's mentions, channels, emojis and times all begin like this
_MENTION = re.compile(r"<(?=[@#:/a-z])", re.IGNORECASE)
# control characters, and halves of characters that no platform takes
_UNSEEN = ("Cc", "Cs")
# turn the direction of what follows, also of our own words
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")


@dataclass(frozen=True, slots=True)
class Voice:
    """What is said to somebody: in their language, their time zone, and with the ids of their platform."""

    language: str
    zone: ZoneInfo
    platform: str

    def say(self, name: str, **values: object) -> str:
        """A sentence of core.texts, section `mod`."""
        return texts.text(self.language, "mod", name, **values)

    def word(self, section: str, name: str) -> str:
        """What a state, a mode, an event … is called."""
        return texts.text(self.language, section, name)

    def period(self, length: timedelta) -> str:
        """How long; a warning is no time at all."""
        return texts.period(self.language, length) if length else self.say("warning")

    def at(self, when: datetime) -> str:
        """The minute it happened in."""
        return texts.moment(self.language, when.replace(second=0, microsecond=0), self.zone)

    def name(self, person: PersonKey | None) -> str:
        """Who, by their number; names are decoration. None is 오로라 herself."""
        if person is None:
            return self.say("herself")
        here = person.platform == self.platform
        return f"<@{person.user_id}>" if here else f"{person.platform}:{person.user_id}"

    def where(self, case: Case) -> str:
        """The chat it arose in, and its place."""
        if case.chat.private:
            return self.say("private_chat")
        if case.chat.platform != self.platform:
            return f"{case.chat.platform}:{case.chat.chat_id}"
        return f"<#{case.chat.chat_id}>"

    def line(self, case: Case) -> str:
        """A case in one line."""
        sanction = case.sanction
        shadow = "" if sanction.felt else f" ({self.word('mode', sanction.mode)})"
        return self.say(
            "case_line",
            n=case.number,
            category=texts.categories(self.language, [sanction.category]),
            step=sanction.step,
            period=self.period(sanction.period),
            state=self.word("state", case.state) + shadow,
            person=self.name(case.person),
            at=self.at(sanction.at),
        )

    def event(self, event: Event, longest: int) -> str:
        """What happened, when, by whom, and their words."""
        what = self.word("event", event.kind)
        if event.kind is Kind.SHORTENED and event.period is not None:
            what = f"{what} ({self.period(event.period)})"
        if event.kind is Kind.NOTICED:
            what, event_text = f"{what} ({self.word('delivery', event.text)})", ""
        else:
            event_text = event.text
        line = self.say("event_line", at=self.at(event.at), who=self.name(event.by), what=what)
        return f"{line}\n{quoted(event_text, longest, one_line=True)}" if event_text else line


def quoted(text: str, longest: int, *, one_line: bool = False) -> str:
    """People's own words behind a margin on every line: text and nothing else, of at most `longest` characters.

    `one_line`: whatever its lines were.
    """
    shown = [_plain(line) for line in text.splitlines()]
    kept = (" " if one_line else "\n").join(line for line in shown if line.strip())
    if len(kept) > longest:
        kept = f"{kept[: longest - 1]}…"
    return "\n".join(f"{_MARGIN}{line}" for line in kept.splitlines())


def scores(values: Mapping[str, float], thresholds: Mapping[str, float], language: str, most: int | None = None) -> str:
    """Scores against the thresholds from which their categories act, the highest first; None: all of them."""
    rows = sorted(values.items(), key=lambda item: -item[1])[:most]
    return "\n".join(
        f"· {texts.text(language, 'score', name)}: {value:.4f}"
        + (f" / {thresholds[name]:.4f}{' ●' if value >= thresholds[name] else ''}" if name in thresholds else "")
        for name, value in rows
    )


def open_question(case: Case) -> bool:
    """Whether somebody has to decide."""
    return case.state in (State.OPEN, State.APPEALED)


def _plain(line: str) -> str:
    visible = "".join(char for char in line if unicodedata.category(char) not in _UNSEEN and char not in _BIDI)
    return _MENTION.sub("<\u200b", visible)
