"""What the service does about cases: news of new ones, and forgetting old evidence."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

from bot.moderation.news import News
from core.case_store import CaseStore
from core.cases import RETENTION
from core.errors import RecordError
from core.ports import Clock

log = logging.getLogger(__name__)

_DAY_S = 86_400.0


class CaseWork:
    """`retention`: how long prompt and answer of a case are kept after its end."""

    def __init__(self, cases: CaseStore, news: News, clock: Clock, retention: timedelta = RETENTION) -> None:
        self._cases = cases
        self._news = news
        self._clock = clock
        self._retention = retention

    def arose(self, numbers: Sequence[int] | None, platform: str) -> None:
        """The person has the notice of these cases; None: of some, whose numbers are not known."""
        if numbers is None:
            self._news.look_again()
            return
        for number in numbers:
            self._news.look_at(number, platform)

    @asynccontextmanager
    async def under_way(self) -> AsyncIterator[None]:
        """News and forgetting, while the adapters are open."""
        forgetting = asyncio.create_task(self._forget_daily())
        try:
            async with self._news.spreading():
                yield
        finally:
            forgetting.cancel()
            await asyncio.gather(forgetting, return_exceptions=True)

    async def forget(self) -> int:
        """Blank what was kept long enough; how many cases it was. Raises RecordError."""
        blanked = 0
        while some := await self._cases.blank(self._clock.now() - self._retention):
            blanked += some
        return blanked

    async def _forget_daily(self) -> None:
        while True:
            try:
                if blanked := await self.forget():
                    log.info("prompt and answer of %d cases were kept long enough", blanked)
            except RecordError:
                log.exception("old evidence stays until tomorrow")
            await asyncio.sleep(_DAY_S)
