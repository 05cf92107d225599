"""Telegram delivers: every update is safe before it is told so."""

import hmac
import logging
import re
import secrets
from asyncio import get_running_loop
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import telegram
from aiohttp import web
from telegram.error import TelegramError

from bot.adapters.telegram.hearing import ALLOWED
from bot.adapters.telegram.startup import explained
from core.errors import ConfigurationError

log = logging.getLogger(__name__)

_HEADER = "X-Telegram-Bot-Api-Secret-Token"
_SECRET = re.compile(r"[A-Za-z0-9_-]{0,256}")
_LARGEST = 1024 * 1024
_GOODBYE_S = 5.0


@dataclass(frozen=True, slots=True)
class Webhook:
    """`url`: where Telegram reaches `listen`:`port`, through whatever speaks https. `secret`: "" for a new one."""

    url: str
    listen: str
    port: int
    secret: str = ""


class WebhookServer:
    """Receives updates until cancelled. `address`: of the Bot API."""

    def __init__(self, bot: telegram.Bot, webhook: Webhook, address: str) -> None:
        if not _SECRET.fullmatch(webhook.secret):
            raise ConfigurationError(
                "OHLORA_TELEGRAM__WEBHOOK_SECRET: Telegram takes up to 256 letters, digits, - and _ only"
            )
        self.connected = False
        self._bot = bot
        self._webhook = webhook
        self._address = address
        self._secret = (webhook.secret or secrets.token_urlsafe(32)).encode()
        self._path = secrets.token_urlsafe(16).encode()  # new at every start, and nobody can guess it

    async def run(self, hear: Callable[[Sequence[telegram.Update]], Awaitable[None]]) -> None:
        """Raises ConfigurationError when the port is taken or Telegram does not want the address."""

        async def deliver(request: web.Request) -> web.Response:
            if not hmac.compare_digest(request.match_info["path"].encode(errors="replace"), self._path):
                return web.Response(status=404)
            if not hmac.compare_digest(request.headers.get(_HEADER, "").encode(errors="replace"), self._secret):
                return web.Response(status=403)
            try:
                update = telegram.Update.de_json(await request.json(), self._bot)
            except (AttributeError, KeyError, TypeError, ValueError):
                log.exception("Telegram delivered what is no update")
                return web.Response(status=400)
            await hear([update])
            return web.Response()

        application = web.Application(client_max_size=_LARGEST)
        application.router.add_post("/{prefix:.*?}{path:[^/]+}", deliver)  # a proxy may keep the prefix or not
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=_GOODBYE_S)
        try:
            await runner.setup()
            await self._listen(runner)
            await self._announce()
            self.connected = True
            await get_running_loop().create_future()
        finally:
            self.connected = False
            await runner.cleanup()

    async def _listen(self, runner: web.AppRunner) -> None:
        listen, port = self._webhook.listen, self._webhook.port
        try:
            await web.TCPSite(runner, listen, port).start()
        except OSError as error:
            raise ConfigurationError(
                f"Telegram's webhook cannot listen at {listen}:{port}: {error.strerror}"
            ) from error

    async def _announce(self) -> None:
        url = f"{self._webhook.url.rstrip('/')}/{self._path.decode()}"
        try:
            await self._bot.set_webhook(url, allowed_updates=ALLOWED, secret_token=self._secret.decode())
        except TelegramError as error:
            raise explained(error, self._address) from None
