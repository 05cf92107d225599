"""What the person concerned hears of a case outside a turn: what a moderator issued, and what became of an appeal."""

import asyncio
import logging
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from bot.adapters.base import Adapter
from bot.moderation.voice import quoted
from core import texts
from core.case_store import CaseStore
from core.cases import Case, Event, Kind
from core.errors import DeliveryError, DeliveryRefused, RecordError
from core.moderation import TEXT_LENGTH, Refused
from core.ports import Clock, Delivery

log = logging.getLogger(__name__)

_GRACE_S = 5.0


class Teller:
    """Tells people privately, after whatever it tells of is written. What fails is logged, and hurts nobody else."""

    def __init__(self, adapters: Mapping[str, Adapter], cases: CaseStore, clock: Clock, zone: ZoneInfo) -> None:
        self._adapters = adapters
        self._cases = cases
        self._clock = clock
        self._zone = zone
        self._tasks: set[asyncio.Task[None]] = set()

    def happened(self, case: Case, event: Event) -> None:
        """The person hears of this event of their case, if it concerns them."""
        if (said := told(case, event, self._zone)) and case.person.platform in self._adapters:
            task = asyncio.create_task(self._tell(self._adapters[case.person.platform], case, said))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """What is on its way has a moment to arrive."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_GRACE_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _tell(self, adapter: Adapter, case: Case, said: str) -> None:
        outcome = Delivery.DELIVERED
        try:
            await adapter.tell(case.person, said)
        except DeliveryRefused as error:
            log.warning("case %d: its person takes no private messages: %s", case.number, error)
            outcome = Delivery.REFUSED
            await self._hint(adapter, case)
        except DeliveryError as error:
            log.warning("case %d: nobody knows whether its person was told: %s", case.number, error)
            outcome = Delivery.UNKNOWN
        except Exception:  # an adapter's fault ends here: the decision stands whatever becomes of its news
            log.exception("case %d: its person was not told", case.number)
            outcome = Delivery.UNKNOWN
        noticed = Event(Kind.NOTICED, self._clock.now(), text=outcome.value)
        try:
            await self._cases.append(case.number, lambda _: noticed)
        except (RecordError, Refused):
            log.exception("case %d: the news is %s, but the record did not take that", case.number, outcome)

    async def _hint(self, adapter: Adapter, case: Case) -> None:
        """Where the case arose: a number says something to nobody else."""
        if case.chat.private:
            return
        try:
            await adapter.write(case.chat.chat_id, texts.text(case.language, "told", "elsewhere", n=case.number))
        except DeliveryError as error:
            log.warning("case %d: not even a hint reached its person: %s", case.number, error)


def told(case: Case, event: Event, zone: ZoneInfo) -> str:
    """What the person reads of an event, in their language; "" when it does not concern them."""
    if not case.sanction.felt:
        return ""
    name = _sentence(case, event)
    if not name:
        return ""
    language = case.language
    said = texts.text(
        language,
        "told",
        name,
        n=case.number,
        category=texts.categories(language, [case.sanction.category]),
        period=texts.period(language, case.period),
        until=texts.moment(language, case.end, zone),
    )
    if event.text:
        said += f"\n{quoted(event.text, TEXT_LENGTH)}"
    if event.kind is Kind.ISSUED:
        said += "\n" + texts.text(language, "case", "numbers", numbers=case.number)
    return said


def _sentence(case: Case, event: Event) -> str:
    match event.kind:
        case Kind.ISSUED if case.manual:
            return "blocked" if case.sanction.period else "warned"
        case Kind.UPHELD if case.appeals:  # who did not ask hears nothing of a second look
            return "upheld"
        case Kind.OVERTURNED | Kind.LIFTED:
            return event.kind.value
        case Kind.SHORTENED:
            return "shortened" if case.period else "shortened_to_nothing"
    return ""
