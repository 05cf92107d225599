"""Every sentence people read, per language; one TOML file each, all with the same keys."""

import tomllib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from importlib import resources
from string import Formatter
from zoneinfo import ZoneInfo

from core.errors import ConfigurationError

DEFAULT_LANGUAGE = "ko"
LANGUAGES = ("ko", "en")

Sections = Mapping[str, Mapping[str, str]]

# platforms are told the first of these at the start, and people type the rest
_FIXED = {"command", "command_name", "option", "option_name"}
_FIXED |= {"state_word", "mode_word", "category_word", "review_word", "confirm"}

# language → (section, name) → what is said instead; replaced as a whole
_instead: Mapping[str, Mapping[tuple[str, str], str]] = {}


@cache
def _table(language: str) -> Sections:
    return tomllib.loads(resources.files(__name__).joinpath(f"{language}.toml").read_text(encoding="utf-8"))


def text(language: str, section: str, name: str, **values: object) -> str:
    """The sentence `name` of `section`; an unknown language reads Korean."""
    known = language if language in LANGUAGES else DEFAULT_LANGUAGE
    sentence = _instead.get(known, {}).get((section, name)) or _table(known)[section][name]
    return sentence.format(**values)


def use(overrides: Mapping[str, Mapping[str, object]]) -> None:
    """Say these sentences (language → section → name → sentence) instead of her own; whatever was used before goes.

    Raises ConfigurationError for a sentence that is unknown, fixed, empty, or has other gaps than hers; nothing changes
    then.
    """
    global _instead
    _instead = {language: _checked(language, sections) for language, sections in overrides.items()}


def _checked(language: str, sections: Mapping[str, object]) -> Mapping[tuple[str, str], str]:
    own, checked = _table(language), {}
    for section, sentences in sections.items():
        if section not in own or not isinstance(sentences, Mapping):
            raise ConfigurationError(
                f"{language}.toml: there is no section [{section}]; see core/texts/{language}.toml"
            )
        for name, sentence in sentences.items():
            if wrong := _wrong(section, own[section].get(name), sentence):
                raise ConfigurationError(f"{language}.toml: {section}.{name} {wrong}")
            checked[section, name] = sentence
    return checked


def _wrong(section: str, own: str | None, sentence: object) -> str:
    """What is wrong with a sentence that is to be said instead of `own`; "" for nothing."""
    if own is None:
        return "is no sentence of hers"
    if section in _FIXED:
        return "cannot be changed: people type it, or platforms know it"
    if not isinstance(sentence, str) or not sentence.strip():
        return "has to be a text"
    try:
        gaps, wanted = _gaps(sentence), _gaps(own)
    except ValueError as error:
        return f"cannot be read: {error}"
    return "" if gaps == wanted else f"has to have the gaps {wanted or 'none'}, not {gaps or 'none'}"


def _gaps(sentence: str) -> str:
    """What is filled in, as it is written, each once. Raises ValueError for braces that do not match."""
    parts = [
        (gap, f"!{how}" if how else "", f":{spec}" if spec else "") for _, gap, spec, how in Formatter().parse(sentence)
    ]
    return " ".join(sorted({f"{{{gap}{how}{spec}}}" for gap, how, spec in parts if gap is not None}))


def categories(language: str, names: Sequence[str]) -> str:
    """The categories' names as people read them."""
    return ", ".join(text(language, "category", name) for name in names)


def period(language: str, length: timedelta) -> str:
    """A period in whole units, the largest first: `1년 1시간`; 1461 days are four years."""
    minutes = int(length.total_seconds() // 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    years, days = divmod(days, 365)
    days = max(days - years // 4, 0)
    units = {"years": years, "days": days, "hours": hours, "minutes": minutes}
    shown = [text(language, "period", unit, n=n) for unit, n in units.items() if n]
    return " ".join(shown) or text(language, "period", "minutes", n=0)


def moment(language: str, when: datetime, zone: ZoneInfo) -> str:
    """A date and time as the person's clock shows it, rounded up to the next minute so that it is never too early."""
    local = (when + timedelta(minutes=1) - timedelta.resolution).astimezone(zone)
    return local.strftime(text(language, "period", "until"))
