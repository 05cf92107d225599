"""What moderators ask about many cases: a list, the figures, everything as files."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta

from bot.adapters.desk import Answer, Asked, File
from bot.moderation.bench import Bench
from bot.moderation.export import exported
from bot.moderation.pages import PAGE, cases_page
from bot.moderation.stats import chart, stats_text
from bot.moderation.words import Wanted
from core.case_store import CaseFilter
from core.cases import State
from core.messages import PlaceKey

log = logging.getLogger(__name__)

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
# weeks that the figures reach back
_WEEKS = 12


class Lists:
    """The verbs of /mod that name neither a case nor a person. `place`: None is everywhere, which is the operators'."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    async def cases(self, asked: Asked, wanted: Wanted, place: PlaceKey | None) -> Answer:
        """A page, the newest first. Raises NoModerator, RecordError."""
        await self._bench.moderator(asked, place)
        given = wanted.given
        chosen = CaseFilter(
            place,
            State(given["state"]) if "state" in given else None,
            given.get("person"),
            given.get("category"),
            given.get("since"),
        )
        found = await self._bench.cases.page(chosen, wanted.before, PAGE + 1)
        here = f"in={place.place_id}" if place is not None else ""
        return cases_page(found, _again(wanted, here), self._bench.voice(asked))

    async def stats(self, asked: Asked, wanted: Wanted, place: PlaceKey | None) -> Answer:
        """Figures, and a picture of them. Raises NoModerator, RecordError."""
        await self._bench.moderator(asked, place)
        now = self._bench.clock.now()
        since = wanted.given.get("since", now - timedelta(weeks=_WEEKS))
        stats = await self._bench.cases.stats(place, since)
        said = stats_text(stats, since, self._bench.voice(asked))
        if not stats.weeks:
            return Answer(said)
        picture = await asyncio.to_thread(chart, stats)
        return Answer(said, files=(File("aurora-cases.png", picture),))

    async def export(self, asked: Asked, wanted: Wanted, place: PlaceKey | None) -> Answer:
        """CSV and JSON lines. Raises NoModerator, RecordError."""
        by = await self._bench.moderator(asked, place)
        since = wanted.given.get("since", _BEGINNING)
        done = await exported(self._bench.cases.export(since, place))
        log.info("%d cases exported by %s:%s", done.cases, by.person.platform, by.person.user_id)
        voice = self._bench.voice(asked)
        said = voice.say("exported", n=done.cases)
        if done.rest_since is not None:
            rest = done.rest_since.astimezone(self._bench.policy.zone).date().isoformat()
            said = f"{said}\n{voice.say('export_rest', since=rest)}"
        files = (File("aurora-cases.csv", done.csv), File("aurora-cases.jsonl", done.jsonl))
        return Answer(said, files=files if done.cases else ())


def _again(wanted: Wanted, here: str) -> str:
    """The words that ask for the same list."""
    given = dict(wanted.given)
    if (person := given.get("person")) is not None:
        given["person"] = f"{person.platform}:{person.user_id}"
    if (since := given.get("since")) is not None:
        given["since"] = since.date().isoformat()
    return " ".join(["cases", *([here] if here else []), *map(str, given.values())])
