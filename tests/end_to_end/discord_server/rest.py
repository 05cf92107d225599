"""Serves the REST side: who asks, faults and limits, judgement of the body, then the route's own work."""

import asyncio
import json
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from . import multipart, validation
from .faults import Allowance, Fault, Faults, RateLimits
from .schema import Schema, shared
from .settings import API, Settings
from .validation import Violation

Json = dict[str, Any]
JSON = "application/json"
MAJOR = ("channel_id", "guild_id", "webhook_id", "webhook_token")
SPEAKING = ("/channels", "/webhooks", "/interactions")


class ApiError(Exception):
    """An answer that is not 2xx."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass
class Call:
    """One request on its way through a route; `path` is below /api/v10, `payload` its JSON."""

    method: str
    path: str
    template: str
    values: dict[str, str]
    query: dict[str, str]
    payload: Any = None
    files: dict[int, multipart.File] = field(default_factory=dict)

    @property
    def said(self) -> Json | None:
        """The part of the payload that describes a message, None where there is none."""
        if not isinstance(self.payload, dict) or not self.template.startswith(SPEAKING):
            return None
        if not self.template.endswith("/callback"):
            return self.payload if "/messages" in self.template or self.template.startswith("/webhooks") else None
        data = self.payload.get("data")
        return data if isinstance(data, dict) and self.payload.get("type") in (4, 5, 7) else None

    def id(self, name: str) -> int:
        """A number from the path; ApiError where it is none."""
        if not self.values[name].isdigit():
            raise ApiError(400, 50035, f"{name} is not a snowflake")
        return int(self.values[name])


Handler = Callable[[Call], Awaitable[Any]]
Route = tuple[str, str, Handler]


@dataclass(frozen=True)
class Request:
    """A line of the log; `at` is monotonic seconds, status 0 means that no answer was given."""

    method: str
    path: str
    status: int
    at: float
    content: str | None
    nonce: str | None


@dataclass
class Rest:
    """The HTTP side of the server. `requests` is bounded; `statuses` counts every answer."""

    settings: Settings
    changed: Callable[[], None]
    schema: Schema = field(default_factory=shared)
    faults: Faults = field(default_factory=Faults)
    violations: list[Violation] = field(default_factory=list)
    requests: deque[Request] = field(default_factory=lambda: deque(maxlen=10_000))
    statuses: Counter[int] = field(default_factory=Counter)
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.limits = RateLimits(self.settings)

    def routes(self, routes: Iterable[Route]) -> list[web.RouteDef]:
        """The routes as aiohttp wants them, and one that takes and records everything else."""
        known = [web.route(method, API + template, self._served(template, work)) for method, template, work in routes]
        return [*known, web.route("*", API + "/{unknown:.*}", self._served("", self._unknown))]

    async def _unknown(self, call: Call) -> None:
        self.violate(call, "unknown route")
        raise ApiError(404, 0, "404: Not Found")

    def _served(self, template: str, work: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def serve(request: web.Request) -> web.StreamResponse:
            path = request.path.removeprefix(API)
            call = Call(request.method, path, template, dict(request.match_info), dict(request.query))
            try:
                body = await request.read()
            except web.HTTPRequestEntityTooLarge:
                self.violate(call, f"request: {validation.REQUEST_BYTES} bytes at most")
                return self._answer(call, 413, _error(40005, "Request entity too large"), {})
            fault = self.faults.strike(call.method, path)
            if fault is not None and (early := await self._strike(fault, request, call)) is not None:
                return early
            status, answer, headers = await self._work(request, call, body, work)
            if fault is not None and fault.kind in ("hang", "cut"):
                return await self._lose(fault, request, call)
            return self._answer(call, status, answer, headers)

        return serve

    async def _strike(self, fault: Fault, request: web.Request, call: Call) -> web.StreamResponse | None:
        """The faults that come before the work."""
        if fault.kind == "delay":
            await asyncio.sleep(fault.delay_s)
        elif fault.kind == "cut_before":
            return await self._lose(fault, request, call)
        elif fault.kind == "status":
            return self._answer(call, fault.status, _error(0, "a fault was ordered"), {})
        elif fault.kind == "rate_limited":
            allowance = Allowance(5, 0, fault.retry_after, "ordered", "global" if fault.everywhere else "user")
            return self._answer(call, 429, _limited(allowance), allowance.headers())
        return None

    async def _lose(self, fault: Fault, request: web.Request, call: Call) -> web.StreamResponse:
        self._log(call, 0)
        if fault.kind == "hang":
            await self.closing.wait()
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)

    async def _work(
        self, request: web.Request, call: Call, body: bytes, work: Handler
    ) -> tuple[int, Any, dict[str, str]]:
        major = "/".join(call.values.get(name, "") for name in MAJOR)
        allowance = self.limits.spend(call.method, call.template, major)
        headers = allowance.headers()
        if allowance.scope is not None:
            return 429, _limited(allowance), headers
        try:
            self._authorise(request, call)
            self._judge(call, body, request.headers.get("Content-Type", ""))
            answer = await work(call)
        except ApiError as error:
            return error.status, _error(error.code, error.message), headers
        return (204 if answer is None else 200), answer, headers

    def _authorise(self, request: web.Request, call: Call) -> None:
        open_to_all = call.template.startswith(("/interactions", "/webhooks")) or call.template == "/gateway"
        if not open_to_all and request.headers.get("Authorization") != f"Bot {self.settings.token}":
            raise ApiError(401, 0, "401: Unauthorized")

    def _judge(self, call: Call, body: bytes, content_type: str) -> None:
        try:
            parsed = multipart.read(body, content_type)
        except ValueError as error:
            self.violate(call, f"unreadable body: {error}")
            raise ApiError(400, 50109, "The request body contains invalid JSON.") from error
        call.payload, call.files = parsed.payload, parsed.files
        why = self.schema.query(call.method, call.template, call.query)
        if why is None and call.method in ("POST", "PUT", "PATCH"):
            why = self.schema.body(call.method, call.template, call.payload) or next(_unsaid(call), None)
        if why is not None:
            self.violate(call, why)
            raise ApiError(400, 50035, f"Invalid Form Body: {why}")

    def violate(self, call: Call, why: str) -> None:
        """Record what a bot must not do."""
        self.violations.append(Violation(call.method, call.path, why))
        self.changed()

    def _answer(self, call: Call, status: int, answer: Any, headers: dict[str, str]) -> web.Response:
        self._log(call, status)
        if status == 204:
            return web.Response(status=204, headers=headers)
        return web.Response(status=status, body=json.dumps(answer).encode(), content_type=JSON, headers=headers)

    def _log(self, call: Call, status: int) -> None:
        said = call.said or {}
        line = Request(call.method, call.path, status, time.monotonic(), said.get("content"), said.get("nonce"))
        self.requests.append(line)
        self.statuses[status] += 1
        self.changed()


def _unsaid(call: Call) -> Iterator[str]:
    if call.said is not None:
        yield from validation.message_faults(call.said, call.files)
    elif call.template.endswith("/commands"):
        yield from validation.command_faults(call.payload if isinstance(call.payload, list) else [call.payload])


def _error(code: int, message: str) -> Json:
    return {"code": code, "message": message}


def _limited(allowance: Allowance) -> Json:
    everywhere = allowance.scope == "global"
    return {"message": "You are being rate limited.", "retry_after": allowance.reset_after, "global": everywhere}
