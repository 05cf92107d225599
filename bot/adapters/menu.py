"""The commands with more than one word, as each platform offers them: one table, so that they are the same everywhere.

Names and descriptions are in core.texts: `command_name` and `command` (`mod_cases`), `option_name` and `option`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache

from bot.adapters.desk import Command
from core import texts
from core.cases import State
from core.sanctions import LADDERS, Mode

# what comes behind it is somebody's own words, whatever they look like
WORDS_FOLLOW = "--"


class Kind(StrEnum):
    """What an option is; PERSON is written `<@id>`, with the platform's own number of the account."""

    NUMBER = "number"
    PERSON = "person"
    CHOICE = "choice"
    WORD = "word"
    ROLE = "role"
    WORDS = "words"


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that a command takes. `choices`: section of core.texts with their labels, and their values."""

    name: str
    kind: Kind
    needed: bool = False
    labels: str = ""
    choices: tuple[str, ...] = ()


_CASE = Option("case", Kind.NUMBER, needed=True)
_PERSON = Option("person", Kind.PERSON, needed=True)
_ANY_CATEGORY = Option("category", Kind.CHOICE, labels="category", choices=tuple(LADDERS))
_CATEGORY = replace(_ANY_CATEGORY, needed=True)
_REASON = Option("reason", Kind.WORDS, needed=True)
_SINCE = Option("since", Kind.WORD)

# verb of /mod → what it takes, in this order
VERBS: Mapping[str, tuple[Option, ...]] = {
    "cases": (
        Option("state", Kind.CHOICE, labels="state", choices=tuple(State)),
        Option("person", Kind.PERSON),
        _ANY_CATEGORY,
        _SINCE,
    ),
    "case": (_CASE,),
    "person": (_PERSON,),
    "warn": (_PERSON, _CATEGORY, _REASON),
    "block": (_PERSON, _CATEGORY, Option("period", Kind.WORD), _REASON),
    "lift": (_PERSON, Option("reason", Kind.WORDS)),
    "uphold": (_CASE, Option("reason", Kind.WORDS)),
    "overturn": (_CASE, Option("reason", Kind.WORDS)),
    "shorten": (_CASE, Option("period", Kind.WORD, needed=True), Option("reason", Kind.WORDS)),
    "comment": (_CASE, Option("comment", Kind.WORDS, needed=True)),
    "export": (_SINCE,),
    "stats": (_SINCE,),
    "settings": (
        _ANY_CATEGORY,
        Option("mode", Kind.CHOICE, labels="mode", choices=tuple(Mode)),
        Option("threshold", Kind.WORD),
        Option("ladder", Kind.WORD),
        Option("review", Kind.CHOICE, labels="review", choices=("here", "off")),
        Option("role", Kind.ROLE),
    ),
}
APPEAL: tuple[Option, ...] = (_CASE, Option("appeal", Kind.WORDS, needed=True))

# options of these verbs are written name=value
_NAMED = frozenset({"settings"})

_ABOUT_A_PERSON = frozenset(verb for verb, options in VERBS.items() if _PERSON in options)


def verb_of(word: str) -> str:
    """The verb of /mod that a word means in any language; "" for none."""
    return _verbs().get(word.casefold(), "")


def about(command: Command, user_id: str) -> Command:
    """A /mod command that names nobody, about the person whose message it answers."""
    word, _, rest = command.argument.partition(" ")
    if verb_of(word) not in _ABOUT_A_PERSON or rest.lstrip().startswith("<@"):
        return command
    return Command(command.name, f"{word} <@{user_id}> {rest}".rstrip())


def mod_command(verb: str, given: Mapping[str, str]) -> Command:
    """The command for a verb and the options that were given, by name; a person as their number."""
    parts = [verb]
    for option in VERBS[verb]:
        if value := given.get(option.name, ""):
            parts.append(f"{option.name}={value}" if verb in _NAMED else _written(option, value))
    return Command("mod", " ".join(parts))


def appeal_command(case: str, words: str) -> Command:
    """`/appeal`."""
    return Command("appeal", f"{case} {WORDS_FOLLOW} {words}")


def _written(option: Option, value: str) -> str:
    if option.kind is Kind.PERSON:
        return f"<@{value}>"
    if option.kind is Kind.WORDS:
        return f"{WORDS_FOLLOW} {value}"
    return "".join(value.split())


@cache
def _verbs() -> Mapping[str, str]:
    called = {verb: verb for verb in VERBS}
    for language in texts.LANGUAGES:
        called |= {texts.text(language, "command_name", f"mod_{verb}").casefold(): verb for verb in VERBS}
    return called
