"""The gateway: who may in, what they are told, and the ways in which it lets them down."""

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from .connection import Connection, Json, Session
from .permissions import PRIVILEGED, Intent, application_flags
from .settings import Settings

# After these a client has to identify anew.
FORGETTING = frozenset({4004, 4007, 4009, 4010, 4011, 4012, 4013, 4014})


@dataclass(frozen=True)
class LateHeartbeat:
    """A gap between two heartbeats that was too long; both in seconds, `at` monotonic."""

    gap: float
    at: float


@dataclass
class Greeting:
    """What a bot is told when it arrives: itself, its guilds."""

    user: Json
    guilds: list[Json]
    url: str


@dataclass
class Gateway:
    """Accepts sockets and keeps the one session. `refusing` answers new sockets with 503."""

    settings: Settings
    greet: Callable[[], Greeting]
    changed: Callable[[], None]
    members: Callable[[Json], Json]
    refusing: bool = False
    refused: int = 0
    session: Session | None = None
    connected: asyncio.Event = field(default_factory=asyncio.Event)
    identified: list[Intent] = field(default_factory=list)
    resumed: int = 0
    close_codes: list[int | None] = field(default_factory=list)
    _open: set[Connection] = field(default_factory=set)
    _late: list[LateHeartbeat] = field(default_factory=list)
    heartbeats: deque[float] = field(default_factory=lambda: deque(maxlen=10_000))

    def dispatch(self, event: str, data: Json, intent: Intent = Intent.NONE) -> None:
        """Send an event to the session, listening or not; without a session it is lost."""
        if self.session is not None and intent in self.session.intents:
            self.session.send(event, data)

    def drop(self, *, forget: bool = False) -> None:
        """Cut the TCP connection without a closing handshake; `forget` also lets the session expire meanwhile."""
        connection = self._live()
        self._detach(connection)
        if forget:
            self.session = None
        if connection.transport is not None:
            connection.transport.abort()

    def invalidate(self, *, resumable: bool) -> None:
        """INVALID_SESSION; where it is not resumable, what happens from now on reaches no session."""
        connection = self._live()
        connection.tell(9, resumable)
        self._detach(connection)
        if not resumable:
            self.session = None

    def reconnect(self) -> None:
        """RECONNECT (op 7)."""
        connection = self._live()
        connection.tell(7)
        self._detach(connection)

    def close(self, code: int) -> None:
        """Close the socket with a code; some codes end the session."""
        connection = self._live()
        connection.close(code)
        self._detach(connection)
        if code in FORGETTING:
            self.session = None

    def late_heartbeats(self) -> list[LateHeartbeat]:
        """Every gap of more than 1.5 intervals and the grace, one that is still going on included."""
        now = time.monotonic()
        pending = [LateHeartbeat(now - one.last_heartbeat, now) for one in self._open if self._is_late(one, now)]
        return [*self._late, *pending]

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One socket from HELLO to its end."""
        if self.refusing or request.query.get("compress", "zlib-stream") != "zlib-stream":
            self.refused += 1
            self.changed()
            return web.Response(status=503)
        socket = web.WebSocketResponse(compress=False, timeout=2.0)
        await socket.prepare(request)
        connection = Connection(request, socket)
        self._open.add(connection)
        writer = asyncio.create_task(connection.write())
        try:
            connection.tell(10, {"heartbeat_interval": int(self.settings.heartbeat_s * 1000), "_trace": []})
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    self._receive(connection, frame.json())
        finally:
            self._end(connection, socket.close_code)
            if connection.closing is None:
                writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
        return socket

    def _receive(self, connection: Connection, frame: Json) -> None:
        handlers = {1: self._heartbeat, 2: self._identify, 3: self._presence, 6: self._resume, 8: self._members}
        handler = handlers.get(frame.get("op", -1))
        if handler is None:
            connection.close(4001)
        elif connection.closing is None:
            handler(connection, frame["d"])

    def _heartbeat(self, connection: Connection, _: Any) -> None:
        now = self._note_gap(connection)
        connection.last_heartbeat = now
        connection.beats += 1
        self.heartbeats.append(now)
        connection.tell(11)
        self.changed()

    def _note_gap(self, connection: Connection) -> float:
        now = time.monotonic()
        if self._is_late(connection, now):
            self._late.append(LateHeartbeat(now - connection.last_heartbeat, now))
        return now

    def _is_late(self, connection: Connection, now: float) -> bool:
        allowed = self.settings.heartbeat_s * 1.5 + self.settings.heartbeat_grace_s
        return now - connection.last_heartbeat > allowed

    def _identify(self, connection: Connection, data: Json) -> None:
        intents = Intent(data["intents"])
        if data["token"] != self.settings.token:
            connection.close(4004)
        elif PRIVILEGED & intents & ~self.settings.portal:
            connection.close(4014)
        elif self.session is not None and self.session.connection is connection:
            connection.close(4005)
        else:
            self._start(connection, intents)

    def _start(self, connection: Connection, intents: Intent) -> None:
        greeting = self.greet()
        session = Session(secrets.token_hex(16), intents, deque(maxlen=self.settings.replay), connection=connection)
        self.session = session
        self.identified.append(intents)
        session.send("READY", {
            "v": 10, "user": greeting.user, "session_id": session.id, "resume_gateway_url": greeting.url,
            "guilds": [{"id": guild["id"], "unavailable": True} for guild in greeting.guilds],
            "application": {"id": greeting.user["id"], "flags": application_flags(self.settings.portal)},
            "shard": [0, 1], "private_channels": [], "relationships": [],
        })  # fmt: skip
        for guild in greeting.guilds:
            self.dispatch("GUILD_CREATE", guild, Intent.GUILDS)
        self._arrived()

    def _resume(self, connection: Connection, data: Json) -> None:
        session = self.session
        if data["token"] != self.settings.token:
            connection.close(4004)
        elif session is None or session.id != data["session_id"] or not self._remembers(session, data["seq"]):
            connection.tell(9, False)
        else:
            for number, text in session.sent:
                if number > data["seq"]:
                    connection.push(text)
            session.connection = connection
            session.send("RESUMED", {"_trace": []})
            self.resumed += 1
            self._arrived()

    @staticmethod
    def _remembers(session: Session, sequence: int | None) -> bool:
        if sequence is None or sequence > session.sequence:
            return False
        return sequence == session.sequence or session.sent[0][0] <= sequence + 1

    def _presence(self, connection: Connection, data: Json) -> None:
        """A bot's status is nobody's concern here."""

    def _members(self, connection: Connection, data: Json) -> None:
        if self.session is not None:
            self.session.send("GUILD_MEMBERS_CHUNK", self.members(data))

    def _arrived(self) -> None:
        self.connected.set()
        self.changed()

    def _live(self) -> Connection:
        if self.session is None or self.session.connection is None:
            raise LookupError("no bot is connected")
        return self.session.connection

    def _detach(self, connection: Connection) -> None:
        if self.session is not None and self.session.connection is connection:
            self.session.connection = None
            self.connected.clear()
            self.changed()

    def _end(self, connection: Connection, code: int | None) -> None:
        self._open.discard(connection)
        self._note_gap(connection)
        self.close_codes.append(code)
        mine = self.session is not None and self.session.connection is connection
        self._detach(connection)
        # A bot that says goodbye with 1000 or 1001 gives its session up.
        if mine and connection.closing is None and code in (1000, 1001):
            self.session = None
        self.changed()
