"""Settings: defaults, the environment, the file, and what is said about bad values."""

import json
from pathlib import Path

import pytest

from bot import config
from core.errors import ConfigurationError
from core.sanctions import LADDERS
from models.registry import BUNDLED


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder, and nothing of the host's own settings."""
    monkeypatch.chdir(tmp_path)
    import os

    for name in [name for name in os.environ if name.startswith("OHLORA_")]:
        monkeypatch.delenv(name)


def test_every_default_works() -> None:
    settings = config.load()
    assert settings.models.profile == BUNDLED
    assert settings.record.startswith("sqlite+aiosqlite:///")
    assert settings.turn.policy().ladders == LADDERS
    assert settings.discord_token is settings.telegram_token is None
    assert (settings.discord.message_content, settings.discord.api_url) == (True, "https://discord.com/api/v10")
    assert (settings.telegram.webhook_url, settings.telegram.api_url) == ("", "https://api.telegram.org")
    assert settings.secrets() == []


def test_the_file_is_read_and_the_environment_wins_over_it(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("ohlora.toml").write_text(
        'language = "en"\n[turn]\nprompt_tokens = 60\nanswer_tokens = 200\n[turn.ladders]\nlove = [0, 2]\n',
        encoding="utf-8",
    )
    monkeypatch.setenv("OHLORA_TURN__PROMPT_TOKENS", "70")
    settings = config.load()
    assert (settings.language, settings.turn.prompt_tokens, settings.turn.answer_tokens) == ("en", 70, 200)
    ladders = settings.turn.policy().ladders
    assert [step.total_seconds() for step in ladders["love"]] == [0, 7200]
    assert ladders["hate"] == LADDERS["hate"]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("OHLORA_LANGUAGE", "fr", "language: Input should be 'ko' or 'en'"),
        ("OHLORA_TURN__TIMEZONE", "Mars/Base", "turn.timezone: no time zone is called 'Mars/Base'"),
        ("OHLORA_TURN__PROMPT_TOKENS", "many", "turn.prompt_tokens: Input should be a valid integer"),
        ("OHLORA_TURN__ANSWER_TOKENS", "1", "turn.answer_tokens: Input should be greater than or equal to 16"),
        ("OHLORA_TURN__LADDERS", "abc", "write it as JSON"),
        ("OHLORA_TURN__LADDERS", '{"love": [1e999]}', "turn.ladders.love.0"),
        ("OHLORA_TURN__LADDERS", '{"rudeness": [1]}', "turn.ladders.rudeness"),
        ("OHLORA_MODELS__THREADS", "-1", "models.threads"),
        ("OHLORA_TURN__LINE", "0", "turn.line"),
        ("OHLORA_TURN__PATIENCE_S", "0", "turn.patience_s"),
        ("OHLORA_TELEGRAM__WEBHOOK_PORT", "65536", "telegram.webhook_port"),
        ("OHLORA_TELEGRAM__TOKEN", "123:secret", "telegram.token: Extra inputs are not permitted"),
        ("OHLORA_DISCORD__MESSAGE_CONTENT", "perhaps", "discord.message_content: Input should be a valid boolean"),
        ("OHLORA_MODELS__COLOUR", "red", "models.colour: Extra inputs are not permitted"),
        ("OHLORA_RECORD_URL", "my secret file", "record_url: this is no database URL"),
    ],
)
def test_a_bad_value_gives_one_sentence_that_names_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as error:
        config.load()
    assert said in str(error.value)
    assert "\n" not in str(error.value)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("content", [b"language = ", b"\xff\xfe", b"colour = 'red'"])
def test_a_bad_file_gives_one_sentence_that_names_it(content: bytes) -> None:
    Path("ohlora.toml").write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"ohlora\.toml") as error:
        config.load()
    assert "\n" not in str(error.value)


def test_platforms_have_sections_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("ohlora.toml").write_text(
        '[discord]\nmessage_content = false\n[telegram]\nwebhook_url = "https://lora.example"\nwebhook_port = 80\n',
        encoding="utf-8",
    )
    monkeypatch.setenv("OHLORA_TELEGRAM__WEBHOOK_LISTEN", "0.0.0.0")
    settings = config.load()
    assert not settings.discord.message_content
    assert settings.telegram.webhook_url == "https://lora.example"
    assert (settings.telegram.webhook_listen, settings.telegram.webhook_port) == ("0.0.0.0", 80)


def test_secrets_are_hidden_wherever_settings_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OHLORA_DISCORD_TOKEN", "hush-1")
    monkeypatch.setenv("OHLORA_TELEGRAM_TOKEN", "hush-2")
    monkeypatch.setenv("OHLORA_RECORD_URL", "postgresql+asyncpg://lora:hush-3@db/ohlora")
    monkeypatch.setenv("OHLORA_TELEGRAM__WEBHOOK_SECRET", " hush-4\n")
    settings = config.load()
    assert settings.secrets() == ["hush-1", "hush-2", "hush-4", "hush-3"]
    assert "hush" not in json.dumps(settings.shown()) + repr(settings)
    assert settings.shown()["record_url"] == "postgresql+asyncpg://lora:***@db/ohlora"
    assert "hush-3" in settings.record


@pytest.mark.parametrize("folder", ["plain", "오로라 data", "50%20 off", "what?x=1#y"])
def test_the_record_lies_in_the_data_folder_whatever_its_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: str
) -> None:
    from sqlalchemy.engine import make_url

    monkeypatch.setenv("OHLORA_DATA_DIR", str(tmp_path / folder))
    assert make_url(config.load().record).database == str(tmp_path / folder / "ohlora.db")


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OHLORA_DATA_DIR", "~/lora")
    assert config.load().data_dir == Path.home() / "lora"
