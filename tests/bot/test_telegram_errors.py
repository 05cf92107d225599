"""Which of the library's errors leave a request undone for certain."""

import httpx
import pytest
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from bot.adapters.telegram.client import may_pass, nothing_done


def because(error: TelegramError, cause: BaseException) -> TelegramError:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "undone", "passing"),
    [
        (RetryAfter(3), True, True),
        (NetworkError("Internal Server Error"), True, True),
        (because(NetworkError("httpx.ConnectError"), httpx.ConnectError("")), True, True),
        (because(TimedOut(), httpx.ConnectTimeout("")), True, True),
        (because(TimedOut(), httpx.PoolTimeout("")), True, True),
        (because(TimedOut(), httpx.ReadTimeout("")), False, True),
        (because(TimedOut(), httpx.WriteTimeout("")), False, True),
        (because(NetworkError("httpx.ReadError"), httpx.ReadError("")), False, True),
        (because(NetworkError("httpx.RemoteProtocolError"), httpx.RemoteProtocolError("")), False, True),
        (because(NetworkError("Bad Gateway (502)"), TelegramError("Invalid server response")), False, True),
        (because(TelegramError("Invalid server response"), ValueError()), False, True),
        (BadRequest("Chat not found"), False, False),
        (Forbidden("bot was blocked by the user"), False, False),
        (ChatMigrated(-100), False, False),
        (InvalidToken(), False, False),
        (Conflict("terminated by other getUpdates request"), False, False),
        (TelegramError("Invalid server response"), False, True),
    ],
    ids=repr,
)
def test_a_request_is_repeated_only_where_that_doubles_nothing(
    error: TelegramError, undone: bool, passing: bool
) -> None:
    assert (nothing_done(error), may_pass(error)) == (undone, passing)


def test_other_peoples_errors_are_none_of_telegrams() -> None:
    assert not nothing_done(ValueError())
    assert not may_pass(ValueError())
