"""The library's client: its time limits, its logs without the token, and what its errors mean."""

import logging
import os
from collections.abc import Callable
from datetime import timedelta

import httpx
from telegram import Bot
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)
from telegram.request import HTTPXRequest
from tenacity import RetryCallState, wait_exponential_jitter

from core.errors import DeliveryError, DeliveryRefused

# The library's own switch: without it every RetryAfter warns that it will be a timedelta one day.
os.environ.setdefault("PTB_TIMEDELTA", "true")

_CONNECTIONS = 256
_CONNECT_S, _READ_S, _UPLOAD_S = 10.0, 30.0, 60.0
_LONGEST_PAUSE_S = 30.0


def make_bot(token: str, api_url: str) -> Bot:
    """A client that has not spoken yet. Its libraries log neither addresses, which hold the token, nor what is said."""
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("telegram").setLevel(logging.CRITICAL + 1)  # it raises what it logs, and logs whole answers
    base = api_url.rstrip("/")
    return Bot(token, f"{base}/bot", f"{base}/file/bot", _request(_CONNECTIONS), _request(1))


def _request(connections: int) -> HTTPXRequest:
    return HTTPXRequest(
        connections,
        read_timeout=_READ_S,
        write_timeout=_READ_S,
        connect_timeout=_CONNECT_S,
        pool_timeout=_READ_S,
        media_write_timeout=_UPLOAD_S,
    )


def seconds_of(error: RetryAfter) -> float:
    """How long Telegram asks to wait."""
    wait = error.retry_after
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)


def nothing_done(error: BaseException) -> bool:
    """Whether Telegram certainly did not do what was asked, and may do it later.

    Either the request never left, or Telegram itself answered that it failed (its 429 and 5xx are JSON). A 502 or 504
    page comes from a proxy before Telegram, which does not know what happened behind it; nor does anybody after a cut
    connection, a time-out or half an answer.
    """
    if isinstance(error, RetryAfter):
        return True
    if not isinstance(error, NetworkError) or isinstance(error, BadRequest):
        return False
    cause = error.__cause__
    return cause is None or isinstance(cause, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout))


# Telegram looked at the request and will not do it
REFUSALS = (BadRequest, ChatMigrated, Forbidden)


def delivery_error(error: TelegramError) -> DeliveryError:
    """Ours, for what a request came to."""
    if isinstance(error, REFUSALS):
        return DeliveryRefused(f"Telegram refused it: {error}")
    return DeliveryError(f"Telegram did not say whether it took it: {error}")


def may_pass(error: BaseException) -> bool:
    """Whether the same request may work later, for requests that do no harm twice."""
    return isinstance(error, TelegramError) and not isinstance(error, (*REFUSALS, Conflict, InvalidToken))


def pause(scale: float) -> Callable[[RetryCallState], float]:
    """For tenacity: the whole time Telegram asks for, else longer each time. `scale` shortens the latter."""
    growing = wait_exponential_jitter(multiplier=0.5, max=_LONGEST_PAUSE_S)

    def wait(state: RetryCallState) -> float:
        error = failure(state)
        return seconds_of(error) if isinstance(error, RetryAfter) else growing(state) / scale

    return wait


def failure(state: RetryCallState) -> BaseException | None:
    """For tenacity: why the last attempt failed."""
    return state.outcome.exception() if state.outcome is not None else None
