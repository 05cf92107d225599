"""Moderators at work: what they ask and press, each timed from the adapter's call to its answer."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

from benchmarks._case_log import BUSIEST, REVIEW, moderator
from bot.adapters.base import Begin, Host
from bot.adapters.desk import Answer, Asked, Command, Press, Rights, Rows
from core.case_store import CaseFilter, CaseStore, Shown
from core.cases import DECISIONS, Case, State
from core.messages import ChatKey, IncomingMessage, Notice, PersonKey, PlaceKey, Reply

OPERATOR = PersonKey("discord", "1")
AT_HOME = ChatKey("discord", "91", private=True)
MODERATOR = moderator(0)


@dataclass
class DeskAdapter:
    """bot.adapters.base.Adapter of a platform that takes everything at once; `work` is all that happens there."""

    work: Callable[[Host], Awaitable[None]]
    platform: str = BUSIEST.platform
    recognises_for: timedelta = timedelta(0)
    connected: bool = True
    _ids: Iterator[int] = field(default_factory=lambda: count(1))

    async def open(self, host: Host) -> None:
        """Nobody has to be asked."""
        self._host = host

    async def run(self) -> None:
        """The work."""
        await self.work(self._host)

    async def close(self) -> None:
        """Nothing was opened."""

    async def post(self, reply: Reply, begin: Begin) -> None:
        """Nobody looks."""
        await begin()

    async def hold(self, message: IncomingMessage, notice: Notice) -> None:
        """Nobody looks."""

    async def tell(self, person: PersonKey, text: str) -> None:
        """They read it."""

    async def write(self, chat_id: str, text: str, buttons: Rows = (), message_id: str = "") -> str:
        """It is there."""
        return message_id or f"q{next(self._ids)}"

    @contextlib.asynccontextmanager
    async def typing(self, chat: ChatKey) -> AsyncIterator[None]:
        """Nobody looks."""
        del chat
        yield


@dataclass(frozen=True, slots=True)
class Question:
    """A command as somebody gives it. `expects`: a piece of the answer that only a right one has."""

    words: str
    expects: str
    person: PersonKey = MODERATOR
    chat: ChatKey = BUSIEST


@dataclass(frozen=True, slots=True)
class Crowd:
    """What came of many moderators who press at once. `decisions`: in the record; `late`: told who was faster."""

    presses: int
    decisions: int
    late: int
    seconds: float


class Floor:
    """The commands of a service, called as an adapter calls them."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._events = count(1)

    async def ask(self, question: Question) -> float:
        """Milliseconds until the answer. Raises RuntimeError when it is another one than was expected."""
        asked = self._asked(question.person, question.chat, question.words)
        start = time.perf_counter()
        answer = await self._host.commands.run(asked)
        took = 1000 * (time.perf_counter() - start)
        if question.expects not in answer.text:
            raise RuntimeError(f"/{question.words}: {answer.text}")
        return took

    async def crowd(self, cases: CaseStore, numbers: Sequence[int], moderators: int) -> Crowd:
        """Everybody presses a button of every case's message in the review queue, all of them at once."""
        presses = []
        for number in numbers:
            shown = Shown(0, REVIEW.chat_id, f"crowd {number}")
            await cases.show(number, shown)
            for place in range(moderators):
                verb = "uphold" if place % 2 else "overturn"
                press = Press(f"case:{number}:0:{verb}", shown.message_id)
                presses.append(self._pressed(moderator(place), press))
        start = time.perf_counter()
        answers = await asyncio.gather(*presses)
        took = time.perf_counter() - start
        after = [await cases.get(number) for number in numbers]
        decisions = sum(event.kind in DECISIONS for case in after if case is not None for event in case.events)
        return Crowd(len(presses), decisions, sum("was faster" in answer.text for answer in answers), took)

    def _pressed(self, person: PersonKey, press: Press) -> Awaitable[Answer]:
        return self._host.commands.pressed(self._asked(person, REVIEW, ""), press)

    def _asked(self, person: PersonKey, chat: ChatKey, words: str) -> Asked:
        name, _, argument = words.partition(" ")
        return Asked(person, chat, Command(name, argument), "en", rights=_rights, event=str(next(self._events)))


async def questions(cases: CaseStore, times: int) -> dict[str, list[Question]]:
    """Command → so many of it, over cases and people that were not asked about before."""
    place = BUSIEST.place
    newest = await cases.page(CaseFilter(place), limit=4 * times)
    people = [f"<@{person.user_id}>" for person in dict.fromkeys(case.person for case in newest)]
    waiting = await open_blocks(cases, place, 5 * times)
    upheld, overturned, shortened, commented, appealed = (waiting[i * times : (i + 1) * times] for i in range(5))
    listed = {"": "", " open": " open", " appealed": " appealed", " category": " hate", " since": " 30d"}
    asked = {f"cases{name}": [Question(f"mod cases{words}", "newest")] * times for name, words in listed.items()}
    asked |= {
        "cases person": [Question(f"mod cases {who}", "newest") for who in people],
        "cases, later": [Question(f"mod cases before={case.number}", "newest") for case in newest],
        "case": [_on(case, "case") for case in newest],
        "person": [Question(f"mod person {who}", "Person:") for who in people],
        "warn": [Question(f"mod warn {who} hate -- rude again", "Opened case") for who in people],
        "block": [Question(f"mod block {who} insult 1h -- rude again", "Opened case") for who in people],
        "lift": [Question(f"mod lift {who} -- they are sorry", "Lifted") for who in people],
        "uphold": [_on(case, "uphold", "it is what it looks like") for case in upheld],
        "overturn": [_on(case, "overturn", "a song") for case in overturned],
        "shorten": [_on(case, "shorten", "30m -- the first time") for case in shortened],
        "comment": [_on(case, "comment", "let us wait") for case in commented],
        "appeal": [_appeal(case) for case in appealed],
        "stats": [Question("mod stats", "Cases since")] * times,
        "stats, 3 years": [Question("mod stats 1095d", "Cases since")] * times,
        "export, a week": [Question("mod export 7d", "Exported")] * times,
        "settings": [Question("mod settings", "Sanctions in")] * times,
        "settings mode": [Question(f"mod settings hate mode={mode}", "Sanctions in") for mode in _MODES * times],
    }
    return {name: several[:times] for name, several in (asked | await _everywhere(cases, times)).items()}


async def _everywhere(cases: CaseStore, times: int) -> dict[str, list[Question]]:
    """What operators ask in private, about the whole record."""
    newest = await cases.page(CaseFilter(), limit=4 * times)
    people = [case.person for case in newest if case.person.platform == OPERATOR.platform]
    lists = {"cases": "", "cases open": " open", "cases appealed": " appealed", "cases category": " love"}
    asked = {f"everywhere: {name}": [f"mod cases{words}"] * times for name, words in lists.items()}
    asked |= {
        "everywhere: cases person": [f"mod cases <@{person.user_id}>" for person in people],
        "everywhere: stats, 3 years": ["mod stats 1095d"] * times,
        "everywhere: export, a week": ["mod export 7d"] * times,
        "everywhere: person": [f"mod person <@{person.user_id}>" for person in people],
        "everywhere: block": [f"mod block <@{person.user_id}> hate 1h -- rude" for person in people],
    }
    expects = {"cases": "newest", "stats": "Cases since", "export": "Exported", "person": "Person:", "block": "Opened"}
    return {
        name: [Question(words, expects[words.split()[1]], OPERATOR, AT_HOME) for words in several]
        for name, several in asked.items()
    }


async def open_blocks(cases: CaseStore, place: PlaceKey, wanted: int) -> list[Case]:
    """Cases of a place that nobody judged yet, and that can be made shorter; the newest first."""
    found: list[Case] = []
    before: int | None = None
    while len(found) < wanted and (page := await cases.page(CaseFilter(place, State.OPEN), before, 500)):
        found += [case for case in page if case.sanction.felt and not case.manual and case.period > timedelta(hours=1)]
        before = page[-1].number
    return found[:wanted]


_MODES = ("shadow", "enforce")


def _on(case: Case, verb: str, words: str = "") -> Question:
    return Question(f"mod {verb} {case.number} {words}".rstrip(), f"Case {case.number}")


def _appeal(case: Case) -> Question:
    home = ChatKey(case.person.platform, f"9{case.person.user_id}", private=True)
    return Question(f"appeal {case.number} it was a song", "I took your appeal", case.person, home)


async def _rights(place: PlaceKey) -> Rights:
    return Rights(moderates=True, manages=True)
