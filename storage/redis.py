"""Hot state that several processes share, in Redis. What is away, lost or late only costs time."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta

from core.errors import DispatchError
from core.messages import PersonKey
from core.ports import Fence
from storage import keys, known_json
from storage import redis_scripts as scripts
from storage.hot import MOST_BYTES, Near
from storage.known import Known, LastTurn, Learned, is_newest
from storage.one_process import LocalCounters
from storage.redis_link import Link

log = logging.getLogger(__name__)

_MS_OF_A_PERSON, _MS_OF_A_TOKEN = 3600 * 1000, 30 * 86_400 * 1000
# items and chats; with more of them a person is read from the record as quickly, and Redis waits for nobody meanwhile
MOST_ENTRIES = 250
# until a rewriting of the append-only file that is under way has ended
_TRIES, _PAUSE_S = 100, 0.1


class RedisState:
    """A HotState. What this process used last is at hand in it, ready for use."""

    def __init__(self, url: str, incarnation: str, most_bytes: int = MOST_BYTES) -> None:
        """Of the record with that incarnation. Nothing is sent before the first use."""
        self._incarnation = incarnation
        self._near = Near(most_bytes)
        self._here = LocalCounters()
        self._link = Link(url)

    async def recall(self, person: PersonKey) -> Known | None:
        """From this process, else from Redis."""
        known = self._near.get(person)
        if known is not None:
            return known
        key = keys.person(self._incarnation, person)
        try:
            fields = await self._link.fields(key)
        except DispatchError:
            return None
        known = known_json.to_known(person, fields)
        if known is not None:
            self._near.keep(person, known)
        return known

    def near(self, person: PersonKey) -> Known | None:
        """From this process."""
        return self._near.get(person)

    async def keep(self, person: PersonKey, known: Known) -> None:
        """Unless a later revision is there."""
        self._near.keep(person, known)
        if _entries(known) <= MOST_ENTRIES:
            fields = known_json.fields_of(known)
            written = [part for field in fields.items() for part in field]
            await self._tell(scripts.KEEP, person, [known.revision, known_json.VERSION, _MS_OF_A_PERSON, *written])

    async def learn(self, learned: Learned) -> None:
        """From the revision before, as far as this process knew it."""
        person, before = learned.person, self._near.get(learned.person)
        self._near.learn(learned)
        after = self._near.get(person)
        if before is None or after is None or after.revision != learned.revision:
            return
        if _entries(after) > MOST_ENTRIES:
            await self._forget_there(person, learned.revision)
        elif not await self._tell(scripts.LEARN, person, _steps(before, learned)):
            await self.keep(person, after)

    async def forget(self, person: PersonKey, revision: int) -> None:
        """All of before `revision`. What Redis keeps while nobody can reach it goes with its time to live."""
        self._near.forget(person, revision)
        await self._forget_there(person, revision)

    async def scrub(self) -> None:
        """Every write is in the append-only file until Redis writes that anew."""
        try:
            for _ in range(_TRIES):
                if await self._link.rewrite_log():
                    return
                await asyncio.sleep(_PAUSE_S)  # that one began too early
            log.error("Redis is busy with its append-only file, which keeps what was deleted; run BGREWRITEAOF")
        except DispatchError:
            log.exception("Redis keeps what was deleted in its append-only file; run BGREWRITEAOF")

    async def count(self, name: str, within: timedelta) -> int:
        """One more, and how many there were since the first; of this process, while Redis is away."""
        key, milliseconds = keys.counter(self._incarnation, name), _milliseconds(within.total_seconds())
        try:
            return int(await self._link.run(scripts.COUNT, [key], [milliseconds]))
        except DispatchError:
            return await self._here.count(name, within)

    async def acquire(self, name: str, ttl_s: float) -> Fence | None:
        """The right of that name for `ttl_s` seconds; None while it is taken. Raises DispatchError."""
        both = [keys.lease(self._incarnation, name), keys.last_token(self._incarnation, name)]
        times = [_milliseconds(ttl_s), _MS_OF_A_TOKEN]
        token = await self._link.run(scripts.ACQUIRE, both, times)
        return None if token is None else Fence(name, int(token))

    async def renew(self, fence: Fence, ttl_s: float) -> bool:
        """From now on for `ttl_s` seconds; False when it is over. Raises DispatchError."""
        key = keys.lease(self._incarnation, fence.name)
        return bool(await self._link.run(scripts.RENEW, [key], [fence.token, _milliseconds(ttl_s)]))

    async def release(self, fence: Fence) -> None:
        """Somebody else may have it at once. Raises DispatchError."""
        key = keys.lease(self._incarnation, fence.name)
        await self._link.run(scripts.RELEASE, [key], [fence.token])

    async def close(self) -> None:
        """Let go of the connections."""
        await self._link.close()

    async def _forget_there(self, person: PersonKey, revision: int) -> None:
        await self._tell(scripts.FORGET, person, [revision, known_json.VERSION, _MS_OF_A_PERSON])

    async def _tell(self, script: str, person: PersonKey, arguments: Sequence[object]) -> bool:
        """Whether it was done; also when nobody knows, for then nothing else is to be done about it."""
        key = keys.person(self._incarnation, person)
        try:
            return bool(await self._link.run(script, [key], arguments))
        except DispatchError:
            return True


def _steps(before: Known, learned: Learned) -> list[object]:
    """What LEARN takes."""
    going = [known_json.item_field(item_id) for item_id in learned.forgotten]
    new: list[str] = []
    if learned.item is not None:
        new += [known_json.item_field(learned.item.item_id), known_json.of_item(learned.item)]
    if is_newest(before, learned):
        chat = known_json.chat_field(learned.chat_id)
        if learned.summary is None:
            going.append(chat)
        else:
            new += [chat, known_json.of_last_turn(LastTurn(learned.turn_id, learned.summary))]
    revisions = (learned.revision - 1, learned.revision)
    return [*revisions, known_json.VERSION, _MS_OF_A_PERSON, len(going), *going, *new]


def _entries(known: Known) -> int:
    return len(known.items) + len(known.last_turns) + len(known.cases)


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
