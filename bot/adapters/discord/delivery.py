"""One request to Discord that shows something: bounded in time, tried again as long as that is safe."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, TypeVar

import aiohttp
import discord
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_exponential_jitter

from bot.adapters.base import Begin
from core.errors import DeliveryError, DeliveryRefused

Result = TypeVar("Result")

# Discord compares nonces with those of "the past few minutes" (its documentation of Create Message)
NONCE_WINDOW = timedelta(minutes=2)
# the last repetition, with the library's own, must still reach Discord inside the window
_SAFE_S = NONCE_WINDOW.total_seconds() / 2
# while Discord takes no connection at all, a repetition cannot double anything
_OUTAGE_S = 15 * 60.0
# what a request raises that Discord refuses, does not get, or does not answer
UNREACHABLE = (discord.HTTPException, aiohttp.ClientError, OSError, TimeoutError)
REQUEST_S = 30.0


class Attempt:
    """Everything one reply shows. `begin` is awaited before its first request leaves."""

    def __init__(self, begin: Begin) -> None:
        self._begin: Begin | None = begin
        self._unsure_since: float | None = None
        self._limit: asyncio.Timeout | None = None

    async def make(self, request: Callable[[], Awaitable[Result]]) -> Result:
        """The request's result. Raises DeliveryError, or DeliveryRefused when repeating it is no use."""
        retrying = AsyncRetrying(
            wait=wait_exponential_jitter(multiplier=0.5, max=10),
            retry=retry_if_exception(_is_passing),
            stop=self._is_too_late,
            reraise=True,
        )
        try:
            return await retrying(self._once, request)
        except discord.HTTPException as error:
            refused = error.status < 500 and error.status != 429
            raise (DeliveryRefused if refused else DeliveryError)(f"Discord answered {error}") from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise DeliveryError(f"Discord cannot be reached ({type(error).__name__}: {error})") from error

    async def _once(self, request: Callable[[], Awaitable[Result]]) -> Result:
        token = _attempt.set(self)
        try:
            async with asyncio.timeout(None) as self._limit:
                return await request()
        finally:
            self._limit = None
            _attempt.reset(token)

    def _is_too_late(self, state: RetryCallState) -> bool:
        if self._unsure_since is not None:
            return time.monotonic() - self._unsure_since > _SAFE_S
        return (state.seconds_since_start or 0.0) > _OUTAGE_S

    async def leaves(self) -> None:
        """A request leaves for Discord now: waiting for rate limits is over, and its own time begins."""
        if self._begin is not None:
            begin, self._begin = self._begin, None
            await begin()
        if self._limit is not None:
            self._limit.reschedule(asyncio.get_running_loop().time() + REQUEST_S)

    def returned(self, *, certain: bool) -> None:
        """It is back; the library may wait and repeat it by its own rules. `certain`: it is known what Discord did."""
        if self._limit is not None and not self._limit.expired():
            self._limit.reschedule(None)
        if not certain and self._unsure_since is None:
            self._unsure_since = time.monotonic()


_attempt: ContextVar[Attempt | None] = ContextVar("_attempt", default=None)


def trace() -> aiohttp.TraceConfig:
    """For discord.Client: tells attempts when their requests really leave and return."""
    config = aiohttp.TraceConfig()

    async def leaves(session: aiohttp.ClientSession, context: SimpleNamespace, params: Any) -> None:
        if (attempt := _attempt.get()) is not None:
            await attempt.leaves()

    async def returned(session: aiohttp.ClientSession, context: SimpleNamespace, params: Any) -> None:
        if (attempt := _attempt.get()) is not None:
            attempt.returned(certain=params.response.status < 500)

    async def broke(session: aiohttp.ClientSession, context: SimpleNamespace, params: Any) -> None:
        if (attempt := _attempt.get()) is not None:
            attempt.returned(certain=isinstance(params.exception, aiohttp.ClientConnectorError))

    config.on_request_start.append(leaves)
    config.on_request_end.append(returned)
    config.on_request_exception.append(broke)
    return config


def _is_passing(error: BaseException) -> bool:
    if isinstance(error, discord.HTTPException):
        return error.status >= 500 or error.status == 429
    return isinstance(error, (aiohttp.ClientError, OSError, TimeoutError))
