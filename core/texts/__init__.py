"""Every sentence people read, per language; one TOML file each, all with the same keys."""

import tomllib
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

DEFAULT_LANGUAGE = "ko"
LANGUAGES = ("ko", "en")


@cache
def _table(language: str) -> dict[str, dict[str, str]]:
    return tomllib.loads(resources.files(__name__).joinpath(f"{language}.toml").read_text(encoding="utf-8"))


def text(language: str, section: str, name: str, **values: object) -> str:
    """The sentence `name` of `section`; an unknown language reads Korean."""
    return _table(language if language in LANGUAGES else DEFAULT_LANGUAGE)[section][name].format(**values)


def categories(language: str, names: Sequence[str]) -> str:
    """The categories' names as people read them."""
    return ", ".join(text(language, "category", name) for name in names)


def period(language: str, length: timedelta) -> str:
    """The largest unit that divides a period; 1461 days are four years."""
    minutes = int(length.total_seconds() // 60)
    days = minutes // (24 * 60)
    if days and days % 365 <= days // 1461:
        return text(language, "period", "years", n=days // 365)
    for unit, size in (("days", 24 * 60), ("hours", 60)):
        if minutes and minutes % size == 0:
            return text(language, "period", unit, n=minutes // size)
    return text(language, "period", "minutes", n=minutes)


def moment(language: str, when: datetime, zone: ZoneInfo) -> str:
    """A date and time as the person's clock shows it, rounded up to the next minute so that it is never too early."""
    local = (when + timedelta(seconds=59)).astimezone(zone)
    return local.strftime(text(language, "period", "until"))
