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
