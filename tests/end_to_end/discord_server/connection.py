"""A bot's socket, and its session: numbered events, kept for RESUME."""

import asyncio
import json
import time
import zlib
from collections import deque
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from .permissions import Intent

Json = dict[str, Any]


class Connection:
    """One socket: what is pushed goes out in order, compressed as one stream where the bot asked for that."""

    def __init__(self, request: web.Request, socket: web.WebSocketResponse) -> None:
        self.transport = request.transport
        self.socket = socket
        self.since = time.monotonic()
        self.last_heartbeat = self.since
        self.beats = 0
        self.closing: int | None = None
        self._stream = zlib.compressobj(level=1) if request.query.get("compress") == "zlib-stream" else None
        self._queue: asyncio.Queue[str | int] = asyncio.Queue()

    def push(self, text: str) -> None:
        self._queue.put_nowait(text)

    def tell(self, op: int, data: Any = None) -> None:
        self.push(json.dumps({"op": op, "d": data, "s": None, "t": None}))

    def close(self, code: int) -> None:
        """Close after what was pushed before."""
        self.closing = code
        self._queue.put_nowait(code)

    async def write(self) -> None:
        """Send what is pushed, until it is closed."""
        while True:
            item = await self._queue.get()
            if isinstance(item, int):
                await self.socket.close(code=item)
                return
            data = item.encode()
            if self._stream is None:
                await self.socket.send_str(item)
            else:
                await self.socket.send_bytes(self._stream.compress(data) + self._stream.flush(zlib.Z_SYNC_FLUSH))


@dataclass(eq=False)
class Session:
    """What RESUME needs: the events sent so far, by number."""

    id: str
    intents: Intent
    sent: deque[tuple[int, str]]
    sequence: int = 0
    connection: Connection | None = None

    def send(self, event: str, data: Json) -> None:
        """Number it, keep it, and push it where somebody listens."""
        self.sequence += 1
        text = json.dumps({"op": 0, "t": event, "s": self.sequence, "d": data})
        self.sent.append((self.sequence, text))
        if self.connection is not None:
            self.connection.push(text)
