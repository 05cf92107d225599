"""The moderation desk: /mod and /appeal, on every platform. Rights are looked up at every command and every press.

Whoever is refused hears a sentence that says no more than they may know, and the log has who asked for what, in
numbers only.
"""

import logging
import re
from collections.abc import Iterable
from dataclasses import replace

from cachetools import LRUCache

from bot.adapters.desk import Answer, Asked, Command, Press
from bot.adapters.menu import APPEAL, verb_of
from bot.moderation.bench import Bench, NoModerator
from bot.moderation.forms import filled
from bot.moderation.lists import Lists
from bot.moderation.news import News
from bot.moderation.people import People
from bot.moderation.place_rules import PlaceRules
from bot.moderation.review_pages import CaseButton
from bot.moderation.verdicts import Verdicts
from bot.moderation.words import Reader, Unclear, Wanted
from core import texts
from core.case_store import Shown
from core.messages import PlaceKey
from core.moderation import APPEAL_AGAIN_AFTER, APPEALS, TEXT_LENGTH, Refusal, Refused

log = logging.getLogger(__name__)

_EVENTS = 10_000
_NUMBER = re.compile(r"\b\d{1,15}\b", re.ASCII)


class Desk:
    """`language`: of what is said to people in places where nobody chose one."""

    def __init__(self, bench: Bench, news: News, language: str) -> None:
        self._bench = bench
        self._news = news
        self._verdicts = Verdicts(bench, news)
        self._people = People(bench, news, language)
        self._lists = Lists(bench)
        self._rules = PlaceRules(bench, news)
        self._seen: LRUCache[tuple[str, str], bool] = LRUCache(_EVENTS)

    async def run(self, asked: Asked) -> Answer:
        """/mod or /appeal. Raises RecordError."""
        if self._seen_before(asked):
            log.warning("refused: %s hands in %s a second time", _who(asked), _what(asked))
            return Answer(texts.text(asked.language, "button", "gone"), aside=True)
        try:
            if asked.command.name == "appeal":
                return await self._appeal(asked)
            return await self._mod(asked, self._reader(asked).read(asked.command.argument))
        except Unclear as error:
            return Answer(self._unclear(asked, error.about))
        except (Refused, NoModerator) as error:
            return self._refused(asked, error)

    async def pressed(self, asked: Asked, button: CaseButton, press: Press) -> Answer:
        """A button of the review queue, by anybody. Raises RecordError."""
        shows = Shown(button.appeal, asked.chat.chat_id, press.message_id)
        if shows not in await self._bench.cases.shown(button.number):
            log.warning("%s pressed a button that message %s does not have", _who(asked), press.message_id)
            return Answer(texts.text(asked.language, "button", "gone"), aside=True)
        words = filled(button.verb, press.filled)
        line = f"{button.verb} {button.number} appeal={button.appeal} {words}"
        answer = await self.run(replace(asked, command=Command("mod", line.strip())))
        if button.verb == "case":
            return replace(answer, aside=True)
        self._news.look_at(button.number, asked.person.platform)  # who comes too late shall see how it stands
        return Answer(_short(answer.text), aside=True)

    def look_at(self, numbers: Iterable[int], platform: str) -> None:
        """The messages of the review queue show these cases as they are now."""
        for number in numbers:
            self._news.look_at(number, platform)

    async def _mod(self, asked: Asked, wanted: Wanted) -> Answer:
        if "case" in wanted.given:
            return await self._verdicts.do(asked, wanted)
        place = self._place(asked, wanted)
        match wanted.verb:
            case "cases":
                return await self._lists.cases(asked, wanted, place)
            case "export":
                return await self._lists.export(asked, wanted, place)
            case "stats":
                return await self._lists.stats(asked, wanted, place)
            case "settings":
                return await self._rules.do(asked, wanted, place)
        return await self._people.do(asked, wanted, place)

    async def _appeal(self, asked: Asked) -> Answer:
        given, _ = self._reader(asked).options(APPEAL, asked.command.argument)
        case = await self._verdicts.appeal(asked, given["case"], given["appeal"])
        return Answer(self._bench.voice(asked).say("appealed", n=case.number))

    def _place(self, asked: Asked, wanted: Wanted) -> PlaceKey | None:
        """What it is about: the place that was named, else where it was asked; None is everywhere."""
        if wanted.place_id:
            return PlaceKey(asked.person.platform, wanted.place_id)
        return None if asked.chat.private else asked.chat.place

    def _reader(self, asked: Asked) -> Reader:
        return Reader(asked.person.platform, self._bench.clock.now(), self._bench.policy.zone)

    def _seen_before(self, asked: Asked) -> bool:
        """Whether the platform, or somebody, hands in a command or a press again."""
        event = asked.person.platform, asked.event
        known = bool(asked.event) and event in self._seen
        self._seen[event] = True
        return known

    def _unclear(self, asked: Asked, about: str) -> str:
        voice = self._bench.voice(asked)
        if asked.command.name == "appeal":
            return voice.say("appeal_usage")
        return voice.say("usage_of", what=voice.word("option", about)) if about else voice.say("usage")

    def _refused(self, asked: Asked, error: Refused | NoModerator) -> Answer:
        reason = error.reason.value if isinstance(error, Refused) else "no moderator"
        log.warning("refused: %s may not %s: %s", _who(asked), _what(asked), reason)
        voice = self._bench.voice(asked)
        if isinstance(error, NoModerator):
            return Answer(voice.say("moderators_only" if error.place is not None else "where_to_ask"))
        event = error.event
        values: dict[str, object] = {"appeals": APPEALS, "days": APPEAL_AGAIN_AFTER.days, "longest": TEXT_LENGTH}
        if event is not None:
            values |= {"who": voice.name(event.by), "at": voice.at(event.at), "what": voice.word("event", event.kind)}
        if error.until is not None:
            values["until"] = texts.moment(asked.language, error.until, self._bench.policy.zone)
        name = error.reason.value
        if error.reason is Refusal.DECIDED and asked.command.name == "appeal":
            name = "overturned_already"
        elif event is None and error.reason in (Refusal.DECIDED, Refusal.OUTDATED):
            name = "changed"
        return Answer(texts.text(asked.language, "refused", name, **values))


def _who(asked: Asked) -> str:
    return f"{asked.person.platform}:{asked.person.user_id} in {asked.chat.chat_id}"


def _what(asked: Asked) -> str:
    """The command in its verb and its number: people's words stay out of the log."""
    verb, _, rest = asked.command.argument.partition(" ")
    number = _NUMBER.search(asked.command.argument if asked.command.name == "appeal" else rest)
    return " ".join(part for part in (f"/{asked.command.name}", verb_of(verb), number and number[0]) if part)


def _short(text: str) -> str:
    """Beside a message that shows the case already."""
    return "\n".join(text.splitlines()[:2])
