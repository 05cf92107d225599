"""Which platforms this host serves: those it has a token for."""

from collections.abc import Sequence

from pydantic import SecretStr

from bot.adapters.base import Adapter
from bot.config import Settings
from core.errors import ConfigurationError


def adapters(settings: Settings) -> Sequence[Adapter]:
    """One adapter for each token. Raises ConfigurationError when there is none."""
    chosen: list[Adapter] = []
    if discord_token := _given(settings.discord_token):
        from bot.adapters.discord import DiscordAdapter

        addresses = settings.discord.api_url, settings.discord.gateway_url
        chosen.append(DiscordAdapter(discord_token, *addresses, message_content=settings.discord.message_content))
    if telegram_token := _given(settings.telegram_token):
        from bot.adapters.telegram import TelegramAdapter, Webhook

        webhook = None
        if settings.telegram.webhook_url:
            webhook = Webhook(
                settings.telegram.webhook_url,
                settings.telegram.webhook_listen,
                settings.telegram.webhook_port,
                settings.telegram.webhook_secret.get_secret_value(),
            )
        chosen.append(TelegramAdapter(telegram_token, settings.telegram.api_url, webhook))
    if not chosen:
        raise ConfigurationError(
            "no platform has a token: set OHLORA_DISCORD_TOKEN or OHLORA_TELEGRAM_TOKEN, or use ohlora chat"
        )
    return chosen


def _given(token: SecretStr | None) -> str:
    return token.get_secret_value().strip() if token is not None else ""
