"""What people see while they wait: that she is writing, and after a while how long it will take."""

import asyncio
import logging
import math
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from bot.adapters.base import Adapter
from bot.open_turn import OpenTurn
from bot.waiting import Line
from core.messages import NoticeKind
from core.notices import notice

log = logging.getLogger(__name__)

# before anyone is told to wait, those who need no device (too long, blocked) have their reply
_A_MOMENT_S = 1.0


@asynccontextmanager
async def keeping_company(adapter: Adapter, open_turn: OpenTurn, line: Line) -> AsyncIterator[AsyncExitStack]:
    """For whoever waits: a place in line, the sign that she is writing, and news of a long wait.

    Entered without waiting for anything, so that a person's messages keep their order. What is given ends the news.
    """
    with line.place() as ticket:
        async with adapter.typing(open_turn.message.chat), AsyncExitStack() as patience:
            await patience.enter_async_context(_announcing(adapter, open_turn, line, ticket))
            yield patience


@asynccontextmanager
async def _announcing(adapter: Adapter, open_turn: OpenTurn, line: Line, ticket: int) -> AsyncIterator[None]:
    """Tells who has to wait longer than the line's patience so, with their position and an estimate."""
    patience_s = line.patience_s

    async def announce() -> None:
        long = line.estimate(ticket) > patience_s
        await asyncio.sleep(min(_A_MOMENT_S, patience_s) if long else patience_s)
        message, seconds = open_turn.message, max(line.estimate(ticket), patience_s)
        position = line.position(ticket)
        said = notice(message.language, NoticeKind.SLOW, position=position, seconds=math.ceil(seconds))
        await adapter.hold(message, said)

    task = asyncio.create_task(announce())
    try:
        yield
    finally:
        task.cancel()
        failed = (await asyncio.gather(task, return_exceptions=True))[0]
        if isinstance(failed, Exception):
            log.warning("message %s: its wait could not be shown: %s", open_turn.message.message_id, failed)
