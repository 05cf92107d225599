"""OpenAI-compatible model servers behind one connection pool: who serves a model, whom to ask, whom to ask again.

A request goes to the healthy server with the least to do. What went wrong is told apart by one question: may the server
be computing it? If surely not, the request is tried again, here or elsewhere; if it may, only another server is asked.
"""

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from contextvars import Context
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import httpx
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from core.errors import ConfigurationError, EngineError, EngineOverloaded, GenerationFailed

log = logging.getLogger(__name__)

Json = Mapping[str, Any]

_CONNECT_S = 5.0
# uvicorn, which vLLM and llama-cpp-python run on, closes idle connections after 5 s: we let go of them first, because
# a request on a connection that closes just then is lost, and nobody could say whether it was computed
_KEEP_IDLE_S = 3.0
_CONNECTIONS = 256
_ROUNDS = 4
_LONGEST_PAUSE = 32
_SAME_FAULT_EVERYWHERE = frozenset({400, 413, 422})


class _Busy(EngineOverloaded):
    """Refused because there is too much to do, and so not computed."""


class _Unreachable(GenerationFailed):
    """Nothing was sent."""


class _Lost(GenerationFailed):
    """May have been computed; another server may take it, this one must not get it again."""


@dataclass(eq=False, slots=True)
class Server:
    """One base URL. `models`: the names it listed last, with the base model each adapts as far as it says ("")."""

    url: str
    models: Mapping[str, str] = field(default_factory=dict)
    healthy: bool = False
    in_flight: int = 0
    # in a row; one that fails often is left alone longer
    failures: int = 0
    reviving: asyncio.Task[None] | None = None


class ModelServers:
    """Several base URLs (each ends in /v1), used as an asynchronous context.

    `timeout_s`: how long one answer may take. `pause_s`: until a server that failed is looked at again, doubled for
    each failure in a row. `retry_s`: the longest first wait before a refused request is tried again.
    """

    def __init__(
        self, urls: Sequence[str], api_key: str = "", timeout_s: float = 30.0, pause_s: float = 5.0,
        retry_s: float = 0.5,
    ) -> None:  # fmt: skip
        self._servers = [Server(url) for url in urls]
        self._timeout_s = timeout_s
        self._pause_s = pause_s
        self._retry_s = retry_s
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {api_key}"} if api_key else None,
            timeout=httpx.Timeout(timeout_s, connect=_CONNECT_S),
            limits=httpx.Limits(max_connections=_CONNECTIONS, keepalive_expiry=_KEEP_IDLE_S),
            trust_env=False,  # settings have one home
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        reviving = [server.reviving for server in self._servers if server.reviving is not None]
        for task in reviving:
            task.cancel()
        await asyncio.gather(*reviving, return_exceptions=True)
        await self._client.aclose()

    async def require(self, names: Collection[str]) -> None:
        """Ask every server what it serves. Raises ConfigurationError when nobody serves one of `names`.

        A server that does not answer is no error where the others have every name.
        """
        faults = await asyncio.gather(*(self._listed(server) for server in self._servers))
        if missing := sorted(name for name in names if not self.serving(name)):
            seen = "; ".join(
                fault or f"{server.url} has {', '.join(server.models) or 'none'}"
                for server, fault in zip(self._servers, faults, strict=True)
            )
            raise ConfigurationError(f"no model server has {', '.join(missing)} (models.remote): {seen}")
        for fault in filter(None, faults):
            log.warning("%s; the other model servers do its work until it answers", fault)

    def serving(self, model: str) -> list[Server]:
        """The servers that listed a model, in the order of the settings."""
        return [server for server in self._servers if model in server.models]

    async def post(self, path: str, body: Json, only: Server | None = None) -> Json:
        """The answer to a request of `body["model"]`, from whoever serves it, or from `only` that one.

        Raises EngineOverloaded when everybody has too much to do, GenerationFailed for everything else.
        """
        lost: set[Server] = set()
        retrying = AsyncRetrying(
            retry=retry_if_exception_type((_Busy, _Unreachable)),
            stop=stop_after_attempt(_ROUNDS),
            wait=wait_random_exponential(multiplier=self._retry_s, max=8 * self._retry_s),
            reraise=True,
        )
        return await retrying(self._once_around, path, body, [only] if only else None, lost)

    async def _once_around(self, path: str, body: Json, asked: Sequence[Server] | None, lost: set[Server]) -> Json:
        """One server after the other, until one takes the request."""
        able = [server for server in asked or self.serving(body["model"]) if server not in lost]
        failure: EngineError = GenerationFailed(f"no model server has {body['model']} any more")
        for server in sorted(able, key=lambda server: (not server.healthy, server.in_flight)):
            try:
                answer = await self._post(server, path, body)
            except (_Busy, _Unreachable) as error:
                failure = error
            except _Lost as error:
                lost.add(server)
                self._rest(server)
                # whoever only had too much to do may be asked once more
                failure = failure if isinstance(failure, _Busy | _Unreachable) else error
            else:
                server.failures = 0
                return answer
        raise failure

    async def _post(self, server: Server, path: str, body: Json) -> Json:
        server.in_flight += 1
        try:
            return _read(server, await self._client.post(server.url + path, json=body))
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            self._rest(server)
            raise _Unreachable(f"the model server {server.url} cannot be reached: {_cause(error)}") from error
        except httpx.PoolTimeout as error:
            raise EngineOverloaded(f"all {_CONNECTIONS} connections to the model servers are in use") from error
        except httpx.TimeoutException as error:
            raise _Lost(f"the model server {server.url} did not answer within {self._timeout_s:g} s") from error
        except httpx.HTTPError as error:
            raise _Lost(f"the model server {server.url} broke off: {_cause(error)}") from error
        finally:
            server.in_flight -= 1

    def _rest(self, server: Server) -> None:
        """Ask it last until it lists its models again."""
        if server.reviving is None:
            log.warning("the model server %s failed; it is asked last until it answers again", server.url)
            server.healthy = False
            server.failures += 1
            revival = self._revive(server)
            server.reviving = asyncio.create_task(revival, name=f"revive {server.url}", context=Context())

    async def _revive(self, server: Server) -> None:
        pause_s = self._pause_s * min(2 ** (server.failures - 1), _LONGEST_PAUSE)
        while not server.healthy:
            await asyncio.sleep(pause_s)
            with suppress(EngineError):
                await self._list(server)
        server.reviving = None
        log.warning("the model server %s answers again", server.url)

    async def _listed(self, server: Server) -> str:
        """What is wrong with a server, "" when it answers; one that does not is asked again later."""
        try:
            await self._list(server)
        except EngineError as error:
            self._rest(server)
            return str(error)
        return ""

    async def _list(self, server: Server) -> None:
        try:
            answer = _read(server, await self._client.get(f"{server.url}/models", timeout=_CONNECT_S))
            server.models = {str(card["id"]): str(card.get("parent") or "") for card in answer["data"]}
        except httpx.HTTPError as error:
            raise _Unreachable(f"the model server {server.url} cannot be reached: {_cause(error)}") from error
        except (LookupError, TypeError, AttributeError) as error:
            raise GenerationFailed(
                f"{server.url}/models lists no models; is it an OpenAI-compatible server?"
            ) from error
        server.healthy = True


def _read(server: Server, response: httpx.Response) -> Json:
    """The answer as JSON. What a server says about an error stays unread: it may repeat what a person wrote."""
    status, asked = response.status_code, f"{response.request.method} {response.request.url.path}"
    if status in (429, 503):
        raise _Busy(f"the model server {server.url} has too much to do ({status})")
    if status in (401, 403):
        raise _Lost(f"the model server {server.url} refuses the API key ({status}); set OHLORA_MODELS__REMOTE__API_KEY")
    if status == 404:
        raise _Lost(f"the model server {server.url} has no such model or path ({asked} gave 404); its URL ends in /v1")
    if status in _SAME_FAULT_EVERYWHERE:
        raise GenerationFailed(f"the model server {server.url} refused the request ({asked} gave {status})")
    if not response.is_success:
        raise _Lost(f"the model server {server.url} failed ({asked} gave {status})")
    try:
        answer = response.json()
    except ValueError as error:
        raise GenerationFailed(f"the model server {server.url} answered no JSON to {asked}") from error
    if not isinstance(answer, dict):
        raise GenerationFailed(f"the model server {server.url} answered no JSON object to {asked}")
    return answer


def _cause(error: Exception) -> str:
    return " ".join(f"{type(error).__name__} {error}".split())
