"""The end of tasks."""

import asyncio
from collections.abc import Iterable
from typing import Any

_AGAIN_S = 0.1


async def ended(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancels them, and returns when all of them are over.

    Asked more than once: up to Python 3.11 asyncio.wait_for, and with it whatever waits for a server, may lose a
    cancellation that comes together with the answer.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=_AGAIN_S)
