"""No secret in any line, whoever writes it; and every line of a turn names it."""

import asyncio
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot import logs
from bot.config import Settings, TelegramSettings
from bot.logs import HidingFormatter, HidingJsonFormatter, of_turn
from core.messages import MessageKey

DISCORD, TELEGRAM, PASSWORD = "MTA1.GabcDE.f-_oo+bar", "123456789:AAF-token_of_hers", "p(a.s*s"
# JSON, Python and addresses write it in four ways
QUOTED = 'a"b\\c/한'
SECRETS = [DISCORD, TELEGRAM, PASSWORD, QUOTED]
PRETTY, JSON = HidingFormatter(SECRETS), HidingJsonFormatter(SECRETS, "worker")
FORMATTERS = pytest.mark.parametrize("formatter", [PRETTY, JSON], ids=["pretty", "json"])
TURN = MessageKey("telegram", "-100:7", "42")


def record(message: object, *args: object, fault: BaseException | None = None, **more: object) -> logging.LogRecord:
    caught = None if fault is None else (type(fault), fault, fault.__traceback__)
    made = logging.LogRecord("somebody", logging.INFO, "file.py", 1, message, args, caught)
    made.__dict__.update(more)
    return made


def line(
    message: object, *args: object, fault: BaseException | None = None, formatter: logging.Formatter = PRETTY
) -> str:
    return formatter.format(record(message, *args, fault=fault))


def fields(message: object, *args: object, **more: Any) -> dict[str, Any]:
    """The JSON object of a line."""
    written = JSON.format(record(message, *args, **more))
    assert "\n" not in written
    read: dict[str, Any] = json.loads(written)
    return read


@FORMATTERS
@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_hidden_in_messages_arguments_and_tracebacks(secret: str, formatter: logging.Formatter) -> None:
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
        line(f"token {secret}", formatter=formatter),
        line("token %s and %r", secret, Holder(), formatter=formatter),
        line("headers %s", {"Authorization": f"Bot {secret}"}, formatter=formatter),
        line("first line\nsecond %s", secret, formatter=formatter),
        line("it failed", fault=caught.value, formatter=formatter),
    ):
        assert secret not in shown
        assert json.dumps(secret)[1:-1] not in shown
        assert "[hidden]" in shown
    assert "no login with [hidden]" in line("it failed", fault=caught.value, formatter=formatter)


@FORMATTERS
@pytest.mark.parametrize(
    "written", [r'a"b\c/한', r"a\"b\\c/한", r"a\"b\\c/\ud55c", r'a"b\\c/한', "a%22b%5Cc%2F%ED%95%9C"]
)
def test_a_secret_is_hidden_however_it_was_written_down_before(written: str, formatter: logging.Formatter) -> None:
    shown = line("they answered <%s>", written, formatter=formatter)
    assert "they answered <[hidden]>" in shown


def test_a_json_line_says_when_who_how_grave_and_what() -> None:
    found = fields("%d of %s", 3, "them")
    assert found.pop("time").endswith("+00:00")
    assert found == {"level": "INFO", "logger": "somebody", "role": "worker", "message": "3 of them"}


def test_what_a_library_hangs_on_its_records_is_in_no_json_line() -> None:
    assert "secretly" not in str(fields("done", payload={"text": "secretly"}))
    assert fields({"a": 1})["message"] == "{'a': 1}"


async def test_every_line_of_a_turn_names_it_in_tasks_too_and_no_other_line_does() -> None:
    shown: list[tuple[str, object]] = []

    async def say() -> None:
        shown.append((line("hello"), fields("hello").get("turn")))

    with of_turn(TURN):
        await asyncio.gather(say(), asyncio.create_task(asyncio.wait_for(say(), 5)))
    await say()
    marked, plain = "INFO somebody [telegram:-100:7:42]: hello", "INFO somebody: hello"
    assert [written.endswith(marked) for written, _ in shown] == [True, True, False]
    assert shown[2][0].endswith(plain)
    assert [turn for _, turn in shown] == ["telegram:-100:7:42"] * 2 + [None]


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
    names = ("discord", "telegram", "aiosqlite", "httpx", "httpcore")
    before = root.level, root.handlers[:], [logging.getLogger(name).level for name in names]
    yield
    root.level, root.handlers[:] = before[0], before[1]
    for name, level in zip(names, before[2], strict=True):
        logging.getLogger(name).setLevel(level)


@pytest.mark.usefixtures("loggers_as_before")
@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR"])
@pytest.mark.parametrize("form", ["pretty", "json"])
def test_whatever_is_configured_hides_every_secret_of_the_settings(
    level: str, form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(
        data_dir=tmp_path,
        log_level=level,
        log_format=form,
        discord_token=SecretStr(f" {DISCORD}\n"),
        telegram_token=SecretStr(TELEGRAM),
        telegram=TelegramSettings(webhook_secret=SecretStr("hush-hook")),
        record_url=SecretStr(f"postgresql+asyncpg://lora:{PASSWORD}@db/ohlora"),
    )
    logs.configure(settings, "gateway")
    for name in ("bot", "discord.http", "httpx", "sqlalchemy"):
        logging.getLogger(name).critical("%s %s %s %s", DISCORD, TELEGRAM, "hush-hook", PASSWORD)
    written = capsys.readouterr().err
    assert written.count("[hidden] [hidden] [hidden] [hidden]") == 4
    if form == "json":
        assert {json.loads(one)["role"] for one in written.splitlines()} == {"gateway"}


@pytest.mark.usefixtures("loggers_as_before")
def test_what_people_say_and_where_libraries_call_is_not_written_down_at_any_level(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(Settings(data_dir=tmp_path, log_level="DEBUG"))
    for name in ("discord.gateway", "telegram.ext", "httpx", "httpcore.connection"):
        logging.getLogger(name).debug("she said: 비밀이야")
    logging.getLogger("httpx").info("HTTP Request: POST https://…")
    assert capsys.readouterr().err == ""
