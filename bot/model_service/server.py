"""The ports of core, served over HTTP: models.openai_lm the other way round.

GET /v1/models   POST /v1/completions   POST /v1/embeddings   GET /healthz

Who breaks off is not computed for any longer. Too much to do is 503 with Retry-After, and nothing of it was computed.
"""

import asyncio
import hmac
import itertools
import logging
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from bot.model_service.protocol import (
    BadRequest,
    CompletionAsked,
    EmbeddingsAsked,
    Json,
    completed,
    embedded,
    models_listed,
    parsed,
    refusal,
)
from bot.model_service.settings import ServeSettings
from core.errors import ConfigurationError, EngineError, EngineOverloaded
from core.messages import PersonKey
from core.ports import Encoder, LanguageModel, Prompt

log = logging.getLogger(__name__)

_BODY = 2 * 2**20
# what is under way at the end may be finished
_DRAIN_S = 30.0
_LONGEST_PAUSE_S = 30

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Served:
    """What there is: `adapters` with their bases ("" where that cannot be asked), all in `language`, and encoders."""

    language: LanguageModel
    adapters: Mapping[str, str]
    encoders: Mapping[str, Encoder]


class ModelService:
    """The paths. `within_s`: nobody is kept longer, the reading of their request included."""

    def __init__(self, served: Served, api_key: str, within_s: float) -> None:
        self._served = served
        self._listed = models_listed(served.adapters, list(served.encoders))
        self._written = {*served.adapters, *filter(None, served.adapters.values())}
        self._key = f"Bearer {api_key}".encode() if api_key else b""
        self._within_s = within_s
        self._number = itertools.count()

    def app(self) -> web.Application:
        """To be run by aiohttp, with handlers that are cancelled when nobody listens any more."""
        app = web.Application(middlewares=[self._answered], client_max_size=_BODY)
        app.router.add_get("/healthz", self._alive)
        app.router.add_get("/v1/models", self._list)
        app.router.add_post("/v1/completions", self._complete)
        app.router.add_post("/v1/embeddings", self._embed)
        return app

    @web.middleware
    async def _answered(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Every error has a status and a sentence; what a person wrote stands in none."""
        given = request.headers.get("Authorization", "").encode(errors="replace")
        if request.path != "/healthz" and self._key and not hmac.compare_digest(given, self._key):
            return _refused("the API key is missing or wrong: send Authorization: Bearer …", 401)
        try:
            async with asyncio.timeout(self._within_s):
                return await handler(request)
        except BadRequest as error:
            return _refused(str(error), 400)
        except web.HTTPException as error:
            return _refused(error.reason, error.status)
        except EngineOverloaded as error:
            pause_s = min(max(1, math.ceil(error.wait_s)), _LONGEST_PAUSE_S)
            return _refused("too many requests are waiting", 503, {"Retry-After": str(pause_s)})
        except TimeoutError:
            return _refused(f"not done within {self._within_s:g} s", 503, {"Retry-After": "1"})
        except EngineError:  # the engine has logged why
            return _refused("the model failed; its log says why", 500)

    async def _alive(self, _: web.Request) -> web.Response:
        return web.json_response({"alive": True})

    async def _list(self, _: web.Request) -> web.Response:
        return web.json_response(self._listed)

    async def _complete(self, request: web.Request) -> web.Response:
        asked = parsed(CompletionAsked, await request.read())
        _known(asked.model, self._written)
        prompt = Prompt(
            asked.model, asked.prompt, asked.mark, asked.max_tokens, asked.temperature, self._person(asked.user),
            likely=asked.likely,
        )  # fmt: skip
        completion = await self._served.language.complete(prompt)
        tokens = self._served.language.count_tokens(asked.model, asked.prompt)
        return web.json_response(completed(asked, completion, tokens))

    async def _embed(self, request: web.Request) -> web.Response:
        asked = parsed(EmbeddingsAsked, await request.read())
        _known(asked.model, self._served.encoders)
        return web.json_response(embedded(asked, await self._served.encoders[asked.model].encode(asked.input)))

    def _person(self, user: str) -> PersonKey:
        """Whose turn it takes. Nobody is known by name here, and who names nobody stands for nobody else."""
        return PersonKey("served", f"user {hash(user)}" if user else f"request {next(self._number)}")


@asynccontextmanager
async def listening(service: ModelService, serve: ServeSettings) -> AsyncIterator[str]:
    """Serves inside, and gives the URL; at the end nothing new is taken, and what is under way is finished.

    Raises ConfigurationError when the address cannot be had.
    """
    runner = web.AppRunner(service.app(), handler_cancellation=True, shutdown_timeout=_DRAIN_S, access_log=None)
    await runner.setup()
    try:
        host = f"[{serve.listen}]" if ":" in serve.listen else serve.listen
        try:
            await web.TCPSite(runner, serve.listen, serve.port).start()
        except OSError as error:
            raise ConfigurationError(
                f"cannot listen on {host}:{serve.port} (serve.listen, serve.port): {error.strerror}"
            ) from error
        yield f"http://{host}:{serve.port}/v1"
    finally:
        await runner.cleanup()


def _known(model: str, models: "Mapping[str, object] | set[str]") -> None:
    if model not in models:
        raise web.HTTPNotFound(reason=f"no such model here; there are: {', '.join(sorted(models)) or 'none'}")


def _refused(sentence: str, status: int, headers: Mapping[str, str] | None = None) -> web.Response:
    body: Json = refusal(sentence, status)
    return web.json_response(body, status=status, headers=headers)
