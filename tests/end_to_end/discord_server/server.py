"""The stand-in as tests hold it: a world with people in it, served over real sockets."""

import asyncio
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from .faults import Faults, RateLimits
from .people import People
from .rest import Request, Rest
from .rest_account import Account
from .rest_interactions import Interactions
from .rest_messages import Messages
from .settings import API, Settings
from .things import Channel, Message
from .validation import REQUEST_BYTES, Violation


class DiscordServer(People):
    """Discord on a local port: `async with DiscordServer(heartbeat_s=1) as server`; keywords as in Settings.

    FileNotFoundError where CI is true and Discord's description is missing.
    """

    def __init__(self, port: int = 0, **settings: Any) -> None:
        super().__init__(Settings(**settings))
        self._port = port
        self._rest = Rest(self.settings, self.changed)
        self._messages = Messages(self, self._rest)
        self._runner: web.AppRunner | None = None
        self.url = ""
        self.more_routes: list[web.RouteDef] = []

    async def __aenter__(self) -> Self:
        """Start to listen."""
        self._runner = web.AppRunner(self.application(), access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.settings.host, self._port)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        self.api_url = self.url + API
        self.gateway_url = f"ws://{host}:{port}/gateway"
        self.files_url = f"{self.url}/attachments"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._rest.closing.set()
        if self._runner is not None:
            await self._runner.cleanup()

    def application(self) -> web.Application:
        """Everything that is served."""
        application = web.Application(client_max_size=REQUEST_BYTES)
        routes = [
            *Account(self).routes(),
            *self._messages.routes(),
            *Interactions(self, self._rest).routes(),
        ]
        application.router.add_routes(self._rest.routes(routes))
        application.router.add_routes(self.more_routes)
        application.router.add_get("/gateway", self.gateway.serve)
        application.router.add_get("/attachments/{channel}/{id}/{name}", self._file)
        return application

    async def _file(self, request: web.Request) -> web.Response:
        attachment = self.files.get(int(request.match_info["id"]))
        if attachment is None:
            raise web.HTTPNotFound
        return web.Response(body=attachment.data, content_type=attachment.content_type or "application/octet-stream")

    def describe(self) -> str:
        """What a failed wait should say about the state of things."""
        return f"{super().describe()}, violations: {self.violations}, requests: {self.requests[-5:]}"

    @property
    def connected(self) -> asyncio.Event:
        """Set while a bot is identified or resumed on an open socket."""
        return self.gateway.connected

    @property
    def faults(self) -> Faults:
        return self._rest.faults

    @property
    def limits(self) -> RateLimits:
        return self._rest.limits

    @property
    def violations(self) -> list[Violation]:
        """What the bot must not have sent."""
        return self._rest.violations

    @property
    def requests(self) -> list[Request]:
        """The latest requests, oldest first."""
        return list(self._rest.requests)

    @property
    def statuses(self) -> dict[int, int]:
        """How often each status was answered; 0 is no answer."""
        return self._rest.statuses

    @property
    def typing(self) -> list[tuple[Channel, float]]:
        """Where the bot showed that it types, and when (monotonic seconds)."""
        return self._messages.typing

    @property
    def repeated(self) -> list[Message]:
        """The messages whose nonce came again, once for each time."""
        return self._messages.repeated
