"""A Redis that may be away."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import RedisError

from core.errors import DispatchError

log = logging.getLogger(__name__)

# a turn waits no longer for it, and then none does for a moment
TIMEOUT_S, ALONE_S = 0.5, 0.5
_CONNECTIONS = 8


class Link:
    """A Redis that may be away; the log hears once that it is, and once that it is back."""

    def __init__(self, url: str) -> None:
        """Nothing is sent before the first use."""
        # a connection that a restart closed is found out when it is used, and made anew
        once_more = Retry(NoBackoff(), 1, supported_errors=(NoConnection,))
        times = {"timeout": TIMEOUT_S, "socket_timeout": TIMEOUT_S, "socket_connect_timeout": TIMEOUT_S}
        pool = BlockingConnectionPool.from_url(
            url, max_connections=_CONNECTIONS, decode_responses=True, retry=once_more, **times
        )
        # Any: the declared types cover every answer that any protocol has
        self._redis: Any = Redis.from_pool(pool)
        self._away_until: float | None = None
        self._asked: list[tuple[tuple[object, ...], asyncio.Future[Any]]] = []
        self._sending: set[asyncio.Task[None]] = set()

    async def run(self, script: str, names: Sequence[str], arguments: Sequence[object]) -> Any:
        """What a script returns. Raises DispatchError; nobody knows then whether it was carried out."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        self._asked.append(((script, len(names), *names, *arguments), answer))
        if len(self._asked) == 1:
            loop.call_soon(self._send)  # not at once: turns whose commit was one go on at once, and ask together
        return await answer

    async def fields(self, name: str) -> dict[str, str]:
        """A hash; empty where there is none. Raises DispatchError."""
        found: dict[str, str] = await self._answer(lambda: self._redis.hgetall(name))
        return found

    async def rewrite_log(self) -> bool:
        """Begin to, where Redis has one; False while an earlier rewriting goes on. Raises DispatchError."""
        persistence = await self._answer(lambda: self._redis.info("persistence"))
        if persistence["aof_rewrite_in_progress"]:
            return False
        if persistence["aof_enabled"]:
            await self._answer(self._redis.bgrewriteaof)
        return True

    async def close(self) -> None:
        """Let go of the connections."""
        await asyncio.gather(*self._sending)
        await self._redis.aclose()

    def _send(self) -> None:
        asked, self._asked = self._asked, []
        task = asyncio.create_task(self._run_all(asked), context=Context())
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _run_all(self, asked: Sequence[tuple[tuple[object, ...], asyncio.Future[Any]]]) -> None:
        """In one round trip. Whoever was cancelled meanwhile hears nothing."""

        async def ask() -> list[Any]:
            async with self._redis.pipeline(transaction=False) as pipe:
                for words, _ in asked:
                    pipe.eval(*words)
                answers: list[Any] = await pipe.execute(raise_on_error=False)
            return answers

        try:
            answers = await self._answer(ask)
        except DispatchError as error:
            answers = [error] * len(asked)
        for (_, future), answer in zip(asked, answers, strict=True):
            if future.done():
                continue
            if isinstance(answer, RedisError):  # the script itself
                answer = DispatchError(f"Redis refused: {answer}")
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)

    async def _answer(self, ask: Callable[[], Awaitable[Any]]) -> Any:
        if self._away_until is not None and time.monotonic() < self._away_until:
            raise DispatchError("Redis could not be reached a moment ago.")
        try:
            found = await ask()
        except (RedisError, OSError) as error:
            if self._away_until is None:
                log.warning("Redis is away (%s); what it shares is found in the record meanwhile", error)
            self._away_until = time.monotonic() + ALONE_S
            raise DispatchError(f"Redis cannot be reached ({error}); start it, or check its URL.") from error
        if self._away_until is not None:
            log.info("Redis is back")
            self._away_until = None
        return found
