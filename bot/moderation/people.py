"""What moderators do about a person: look, warn, block, lift."""

import logging
from dataclasses import replace
from datetime import timedelta
from functools import partial

from bot.adapters.desk import Answer, Asked
from bot.moderation.bench import Bench
from bot.moderation.news import News
from bot.moderation.pages import PAGE, person_page
from bot.moderation.words import Unclear, Wanted
from core import cases, moderation
from core.case_store import CaseFilter
from core.messages import ChatKey, PersonKey, PlaceKey
from core.moderation import Moderator, Refusal, Refused
from core.sanctions import WARNING, Sanction, step_period

log = logging.getLogger(__name__)


class People:
    """The verbs of /mod that name a person. `place`: None is everywhere, which is the operators'."""

    def __init__(self, bench: Bench, news: News, language: str) -> None:
        self._bench = bench
        self._news = news
        self._language = language

    async def do(self, asked: Asked, wanted: Wanted, place: PlaceKey | None) -> Answer:
        """Their page, after what was wanted. Raises Refused, NoModerator, RecordError."""
        by = await self._bench.moderator(asked, place)
        person: PersonKey = wanted.given["person"]
        said = ""
        if wanted.verb in ("warn", "block"):
            said = await self._issue(asked, wanted, person, place, by)
        elif wanted.verb == "lift":
            said = await self._lift(asked, person, place, by, wanted.given.get("reason", ""))
        page = await self._page(asked, person, place, by)
        return replace(page, text=f"{said}\n\n{page.text}") if said else page

    async def _page(self, asked: Asked, person: PersonKey, place: PlaceKey | None, by: Moderator) -> Answer:
        now = self._bench.clock.now()
        current = cases.standing(await self._bench.cases.of(person), now, place)
        seen = await self._bench.cases.page(CaseFilter(person=person, place=None if by.operator else place), None, PAGE)
        rules = await self._bench.rules(place or _nowhere(person))
        return person_page(person, seen, current, rules, by, self._bench.voice(asked))

    async def _issue(
        self, asked: Asked, wanted: Wanted, person: PersonKey, place: PlaceKey | None, by: Moderator
    ) -> str:
        """A new case by hand. An operator's holds everywhere; a moderator's in their place."""
        now, category = self._bench.clock.now(), wanted.given["category"]
        where = place or asked.chat.place
        if person.platform != where.platform:
            raise Refused(Refusal.NOT_YOURS)
        event = moderation.issued(person, where, by, now, wanted.given["reason"], everywhere=by.operator)
        counts = cases.standing(await self._bench.cases.of(person), now, place).counts
        step = counts.get(category, 0) + 1
        period: timedelta = WARNING
        if wanted.verb == "block":
            next_period = step_period((await self._bench.rules(where)).ladders[category], step)
            period = wanted.given.get("period", next_period)
            if not period:
                raise Unclear("period")
        chat = asked.chat
        if chat.place != where:
            chat = ChatKey(where.platform, where.place_id, private=False, place_id=where.place_id)
        opened = await self._bench.cases.open(
            person,
            chat,
            Sanction(category, step, now, period),
            event,
            everywhere=by.operator,
            language=(await self._bench.places.chosen(where)).language or self._language,
        )
        log.info("case %d: issued by %s:%s", opened.number, by.person.platform, by.person.user_id)
        self._news.happened(opened, opened.events[0])
        return self._bench.voice(asked).say("issued", n=opened.number)

    async def _lift(self, asked: Asked, person: PersonKey, place: PlaceKey | None, by: Moderator, reason: str) -> str:
        """Whatever blocks the person now ends, as far as it is theirs to end."""
        now, voice = self._bench.clock.now(), self._bench.voice(asked)
        blocking = cases.blocking(await self._bench.cases.of(person), now, place)
        theirs = [case for case in blocking if moderation.may_see(case, by)]
        if not theirs:
            raise Refused(Refusal.NOT_BLOCKING if not blocking else Refusal.NOT_YOURS)
        rule = partial(moderation.lifted, by=by, now=now, text=reason)
        for case in theirs:
            after = await self._bench.cases.append(case.number, rule)
            log.info("case %d: lifted by %s:%s", case.number, by.person.platform, by.person.user_id)
            self._news.happened(after, after.events[-1])
        return voice.say("lifted", numbers=", ".join(str(case.number) for case in theirs))


def _nowhere(person: PersonKey) -> PlaceKey:
    """Where nobody chose any rules."""
    return PlaceKey(person.platform, "")
