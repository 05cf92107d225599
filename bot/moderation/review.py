"""The review queue: a message for every question that waits for a moderator, brought up to date as its case moves."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from datetime import timedelta
from functools import partial

from bot.adapters.base import Adapter
from bot.moderation.bench import Bench
from bot.moderation.review_pages import buttons_of, page_of
from bot.moderation.voice import Voice, open_question
from core.case_store import CaseFilter, Shown
from core.cases import Case, State
from core.errors import DeliveryError, DeliveryRefused, RecordError

log = logging.getLogger(__name__)

# what a platform or the record did not take is tried again after this long
RETRY_S = 60.0
# at a start, questions as old as this are still asked
_ASKED_FOR = timedelta(days=7)
_AT_ONCE = 100


class ReviewQueue:
    """The review chats of one platform: those of its places, and the operators' own, "" for none.

    `changed` and `look_again` return at once; `run` does the work, and what it cannot do harms nobody.
    """

    def __init__(
        self,
        adapter: Adapter,
        bench: Bench,
        operators_chat: str = "",
        language: str = "ko",
        retry_s: float = RETRY_S,
    ) -> None:
        self._adapter = adapter
        self._bench = bench
        self._operators_chat = operators_chat
        self._language = language
        self._retry_s = retry_s
        self._changed: dict[int, None] = {}  # numbers, in the order of what happened
        self._behind = False
        self._refusing: set[str] = set()  # chats that took nothing the last time
        self._wake = asyncio.Event()
        self._stopping = False

    def changed(self, number: int) -> None:
        """Something happened to a case."""
        self._changed[number] = None
        self._wake.set()

    def look_again(self) -> None:
        """There may be questions that no message asks."""
        self._behind = True
        self._wake.set()

    def stop(self) -> None:
        """After the message under way, whose id has to be kept."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Until `stop`, or cancelled."""
        self._behind, self._stopping = True, False
        while not self._stopping:
            self._wake.clear()
            failed = not await self._up_to_date()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._retry_s if failed else None):
                    await self._wake.wait()

    async def _up_to_date(self) -> bool:
        """Whether everything that could be shown is."""
        if self._behind:
            self._behind = False
            if not await self._tried(self._catch_up, "the questions that nobody was asked"):
                self._behind = True
        left, self._changed = self._changed, {}
        for number in left:
            if self._stopping or not await self._tried(partial(self._show, number), f"case {number}"):
                self._changed[number] = None
        return not (self._behind or self._changed)

    async def _tried(self, work: Callable[[], Awaitable[None]], what: str) -> bool:
        try:
            await work()
        except (DeliveryError, RecordError) as error:
            log.warning("review queue: %s: tried again in %.0f s: %s", what, self._retry_s, error)
            return False
        except Exception:  # it would fail again; the others shall not wait for it
            log.exception("review queue: %s is left out", what)
        return True

    async def _catch_up(self) -> None:
        """The questions that wait, and that no message asks: what arose while we, or a chat, were out of reach."""
        self._refusing.clear()
        since = self._bench.clock.now() - _ASKED_FOR
        for state in (State.APPEALED, State.OPEN):
            before: int | None = None
            while cases := await self._bench.cases.page(CaseFilter(state=state, since=since), before, _AT_ONCE):
                for case in cases:
                    if self._stopping:
                        return
                    if case.person.platform == self._adapter.platform and await self._chats(case):
                        await self._ask(case, await self._bench.cases.shown(case.number), self._refusing)
                before = cases[-1].number

    async def _show(self, number: int) -> None:
        """Every message of a case as the case is now, and a new one for a question that has none."""
        case = await self._bench.cases.get(number)
        if case is None:
            return
        shown = await self._bench.cases.shown(number)
        chats = await self._chats(case)
        for message in shown:
            await self._write(case, message, chats.get(message.chat_id, self._language))
        await self._ask(case, shown, frozenset())

    async def _ask(self, case: Case, shown: Sequence[Shown], closed: AbstractSet[str]) -> None:
        """What waits for a decision, in each chat that has no message for it."""
        if open_question(case):
            asked = {message.chat_id for message in shown if message.appeal == case.appeals}
            for chat_id, language in (await self._chats(case)).items():
                if chat_id not in asked and chat_id not in closed:
                    await self._write(case, Shown(case.appeals, chat_id, ""), language)

    async def _chats(self, case: Case) -> dict[str, str]:
        """Where its questions are asked → in which language."""
        settings = await self._bench.places.chosen(case.place)
        wanted = {
            self._operators_chat: self._language,
            settings.review_chat: settings.language or self._language,
        }
        return {chat_id: language for chat_id, language in wanted.items() if chat_id}

    async def _write(self, case: Case, message: Shown, language: str) -> None:
        voice = Voice(language, self._bench.policy.zone, self._adapter.platform)
        text, buttons = page_of(case, message.appeal, voice), buttons_of(case, message.appeal, voice)
        try:
            written = await self._adapter.write(message.chat_id, text, buttons, message.message_id)
        except DeliveryRefused as error:
            log.warning("review queue: chat %s does not take case %d: %s", message.chat_id, case.number, error)
            if not message.message_id:
                self._refusing.add(message.chat_id)
            return
        if message.message_id:
            return
        await self._bench.cases.show(case.number, Shown(message.appeal, message.chat_id, written))
        if message.chat_id in self._refusing:  # it is open again
            self._refusing.discard(message.chat_id)
            self.look_again()
