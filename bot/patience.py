"""Waiting for the record to come back."""

import logging
from collections.abc import Awaitable, Callable

from tenacity import AsyncRetrying, retry_if_exception_type, wait_random_exponential

from core.errors import RecordUnavailable

log = logging.getLogger(__name__)

# between two questions whether it is back
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 1.0


async def until_it_is_back(work: Callable[[], Awaitable[None]]) -> None:
    """Again for as long as the record is away. Raises whatever else comes."""
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type(RecordUnavailable),
        wait=wait_random_exponential(multiplier=_FIRST_PAUSE_S, max=_LONGEST_PAUSE_S),
        before_sleep=lambda state: log.warning(
            "the record did not take it: %s", state.outcome and state.outcome.exception()
        ),
    ):
        with attempt:
            await work()
