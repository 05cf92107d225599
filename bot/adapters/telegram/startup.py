"""Why Telegram does not let us in, as one sentence with what to do; the token is in none."""

import re
from urllib.parse import urlsplit

import telegram
from telegram.error import BadRequest, Conflict, InvalidToken, RetryAfter, TelegramError

from bot.adapters.telegram.client import nothing_done, seconds_of
from core.errors import ConfigurationError

_TOKEN = re.compile(r"\d+:[A-Za-z0-9_-]+")
_BAD_TOKEN = "Telegram does not know this token: set OHLORA_TELEGRAM_TOKEN to the one from https://t.me/BotFather"


def check_token(token: str) -> None:
    """Raises ConfigurationError for what can be no token; it must not become part of an address."""
    if not _TOKEN.fullmatch(token):
        raise ConfigurationError(_BAD_TOKEN)


async def log_in(bot: telegram.Bot, address: str) -> None:
    """Find out who she is. Raises ConfigurationError."""
    try:
        await bot.initialize()
    except TelegramError as error:  # not its cause: the library writes the token into it
        raise explained(error, address) from None


async def check_no_webhook(bot: telegram.Bot, address: str) -> None:
    """Telegram answers no polls while it delivers to a webhook. Raises ConfigurationError."""
    try:
        info = await bot.get_webhook_info()
    except TelegramError as error:
        raise explained(error, address) from None
    if info.url:
        raise ConfigurationError(
            f"Telegram delivers this bot's messages to a webhook at {urlsplit(info.url).netloc}: set "
            "OHLORA_TELEGRAM__WEBHOOK_URL to receive them there, or take it away with the Bot API's deleteWebhook"
        )


def explained(error: TelegramError, address: str) -> ConfigurationError:
    """For the host to read. `address`: of the Bot API."""
    if isinstance(error, InvalidToken):
        return ConfigurationError(_BAD_TOKEN)
    if isinstance(error, Conflict):
        return ConfigurationError(
            "another program receives this bot's Telegram messages: stop it, or give this one a token of its own"
        )
    if isinstance(error, RetryAfter):
        return ConfigurationError(
            f"Telegram at {address} wants to be left alone: start again in {seconds_of(error):.0f} s"
        )
    if isinstance(error, BadRequest) or (nothing_done(error) and error.__cause__ is None):
        return ConfigurationError(f"Telegram at {address} answered: {error}")
    return ConfigurationError(f"Telegram cannot be reached at {address}: check the network ({type(error).__name__})")
