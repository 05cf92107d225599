"""What goes wrong between a bot and Telegram, on request and counted."""

import re
from dataclasses import dataclass
from typing import Any, Literal

DESCRIPTIONS = {
    400: "Bad Request: injected",
    401: "Unauthorized",
    403: "Forbidden: injected",
    404: "Not Found",
    409: "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
    429: "Too Many Requests: retry after {retry_after}",
    500: "Internal Server Error",
    502: "Bad Gateway",
    504: "Gateway Timeout",
}
HTML = (502, 504)  # the proxy in front answers these, and knows no JSON


class ApiError(Exception):
    """An answer that is not ok."""

    def __init__(self, status: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.parameters = parameters

    def body(self) -> dict[str, Any]:
        """As Telegram writes it."""
        more = {"parameters": self.parameters} if self.parameters else {}
        return {"ok": False, "error_code": self.status, "description": self.description, **more}


def flood(seconds: int) -> ApiError:
    """429."""
    return ApiError(429, DESCRIPTIONS[429].format(retry_after=seconds), retry_after=seconds)


def bad(description: str) -> ApiError:
    """400."""
    return ApiError(400, f"Bad Request: {description}")


@dataclass
class Fault:
    """One way to fail, for the next `times` calls that match after the first `skip`.

    `status` answers with an error and does nothing. `cut` "before" does nothing and closes the connection, "after" does
    what was asked and then closes it. `broken` does what was asked and answers half a JSON. `delay` seconds pass before
    the answer or the cut, after what was asked is done.
    """

    method: str = ".*"
    chat: int | None = None
    status: int | None = None
    description: str | None = None
    retry_after: int | None = None
    cut: Literal["before", "after"] | None = None
    broken: bool = False
    delay: float = 0.0
    times: int = 1
    skip: int = 0
    hits: int = 0

    def __post_init__(self) -> None:
        if self.retry_after is not None:
            self.status = 429

    def meets(self, method: str, chat_id: Any) -> bool:
        """Whether this call fails this way; counts it."""
        if self.times <= 0 or not re.fullmatch(self.method, method) or self.chat not in (None, chat_id):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        self.hits += 1
        return True

    def error(self) -> ApiError | None:
        """The answer instead of the result, where there is one."""
        if self.status is None:
            return None
        if self.status == 429:
            return flood(self.retry_after or 1)
        return ApiError(self.status, self.description or DESCRIPTIONS.get(self.status, "Injected"))
