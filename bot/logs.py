"""Logs: one format, and no secret in any line, whoever writes it."""

import logging
import re

from bot.config import Settings

# Addresses of Telegram's API carry the bot's token, those of Discord's webhooks the token of an interaction.
_TOKENS_IN_ADDRESSES = re.compile(r"(/bot)\d+:[\w-]+|(/webhooks/\d+/|/interactions/\d+/)[\w.-]+")
_HIDDEN = "[hidden]"
# at DEBUG these write down what people said, and at INFO httpx every address it asks
_LEAST = {
    "discord": logging.INFO,
    "telegram": logging.INFO,
    "aiosqlite": logging.INFO,
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
}


class HidingFormatter(logging.Formatter):
    """Formats a record, traceback included, and takes every secret out of the result."""

    def __init__(self, secrets: list[str]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        known = sorted((re.escape(secret) for secret in secrets if secret), key=len, reverse=True)
        self._known = re.compile("|".join(known)) if known else None

    def format(self, record: logging.LogRecord) -> str:
        """The line, or lines, without secrets."""
        line = _TOKENS_IN_ADDRESSES.sub(lambda match: f"{match[1] or match[2]}{_HIDDEN}", super().format(record))
        return self._known.sub(_HIDDEN, line) if self._known else line


def configure(settings: Settings) -> None:
    """To standard error, from `log_level` on."""
    handler = logging.StreamHandler()
    handler.setFormatter(HidingFormatter(settings.secrets()))
    logging.basicConfig(level=settings.log_level, handlers=[handler], force=True)
    for name, least in _LEAST.items():
        logging.getLogger(name).setLevel(max(least, logging.getLevelName(settings.log_level)))
