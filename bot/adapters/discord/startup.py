"""Why Discord does not let us in, as one sentence with what to do."""

import logging

import aiohttp
import discord

from core.errors import ConfigurationError

_PORTAL = "https://discord.com/developers/applications"
_BAD_TOKEN = f"Discord does not know this token: set OHLORA_DISCORD_TOKEN to the one from {_PORTAL} (Bot, Reset Token)"
_NO_INTENT = (
    f"Discord does not give this bot the texts of messages: switch on Message Content Intent at {_PORTAL} (Bot), "
    "or set OHLORA_DISCORD__MESSAGE_CONTENT=false and she answers private messages, mentions, replies and commands only"
)
# gateway close codes that no reconnect heals (Discord's documentation of Gateway Close Event Codes)
_CLOSED = {4004: _BAD_TOKEN, 4013: _NO_INTENT, 4014: _NO_INTENT}

REASONS = (discord.LoginFailure, discord.HTTPException, discord.PrivilegedIntentsRequired, discord.ConnectionClosed)
FAILURES = (*REASONS, discord.GatewayNotFound, aiohttp.ClientError, OSError, TimeoutError)


def quieten() -> None:
    """Nobody misses a voice here, and a lost connection is worth one line, not a traceback."""
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
    logging.getLogger("discord.client").addFilter(_briefly)


def _briefly(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, FAILURES):
        record.msg, record.args = f"{record.getMessage()} ({type(error).__name__}: {error})", ()
        record.exc_info = None
    return True


def explained(error: BaseException, address: str) -> ConfigurationError:
    """One of FAILURES, for the host to read. `address`: of Discord's API."""
    if isinstance(error, discord.LoginFailure):
        return ConfigurationError(_BAD_TOKEN)
    if isinstance(error, discord.PrivilegedIntentsRequired):
        return ConfigurationError(_NO_INTENT)
    if isinstance(error, discord.ConnectionClosed):
        return ConfigurationError(
            _CLOSED.get(error.code, f"Discord closed the connection for good (code {error.code})")
        )
    if isinstance(error, discord.HTTPException):
        return ConfigurationError(f"Discord at {address} answered {error.status}; try again later")
    return ConfigurationError(f"Discord cannot be reached at {address} ({type(error).__name__}): check the network")
