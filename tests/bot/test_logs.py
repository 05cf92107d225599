"""No secret in any line, whoever writes it."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot import logs
from bot.config import Settings, TelegramSettings
from bot.logs import HidingFormatter

DISCORD, TELEGRAM, PASSWORD = "MTA1.GabcDE.f-_oo+bar", "123456789:AAF-token_of_hers", "p(a.s*s"
FORMATTER = HidingFormatter([DISCORD, TELEGRAM, PASSWORD])


def line(message: object, *args: object, fault: BaseException | None = None) -> str:
    caught = None if fault is None else (type(fault), fault, fault.__traceback__)
    return FORMATTER.format(logging.LogRecord("somebody", logging.INFO, "file.py", 1, message, args, caught))


@pytest.mark.parametrize("secret", [DISCORD, TELEGRAM, PASSWORD])
def test_a_secret_is_hidden_in_messages_arguments_and_tracebacks(secret: str) -> None:
    class Holder:
        def __repr__(self) -> str:
            return f"Holder({secret})"

    def fails() -> None:
        try:
            raise ValueError(f"the token {secret} is wrong")
        except ValueError as error:
            raise RuntimeError(f"no login with {secret}") from error

    with pytest.raises(RuntimeError) as caught:
        fails()
    caught.value.add_note(f"it was {secret}")
    for shown in (
        line(f"token {secret}"),
        line("token %s and %r", secret, Holder()),
        line("headers %s", {"Authorization": f"Bot {secret}"}),
        line("first line\nsecond %s", secret),
        line("it failed", fault=caught.value),
    ):
        assert secret not in shown
        assert "[hidden]" in shown
    assert "no login with [hidden]" in line("it failed", fault=caught.value)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://api.telegram.org/bot42:AAH-x_y/getMe", "https://api.telegram.org/bot[hidden]/getMe"),
        ("https://api.telegram.org/file/bot42:AAH/photos/1.jpg", "https://api.telegram.org/file/bot[hidden]/photos/1.jpg"),
        ("https://discord.com/api/v10/webhooks/1/a.b-c_D/messages/@original", "https://discord.com/api/v10/webhooks/1/[hidden]/messages/@original"),
        ("https://discord.com/api/v10/interactions/7/aW50.x/callback", "https://discord.com/api/v10/interactions/7/[hidden]/callback"),
        ("https://discord.com/api/v10/channels/1/messages", "https://discord.com/api/v10/channels/1/messages"),
        ("/bots and /robot1", "/bots and /robot1"),
    ],
)  # fmt: skip
def test_tokens_in_addresses_are_hidden_though_nobody_knows_them(address: str, shown: str) -> None:
    assert line("POST %s", address).endswith(f"POST {shown}")


def test_a_secret_that_begins_another_leaves_nothing_of_it() -> None:
    formatter = HidingFormatter(["hush", "hush-hush", ""])
    record = logging.LogRecord("somebody", logging.INFO, "file.py", 1, "said hush-hush", (), None)
    assert formatter.format(record).endswith("said [hidden]")


def test_without_secrets_a_line_stays_as_it_is() -> None:
    record = logging.LogRecord("somebody", logging.INFO, "file.py", 1, "said %s", ("hush",), None)
    assert HidingFormatter([]).format(record).endswith("INFO somebody: said hush")


@pytest.fixture
def loggers_as_before() -> Iterator[None]:
    root = logging.getLogger()
    names = ("discord", "telegram", "httpx", "httpcore")
    before = root.level, root.handlers[:], [logging.getLogger(name).level for name in names]
    yield
    root.level, root.handlers[:] = before[0], before[1]
    for name, level in zip(names, before[2], strict=True):
        logging.getLogger(name).setLevel(level)


@pytest.mark.usefixtures("loggers_as_before")
@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR"])
def test_whatever_is_configured_hides_every_secret_of_the_settings(
    level: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(
        data_dir=tmp_path,
        log_level=level,  # type: ignore[arg-type]
        discord_token=SecretStr(f" {DISCORD}\n"),
        telegram_token=SecretStr(TELEGRAM),
        telegram=TelegramSettings(webhook_secret=SecretStr("hush-hook")),
        record_url=SecretStr(f"postgresql+asyncpg://lora:{PASSWORD}@db/ohlora"),
    )
    logs.configure(settings)
    for name in ("bot", "discord.http", "httpx", "sqlalchemy"):
        logging.getLogger(name).critical("%s %s %s %s", DISCORD, TELEGRAM, "hush-hook", PASSWORD)
    written = capsys.readouterr().err
    assert written.count("[hidden] [hidden] [hidden] [hidden]") == 4


@pytest.mark.usefixtures("loggers_as_before")
def test_what_people_say_and_where_libraries_call_is_not_written_down_at_any_level(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(Settings(data_dir=tmp_path, log_level="DEBUG"))
    for name in ("discord.gateway", "telegram.ext", "httpx", "httpcore.connection"):
        logging.getLogger(name).debug("she said: 비밀이야")
    logging.getLogger("httpx").info("HTTP Request: POST https://…")
    assert capsys.readouterr().err == ""
