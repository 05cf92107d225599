"""An OpenAI-compatible model server in the test process: real sockets, answers by rule, faults on demand."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from aiohttp import web
from aiohttp.test_utils import TestServer

from models.fakes import FakeEncoder, count_tokens

Json = dict[str, Any]
Answer = Callable[[str], str]

HANG, DROP, NO_JSON = "hang", "drop", "no json"


class ModelServer:
    """Answers completions by the rule of their model, and embeddings as FakeEncoder does.

    `faults` are used up one for each request: a status, HANG, DROP, NO_JSON, or the JSON to answer. `parents`: the base
    of each adapter, as vLLM lists it. `url`: the base URL, once it serves. Requests wait for `gate`, lists
    of models for `listing`.
    """

    def __init__(
        self, models: Mapping[str, Answer], parents: Mapping[str, str] | None = None, key: str = "", port: int = 0
    ) -> None:
        self.models = dict(models)
        self.parents = dict(parents or {})
        self.faults: deque[int | str | Json] = deque()
        self.requests: list[Json] = []
        self.arrived: asyncio.Queue[Json] = asyncio.Queue()
        self.gate, self.listing = asyncio.Event(), asyncio.Event()
        self.gate.set()
        self.listing.set()
        self._key = key
        self._closing = asyncio.Event()
        self._encoder = FakeEncoder()
        app = web.Application(middlewares=[self._guarded])
        app.router.add_get("/v1/models", self._list)
        app.router.add_post("/v1/completions", self._complete)
        app.router.add_post("/v1/embeddings", self._embed)
        self._server = TestServer(app, port=port or None)
        self.url = ""

    async def __aenter__(self) -> Self:
        await self._server.start_server()
        self.url = str(self._server.make_url("/v1"))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._closing.set()
        await self._server.close()

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
        if self._key and request.headers.get("Authorization") != f"Bearer {self._key}":
            return web.json_response({"error": {"message": f"wrong key: {self._key}"}}, status=401)
        if request.method == "POST":
            body = await request.json()
            self.requests.append(body)
            self.arrived.put_nowait(body)
            await self.gate.wait()
            if self.faults and (response := await self._fault(request)) is not None:
                return response
        response = await handler(request)
        assert isinstance(response, web.StreamResponse)
        return response

    async def _fault(self, request: web.Request) -> web.StreamResponse | None:
        match self.faults.popleft():
            case int(status):
                return web.json_response({"error": {"message": "no"}}, status=status)
            case "hang":
                await self._closing.wait()
            case "drop":
                assert request.transport is not None
                request.transport.abort()
            case "no json":
                return web.Response(text="<html>")
            case answer:
                return web.json_response(answer)
        return web.Response()

    async def _list(self, _: web.Request) -> web.Response:
        await self.listing.wait()
        cards = [{"id": name, "object": "model", "parent": self.parents.get(name)} for name in self.models]
        return web.json_response({"object": "list", "data": cards})

    async def _complete(self, request: web.Request) -> web.Response:
        body = await request.json()
        if body["model"] not in self.models:
            return web.json_response({"error": {"message": f"no model {body['model']}"}}, status=404)
        written = self.models[body["model"]](body["prompt"])
        ends = [written.index(stop) for stop in body.get("stop", ()) if stop in written]
        text = written[: min(ends, default=len(written))]
        tokens = count_tokens(text)
        choice = {"index": 0, "text": text, "finish_reason": "stop"}
        if tokens > body["max_tokens"]:
            tokens = body["max_tokens"]
            choice = {"index": 0, "text": text[: 2 * tokens], "finish_reason": "length"}
        return web.json_response({"choices": [choice], "usage": {"completion_tokens": tokens}})

    async def _embed(self, request: web.Request) -> web.Response:
        body = await request.json()
        vectors = await self._encoder.encode(body["input"])
        rows = [{"index": index, "embedding": (3 * vector).tolist()} for index, vector in enumerate(vectors)]
        return web.json_response({"data": rows[::-1]})
