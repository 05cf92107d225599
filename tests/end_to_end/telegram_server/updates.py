"""Updates on their way to the bot: asked for with offsets, or posted to its webhook until it says yes."""

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from .faults import DESCRIPTIONS, ApiError

HISTORY = 100_000
NOT_BY_DEFAULT = ("chat_member", "message_reaction", "message_reaction_count")
WEBHOOK_ACTIVE = (
    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
)
TERMINATED_BY_WEBHOOK = "Conflict: terminated by setWebhook request"


@dataclass(eq=False)
class Update:
    """One update. Times are monotonic seconds: first put into an answer or post, and confirmed."""

    id: int
    kind: str
    payload: dict[str, Any]
    created: float = field(default_factory=time.monotonic)
    delivered: float | None = None
    deliveries: int = 0
    confirmed: float | None = None

    def json(self) -> dict[str, Any]:
        """Update; counts the delivery."""
        self.deliveries += 1
        self.delivered = self.delivered or time.monotonic()
        return {"update_id": self.id, self.kind: self.payload}


@dataclass
class Webhook:
    """Where updates are posted to."""

    url: str
    secret: str | None
    last_error: str | None = None
    last_error_date: int = 0
    task: asyncio.Task[None] | None = None


class Updates:
    """The queue of one bot. `shuffled` mixes the order within a delivery; `changed` is called when anything moved."""

    def __init__(self, changed: Callable[[], None], *, webhook_retry: float = 0.2) -> None:
        self.history: deque[Update] = deque(maxlen=HISTORY)
        self.polling = asyncio.Event()
        self.shuffled = False
        self.webhook: Webhook | None = None
        self.webhook_retry = webhook_retry
        self.allowed: frozenset[str] = frozenset()
        # called with each update at the moment it is confirmed, before anything else happens
        self.on_confirm: Callable[[Update], None] | None = None
        self._changed = changed
        self._pending: deque[Update] = deque()
        self._again: list[Update] = []
        self._waiting: asyncio.Future[str | None] | None = None
        self._arrived = asyncio.Event()
        self._next_id = 700_000_001
        self._random = random.Random(4)

    @property
    def pending(self) -> list[Update]:
        """Not confirmed yet, oldest first."""
        return list(self._pending)

    def add(self, kind: str, payload: dict[str, Any]) -> Update | None:
        """Queue an update, unless the bot did not ask for its kind."""
        if kind not in self.allowed if self.allowed else kind in NOT_BY_DEFAULT:
            return None
        update = Update(self._next_id, kind, payload)
        self._next_id += 1
        self.history.append(update)
        self._pending.append(update)
        self._wake()
        return update

    def repeat(self, update: Update) -> None:
        """Deliver an update once more, whether it was confirmed or not."""
        self._again.append(update)
        self._wake()

    def allow(self, kinds: Sequence[str] | None) -> None:
        """Keep to these kinds from now on; None changes nothing, an empty list is the default."""
        if kinds is not None:
            self.allowed = frozenset(kinds)

    async def poll(self, offset: int, limit: int, seconds: float) -> list[Update]:
        """getUpdates. A poll that is waiting when another one comes is ended with 409, as Telegram does."""
        if self.webhook is not None:
            raise ApiError(409, WEBHOOK_ACTIVE)
        self._end_waiting(DESCRIPTIONS[409])
        self._confirm_below(offset if offset >= 0 else self._from_end(-offset))
        if seconds > 0:
            self.polling.set()
            self._changed()
            if not self._pending and not self._again:
                await self._wait(seconds)
        batch = [self._pending[place] for place in range(min(limit, len(self._pending)))]
        if self.shuffled:
            self._random.shuffle(batch)
        again, self._again = self._again, []
        return again + batch

    def drop(self) -> None:
        """drop_pending_updates."""
        self._pending.clear()
        self._again.clear()

    def set_webhook(self, url: str, secret: str | None) -> None:
        """Post from now on; an empty URL ends it."""
        if self.webhook is not None and self.webhook.task is not None:
            self.webhook.task.cancel()
        self.webhook = Webhook(url, secret) if url else None
        self._end_waiting(TERMINATED_BY_WEBHOOK)
        self.open()

    def open(self) -> None:
        """Begin posting where a webhook is set."""
        if self.webhook is not None:
            self.webhook.task = asyncio.create_task(self._post_all(self.webhook))

    async def close(self) -> None:
        """Stop posting and end a waiting poll; what is pending stays."""
        self._end_waiting(None)
        self.polling.clear()
        if self.webhook is not None and self.webhook.task is not None:
            self.webhook.task.cancel()
            await asyncio.wait([self.webhook.task])

    def _wake(self) -> None:
        self._arrived.set()
        self._end_waiting(None)
        self._changed()

    def _end_waiting(self, conflict: str | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(conflict)

    async def _wait(self, seconds: float) -> None:
        mine = self._waiting = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(seconds):
                conflict = await mine
        except TimeoutError:
            return
        except asyncio.CancelledError:  # the bot hung up
            self.polling.clear()
            raise
        if conflict is not None:
            raise ApiError(409, conflict)

    def _from_end(self, count: int) -> int:
        kept = self.pending[-count:]
        return kept[0].id if kept else 0

    def _confirm_below(self, offset: int) -> None:
        while self._pending and self._pending[0].id < offset:
            self._confirm(self._pending[0])

    def _confirm(self, update: Update) -> None:
        self._pending.remove(update)
        update.confirmed = time.monotonic()
        if self.on_confirm is not None:
            self.on_confirm(update)
        self._changed()

    async def _post_all(self, webhook: Webhook) -> None:
        headers = {"X-Telegram-Bot-Api-Secret-Token": webhook.secret} if webhook.secret else {}
        async with aiohttp.ClientSession(headers=headers) as session:
            while True:
                update = self._next_to_post()
                if update is None:
                    self._arrived.clear()
                    await self._arrived.wait()
                elif await self._posted(session, webhook, update):
                    if update in self._again:
                        self._again.remove(update)
                    else:
                        self._confirm(update)
                    self._changed()
                else:
                    await asyncio.sleep(self.webhook_retry)

    def _next_to_post(self) -> Update | None:
        if self._again:
            return self._again[0]
        if not self._pending:
            return None
        return self._random.choice(self._pending) if self.shuffled else self._pending[0]

    @staticmethod
    async def _posted(session: aiohttp.ClientSession, webhook: Webhook, update: Update) -> bool:
        try:
            async with session.post(webhook.url, json=update.json()) as response:
                if response.ok:
                    return True
                webhook.last_error = f"Wrong response from the webhook: {response.status} {response.reason}"
        except aiohttp.ClientError:
            webhook.last_error = "Connection failed"
        webhook.last_error_date = int(time.time())
        return False
