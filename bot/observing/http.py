"""/healthz, /readyz and /metrics, for whoever watches over her."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.aiohttp import make_aiohttp_handler

from bot.config import HttpSettings
from bot.observing.metrics import Metrics
from bot.observing.readiness import Readiness
from core.errors import ConfigurationError

_GOODBYE_S = 1.0


@asynccontextmanager
async def observing(settings: HttpSettings, metrics: Metrics, readiness: Readiness) -> AsyncIterator[None]:
    """Served while inside, unless the settings name no port. Raises ConfigurationError when the port is taken."""
    if not settings.port:
        yield
        return
    async with served(settings.listen, settings.port, metrics.registry, readiness):
        yield


@asynccontextmanager
async def served(listen: str, port: int, registry: CollectorRegistry, readiness: Readiness) -> AsyncIterator[int]:
    """Served while inside, at the port it gives; 0 takes a free one. Raises ConfigurationError."""

    async def health(_: web.Request) -> web.Response:
        return web.json_response({"alive": True})  # whoever gets this knows that the event loop turns

    async def ready(_: web.Request) -> web.Response:
        report = await readiness.report()
        return web.json_response(report.to_json(), status=200 if report.ready else 503)

    application = web.Application()
    application.router.add_get("/healthz", health)
    application.router.add_get("/readyz", ready)
    application.router.add_get("/metrics", make_aiohttp_handler(registry))
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=_GOODBYE_S)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, listen, port).start()
        except OSError as error:
            raise ConfigurationError(
                f"http.listen, http.port: {listen}:{port} cannot be listened at: {error.strerror}"
            ) from error
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()
