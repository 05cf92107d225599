"""What moderators do to one case: see it, uphold, overturn, shorten, comment; and what its person does: appeal."""

import logging
from collections.abc import Callable
from functools import partial

from bot.adapters.desk import Answer, Asked
from bot.moderation.bench import Bench, NoModerator
from bot.moderation.news import News
from bot.moderation.pages import case_page
from bot.moderation.words import Wanted
from core import moderation
from core.cases import Case, Event, Kind
from core.moderation import Moderator, Refusal, Refused

log = logging.getLogger(__name__)

_DECIDES = {"uphold": Kind.UPHELD, "overturn": Kind.OVERTURNED, "shorten": Kind.SHORTENED}


class Verdicts:
    """The verbs of /mod that name a case."""

    def __init__(self, bench: Bench, news: News) -> None:
        self._bench = bench
        self._news = news

    async def do(self, asked: Asked, wanted: Wanted) -> Answer:
        """The case as it is after what was wanted. Raises Refused, NoModerator, RecordError."""
        number: int = wanted.given["case"]
        case, by = await self._case(asked, number)
        if wanted.verb == "case":
            return case_page(case, by, self._bench.voice(asked))
        after = await self._bench.cases.append(number, self._rule(wanted, by))
        event = after.events[-1]
        log.info("case %d: %s by %s:%s", number, event.kind, by.person.platform, by.person.user_id)
        self._news.happened(after, event)
        return case_page(after, by, self._bench.voice(asked))

    async def appeal(self, asked: Asked, number: int, words: str) -> Case:
        """The case, appealed by its person, who may be blocked. Raises Refused, RecordError."""
        rule = partial(moderation.appealed, person=asked.person, now=self._bench.clock.now(), text=words)
        after = await self._bench.cases.append(number, rule)
        log.info("case %d: appealed", number)
        self._news.happened(after, after.events[-1])
        return after

    async def _case(self, asked: Asked, number: int) -> tuple[Case, Moderator]:
        """A case and whoever asks, if they may see it. Nobody else learns whether there is one."""
        case = await self._bench.cases.get(number)
        if case is None:
            raise Refused(Refusal.NO_CASE)
        try:
            by = await self._bench.moderator(asked, None if case.chat.private else case.place)
        except NoModerator as error:
            raise Refused(Refusal.NOT_YOURS) from error
        if not moderation.may_see(case, by):
            raise Refused(Refusal.NOT_YOURS)
        return case, by

    def _rule(self, wanted: Wanted, by: Moderator) -> Callable[[Case], Event]:
        now = self._bench.clock.now()
        if wanted.verb == "comment":
            return partial(moderation.commented, by=by, now=now, text=wanted.given["comment"])
        return partial(
            moderation.decided,
            by=by,
            kind=_DECIDES[wanted.verb],
            now=now,
            text=wanted.given.get("reason", ""),
            period=wanted.given.get("period"),
            appeal=wanted.appeal,
        )
