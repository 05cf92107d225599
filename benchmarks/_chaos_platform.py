"""Platforms as a small server on a socket. What it was told to show was seen by the person, whoever dies after that.

A platform keeps what no gateway has accepted, and says it again to the next one, with a few that were accepted already.
"""

import asyncio
import json
import time
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks._chaos_script import text_of

# accepted messages that a gateway hears again when it comes back, as platforms that do not know tell them
_TOLD_AGAIN = 20
# sentences that stand for a reply
SENTENCES = frozenset({"busy", "fault"})


@dataclass(frozen=True, slots=True)
class Shown:
    """What a person saw: her answer, or a sentence of the service instead ("" and its kind)."""

    text: str
    kinds: frozenset[str]
    at: float

    @property
    def sentence(self) -> bool:
        """Whether it is an honest word instead of an answer."""
        return not self.text and bool(self.kinds & SENTENCES)


@dataclass
class Said:
    """A message, and what became of it. Seconds of `time.monotonic`."""

    user_id: str
    number: int
    at: float
    sent_at: str
    accepted: bool = False
    shown: list[Shown] = field(default_factory=list)

    @property
    def message_id(self) -> str:
        """Unique on its platform."""
        return f"{self.user_id}-{self.number}"


@dataclass
class Platform:
    """One platform. `recognises`: a reply that is sent twice is shown once. `news`: something was accepted or shown."""

    name: str
    recognises: bool
    news: asyncio.Event
    said: dict[str, Said] = field(default_factory=dict)
    unanswered: set[str] = field(default_factory=set)
    connections: int = 0
    _numbers: Counter[str] = field(default_factory=Counter)
    _waiting: dict[str, Said] = field(default_factory=dict)
    _accepted: deque[str] = field(default_factory=lambda: deque(maxlen=_TOLD_AGAIN))
    _gateway: asyncio.StreamWriter | None = None

    def say(self, user_id: str) -> Said:
        """A person says their next message."""
        self._numbers[user_id] += 1
        said = Said(user_id, self._numbers[user_id], time.monotonic(), datetime.now(UTC).isoformat())
        self.said[said.message_id] = self._waiting[said.message_id] = said
        self.unanswered.add(said.message_id)
        self._tell(said)
        return said

    async def attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One gateway's connection; the newest one hears the people."""
        self._gateway = writer
        self.connections += 1
        again = [self.said[message_id] for message_id in self._accepted]
        # who had a sentence because the record was away has nothing there by which a repetition could be known
        again = [said for said in again if not any(shown.sentence for shown in said.shown)]
        for said in [*again, *self._waiting.values()]:
            self._tell(said)
        async for line in reader:
            for answer in self._take(json.loads(line)):
                writer.write(answer)
        if self._gateway is writer:
            self._gateway = None

    def _take(self, told: dict[str, Any]) -> list[bytes]:
        """What the gateway says; the answers to it."""
        said = self.said[told["id"]]
        if told["what"] == "accepted":
            said.accepted = True
            if self._waiting.pop(said.message_id, None) is not None:
                self._accepted.append(said.message_id)
            self.news.set()
            return []
        shown = Shown(told["text"], frozenset(told["kinds"]), time.monotonic())
        # an empty reply shows nothing
        if (shown.text or shown.kinds) and not (self.recognises and any(one.text == shown.text for one in said.shown)):
            said.shown.append(shown)
            self.unanswered.discard(said.message_id)
            self.news.set()
        return [_line(what="posted", post=told["post"])]

    def _tell(self, said: Said) -> None:
        if self._gateway is not None and not self._gateway.is_closing():
            message = {"id": said.message_id, "user_id": said.user_id, "sent_at": said.sent_at}
            self._gateway.write(_line(what="said", text=text_of(said.number), **message))


@asynccontextmanager
async def serve(path: Path, *platforms: Platform) -> AsyncIterator[None]:
    """The platforms, reached through a socket at `path`."""
    by_name = {platform.name: platform for platform in platforms}

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            hello = json.loads(await reader.readline() or b"null")
            if hello is not None:
                await by_name[hello["platform"]].attend(reader, writer)
        writer.close()

    server = await asyncio.start_unix_server(connected, path)
    try:
        yield
    finally:
        server.close()


def _line(**fields: Any) -> bytes:
    return json.dumps(fields).encode() + b"\n"
