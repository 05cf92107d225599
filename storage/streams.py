"""The queue between gateways and workers, on Redis Streams. It holds references; what they point at is in the record.

errands      one stream for each partition, with one group and one consumer: whoever has the partition's lease
references   one stream for each platform, of what became of its errands; its gateway is the only reader

An entry is deleted once it is handled, so that the length of a stream is the work that is left, and what cannot be
read now is read later.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from redis.asyncio import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from core.errors import DispatchError
from storage import keys
from storage.errands import Delivered, Errand, Reference, of_errand, of_reference, to_delivered, to_reference

_GROUP = _CONSUMER = "workers"
# longer than anything waits; whoever is away longer asks the record
_KEPT_S = 7 * 86_400
# a read that blocks ends long before it
_TIMEOUT_S = 2.0
_PAGE = 500


# Errands enter only while nothing was lost that its sender relies on: else a later one would come before the earlier.
# KEYS: the epoch's, then the stream of each errand; ARGV: the epoch, the time to live, then each errand.
_SEND = """
local server = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
if server .. ' ' .. (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
for number = 2, #KEYS do
  redis.call('XADD', KEYS[number], '*', ARGV[2 * number - 1], ARGV[2 * number])
  redis.call('EXPIRE', KEYS[number], ARGV[2])
end
return 1
"""


class _NoGroup(DispatchError):
    """The stream is new, or everything was lost."""


class Streams:
    """The transport. Every method raises DispatchError while Redis is away; what was asked for may be done then."""

    def __init__(self, url: str, partitions: int, incarnation: str) -> None:
        """Nothing is sent before the first use. `incarnation`: of the record that is referred to."""
        self._partitions = partitions
        self._incarnation = incarnation
        # whoever asks tries again: what a read that failed was given has to be looked for
        never = Retry(NoBackoff(), 0)
        # Any: the declared types cover every answer that any protocol has; this one has one for each command
        self._redis: Any = Redis.from_url(
            url,
            decode_responses=True,
            protocol=2,
            retry=never,
            socket_timeout=_TIMEOUT_S,
            socket_connect_timeout=_TIMEOUT_S,
        )
        self._send = self._redis.register_script(_SEND)

    async def __aenter__(self) -> Self:
        """For `async with Streams(…) as streams`."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the connections."""
        await self._redis.aclose()

    async def ping(self) -> None:
        """Returns when Redis answers."""
        with _readable_errors():
            await self._redis.ping()

    async def epoch(self) -> str:
        """Another one after everything, or the newest of it, may have been lost."""
        key = self._epoch
        with _readable_errors():
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.set(key, uuid4().hex, nx=True)
                pipe.expire(key, _KEPT_S)
                pipe.get(key)
                pipe.info("server")
                _, _, epoch, server = await pipe.execute()
        return f"{server['run_id']} {epoch}"

    async def backlog(self) -> int:
        """Errands that no worker has done yet."""
        with _readable_errors():
            async with self._redis.pipeline(transaction=False) as pipe:
                for partition in range(self._partitions):
                    pipe.xlen(self._errands(partition))
                return sum(await pipe.execute())

    async def announce(self, worker: str, ttl_s: float) -> list[str]:
        """This worker lives; the names of all that gave a sign in the last `ttl_s` seconds, sorted."""
        with _readable_errors():
            seconds, microseconds = await self._redis.time()
            now = seconds + microseconds / 1e6
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.zadd(self._workers, {worker: now})
                pipe.zremrangebyscore(self._workers, "-inf", f"({now - ttl_s}")
                pipe.expire(self._workers, _KEPT_S)
                pipe.zrange(self._workers, 0, -1)
                return sorted((await pipe.execute())[-1])

    async def leave(self, worker: str) -> None:
        """This worker is counted no more."""
        with _readable_errors():
            await self._redis.zrem(self._workers, worker)

    async def send(self, errands: Sequence[Errand], epoch: str) -> bool:
        """To their partitions, in this order; False, and none of them, when the epoch is another one by now."""
        streams = [self._errands(errand.partition) for errand in errands]
        entries = [part for errand in errands for field in of_errand(errand).items() for part in field]
        with _readable_errors():
            sent = await self._send(keys=[self._epoch, *streams], args=[epoch, _KEPT_S, *entries])
        return bool(sent)

    async def take(self, partitions: Collection[int], count: int, block_s: float) -> list[Delivered]:
        """Errands that nobody had: up to `count` of each partition, once there are any; none after `block_s`.

        After a DispatchError some may be in nobody's hands: look for them with `pending`.
        """
        which = {self._errands(partition): partition for partition in partitions}
        streams, block = dict.fromkeys(which, ">"), _milliseconds(block_s)
        try:
            with _readable_errors():
                found = await self._redis.xreadgroup(_GROUP, _CONSUMER, streams, count=count, block=block)
        except _NoGroup:
            await self._found(which)
            return []
        taken = [to_delivered(which[stream], entry, said) for stream, entries in found or () for entry, said in entries]
        return [one for one in taken if one is not None]

    async def pending(self, partition: int) -> list[Delivered]:
        """The oldest of what a worker had and did not finish, in order, and how often that was so far."""
        stream = self._errands(partition)
        try:
            with _readable_errors():
                had = await self._redis.xpending_range(stream, _GROUP, "-", "+", _PAGE)
                times = {one["message_id"]: one["times_delivered"] for one in had}
                entries = await self._redis.xrange(stream, had[0]["message_id"], had[-1]["message_id"]) if had else []
        except _NoGroup:
            await self._found([stream])
            return []
        left = [to_delivered(partition, entry, fields, times[entry]) for entry, fields in entries if entry in times]
        return [one for one in left if one is not None]

    async def left(self, most: Mapping[int, int]) -> dict[int, list[str]]:
        """Partition → the entries that are pending there, the oldest first, up to `most` of them."""
        with _readable_errors():
            async with self._redis.pipeline(transaction=False) as pipe:
                for partition, count in most.items():
                    pipe.xpending_range(self._errands(partition), _GROUP, "-", "+", count)
                answers = await pipe.execute(raise_on_error=False)  # a group that is not there has nothing pending
        counted = zip(most, answers, strict=True)
        return {number: [one["message_id"] for one in left] for number, left in counted if isinstance(left, list)}

    async def claim(self, partition: int, delivered: Sequence[Delivered]) -> None:
        """Pending ones are in a worker's hands once more."""
        entries = [one.entry for one in delivered]
        with _readable_errors():
            await self._redis.xclaim(self._errands(partition), _GROUP, _CONSUMER, 0, entries)

    async def finish(self, done: Sequence[tuple[Delivered, Reference | None]]) -> None:
        """Tell the gateways what became of errands, None: nothing; whole or not at all."""
        told = [reference for _, reference in done if reference is not None]
        with _readable_errors():
            async with self._redis.pipeline(transaction=True) as pipe:
                for reference in told:
                    pipe.xadd(self._references(reference.key.platform), of_reference(reference))
                for platform in {reference.key.platform for reference in told}:
                    pipe.expire(self._references(platform), _KEPT_S)
                for delivered, _ in done:
                    stream = self._errands(delivered.errand.partition)
                    pipe.xack(stream, _GROUP, delivered.entry)
                    pipe.xdel(stream, delivered.entry)
                await pipe.execute()

    async def references(
        self, platform: str, block_s: float, handled: Collection[str] = ()
    ) -> dict[str, Reference | None]:
        """What became of errands, by the ids of the entries, without those that are `handled`; none after `block_s`.

        Those are read no more. None for what cannot be read: a newer version wrote it.
        """
        stream = self._references(platform)
        with _readable_errors():
            async with self._redis.pipeline(transaction=False) as pipe:
                if handled:
                    pipe.xdel(stream, *handled)
                pipe.xread({stream: "0"}, count=_PAGE, block=_milliseconds(block_s))
                *_, found = await pipe.execute()
        return {entry: to_reference(fields) for _, entries in found or () for entry, fields in entries}

    def _errands(self, partition: int) -> str:
        return keys.errands(self._incarnation, partition)

    def _references(self, platform: str) -> str:
        return keys.references(self._incarnation, platform)

    @property
    def _epoch(self) -> str:
        return keys.epoch(self._incarnation)

    @property
    def _workers(self) -> str:
        return keys.workers(self._incarnation)

    async def _found(self, streams: Collection[str]) -> None:
        """Make groups that begin with the oldest entry, where there are none."""
        for stream in streams:
            try:
                with _readable_errors():
                    await self._redis.xgroup_create(stream, _GROUP, id="0", mkstream=True)
            except DispatchError as error:
                if "BUSYGROUP" not in str(error.__cause__):
                    raise
            with _readable_errors():
                await self._redis.expire(stream, _KEPT_S)


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))  # to Redis 0 is for ever


@contextmanager
def _readable_errors() -> Iterator[None]:
    try:
        yield
    except ResponseError as error:
        raise (_NoGroup if "NOGROUP" in str(error) else DispatchError)(f"Redis refused: {error}") from error
    except (RedisError, OSError) as error:
        raise DispatchError(f"Redis is away: {error}") from error
