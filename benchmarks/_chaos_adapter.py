"""bot.adapters.base.Adapter for the platforms of benchmarks/_chaos_platform.py."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from bot.adapters.base import Begin, Host
from bot.adapters.desk import Rows
from core.errors import DeliveryError, DeliveryRefused
from core.messages import ChatKey, IncomingMessage, Notice, PersonKey, Reply

# longer than any of these runs
_EVER = timedelta(days=1)


class SocketAdapter:
    """Hears a platform over its socket. A message is accepted once `receive` has returned for it."""

    connected = True

    def __init__(self, platform: str, path: Path, *, recognises: bool) -> None:
        self.platform = platform
        self.recognises_for = _EVER if recognises else timedelta(0)
        self._path = path
        self._posts = count()
        self._posting: dict[int, asyncio.Future[None]] = {}
        self._heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._lines: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._reading: asyncio.Task[None] | None = None

    async def open(self, host: Host) -> None:
        """The platform is there before anybody talks to it."""
        self._host = host
        reader, self._writer = await asyncio.open_unix_connection(self._path)
        self._send(platform=self.platform)
        self._reading = asyncio.create_task(self._read(reader))

    async def run(self) -> None:
        """Each person's messages one after the other, different people's side by side."""
        async with asyncio.TaskGroup() as group:
            while True:
                group.create_task(self._receive(await self._heard.get()))

    async def close(self) -> None:
        """Hang up."""
        if self._reading is not None:
            self._reading.cancel()
            self._writer.close()

    async def post(self, reply: Reply, begin: Begin) -> None:
        """Returns when the platform says that it was shown."""
        await begin()
        number = next(self._posts)
        posting = self._posting[number] = asyncio.get_running_loop().create_future()
        kinds = [notice.kind.value for notice in reply.notices]
        try:
            self._send(what="post", post=number, id=reply.to.message_id, text=reply.text, kinds=kinds)
            await posting
        finally:
            del self._posting[number]

    async def tell(self, person: PersonKey, text: str) -> None:
        """Nobody is here but whoever talks."""
        raise DeliveryRefused(f"{person.user_id} takes nothing here")

    async def write(self, chat_id: str, text: str, buttons: Rows = (), message_id: str = "") -> str:
        """There are no chats."""
        raise DeliveryRefused(f"there is no chat {chat_id!r} here")

    async def hold(self, message: IncomingMessage, notice: Notice) -> None:
        """Nobody looks."""

    @asynccontextmanager
    async def typing(self, chat: ChatKey) -> AsyncIterator[None]:
        """Nobody looks."""
        del chat
        yield

    async def _read(self, reader: asyncio.StreamReader) -> None:
        async for line in reader:
            told = json.loads(line)
            if told["what"] == "said":
                self._heard.put_nowait(told)
            elif (posting := self._posting.get(told["post"])) is not None:
                posting.set_result(None)
        for posting in self._posting.values():
            posting.set_exception(DeliveryError("the platform hung up"))

    async def _receive(self, told: dict[str, Any]) -> None:
        person = PersonKey(self.platform, told["user_id"])
        chat = ChatKey(self.platform, f"home of {told['user_id']}", private=True)
        sent_at = datetime.fromisoformat(told["sent_at"])
        async with self._lines[told["user_id"]]:
            await self._host.messages.receive(IncomingMessage(person, chat, told["id"], told["text"], sent_at))
        self._send(what="accepted", id=told["id"])

    def _send(self, **fields: Any) -> None:
        self._writer.write(json.dumps(fields).encode() + b"\n")
