"""Logs: people or programs read them, every line knows its turn, and no secret is in any, whoever writes it."""

import json
import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from pythonjsonlogger.core import LogData
from pythonjsonlogger.json import JsonFormatter

from bot.config import Settings
from core.messages import MessageKey

# Addresses of Telegram's API carry the bot's token, those of Discord's webhooks the token of an interaction.
_TOKENS_IN_ADDRESSES = re.compile(r"(/bot)\d+:[\w-]+|(/webhooks/\d+/|/interactions/\d+/)[\w.-]+")
_HIDDEN = "[hidden]"
# at DEBUG these write down what people said, at INFO httpx every address it asks, and alembic its plugins
_LEAST = {
    "discord": logging.INFO,
    "telegram": logging.INFO,
    "aiosqlite": logging.INFO,
    "alembic": logging.WARNING,
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
}
_turn: ContextVar[str] = ContextVar("turn", default="")


@contextmanager
def of_turn(message: MessageKey) -> Iterator[None]:
    """Whatever is logged inside, and in tasks that are started inside, belongs to the turn of this message."""
    token = _turn.set(f"{message.platform}:{message.chat_id}:{message.message_id}")
    try:
        yield
    finally:
        _turn.reset(token)


class Hiding:
    """Takes secrets out of text: those it is given, however they are written, and tokens in addresses."""

    def __init__(self, secrets: Iterable[str]) -> None:
        written = {form for secret in secrets if secret for form in _forms(secret)}
        known = sorted(map(re.escape, written), key=len, reverse=True)
        self._known = re.compile("|".join(known)) if known else None

    def __call__(self, text: str) -> str:
        """The same text without them."""
        text = _TOKENS_IN_ADDRESSES.sub(lambda match: f"{match[1] or match[2]}{_HIDDEN}", text)
        return self._known.sub(_HIDDEN, text) if self._known else text


class HidingFormatter(logging.Formatter):
    """For people: a line, and the traceback below it."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s%(turn)s: %(message)s")
        self._hide = Hiding(secrets)

    def format(self, record: logging.LogRecord) -> str:
        """The line, or lines, without secrets."""
        record.turn = f" [{turn}]" if (turn := _turn.get()) else ""
        return self._hide(super().format(record))


class HidingJsonFormatter(JsonFormatter):
    """For programs: one JSON object in one line. `role`: of this process."""

    def __init__(self, secrets: Iterable[str], role: str) -> None:
        super().__init__(json_ensure_ascii=False)
        self._hide = Hiding(secrets)
        self._role = role

    def add_fields(self, log_data: LogData, record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """These and no others: what a library hangs on its records may be anything."""
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "role": self._role,
            "turn": _turn.get(),
            "message": self._hide(record.getMessage()),
            "exception": self._hide(message_dict.get("exc_info", "")),
            "stack": self._hide(message_dict.get("stack_info", "")),
        }
        log_data |= {name: value for name, value in fields.items() if value}


def configure(settings: Settings, role: str = "") -> None:
    """To standard error, from `log_level` on, as `log_format` says. `role` of this process: run, gateway, worker, …"""
    pretty, secrets = settings.log_format == "pretty", settings.secrets()
    handler = logging.StreamHandler()
    handler.setFormatter(HidingFormatter(secrets) if pretty else HidingJsonFormatter(secrets, role))
    logging.basicConfig(level=settings.log_level, handlers=[handler], force=True)
    for name, least in _LEAST.items():
        logging.getLogger(name).setLevel(max(least, logging.getLevelName(settings.log_level)))


def _forms(secret: str) -> Iterator[str]:
    """As it is; as JSON and Python write it between quotes, and URLs after a percent sign."""
    yield secret
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield repr(secret)[1:-1]
    yield quote(secret, safe="")
