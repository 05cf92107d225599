"""Which platforms are served: those with a token."""

import pytest
from pydantic import SecretStr

from bot.config import Settings
from bot.platforms import adapters
from core.errors import ConfigurationError

DISCORD, TELEGRAM = SecretStr("MTA.Gabc.def"), SecretStr("42:AAH-token")


def settings(discord: SecretStr | None, telegram: SecretStr | None) -> Settings:
    return Settings.model_construct(discord_token=discord, telegram_token=telegram)


@pytest.mark.parametrize("token", [None, SecretStr(""), SecretStr(" \n")])
def test_without_a_token_nothing_can_be_served(token: SecretStr | None) -> None:
    with pytest.raises(ConfigurationError, match="set OHLORA_DISCORD_TOKEN or OHLORA_TELEGRAM_TOKEN"):
        adapters(settings(token, token))


@pytest.mark.parametrize(
    ("discord", "telegram", "served"),
    [
        (DISCORD, None, ["discord"]),
        (SecretStr(""), TELEGRAM, ["telegram"]),
        (DISCORD, TELEGRAM, ["discord", "telegram"]),
    ],
)
def test_each_token_is_a_platform(discord: SecretStr, telegram: SecretStr | None, served: list[str]) -> None:
    assert [adapter.platform for adapter in adapters(settings(discord, telegram))] == served
