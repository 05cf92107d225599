"""Why Discord does not let her in is one sentence, and no log holds a secret."""

import asyncio
import logging
import os
import sqlite3
import sys
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bot import logs
from bot.adapters.discord import DiscordAdapter
from bot.config import Settings
from core import texts
from core.errors import ConfigurationError
from tests.end_to_end.discord_house import House
from tests.end_to_end.discord_house import house as house
from tests.end_to_end.discord_server import Fault, Intent
from tests.end_to_end.serving import serving

ROOT = Path(__file__).resolve().parents[2]
NOWHERE = "127.0.0.1:9"


async def started(house: House, adapter: DiscordAdapter) -> None:
    """Serve until the service ends by itself."""
    async with serving(house.folder, [adapter]) as service:
        await asyncio.wait([service.task], timeout=10)


async def refusal(house: House, adapter: DiscordAdapter) -> str:
    """The sentence with which the service ends."""
    with pytest.raises(ConfigurationError) as error:
        await started(house, adapter)
    return str(error.value)


@pytest.mark.parametrize("token", ["not.the.token", "토큰", "two words"])
async def test_a_wrong_token_is_one_sentence(house: House, token: str) -> None:
    sentence = await refusal(house, house.adapter(token=token))
    assert sentence.startswith("Discord does not know this token: set OHLORA_DISCORD_TOKEN")
    assert token not in sentence


async def test_an_intent_that_the_portal_lacks_is_one_sentence(house: House) -> None:
    house.server.settings.portal = Intent.NONE
    sentence = await refusal(house, house.adapter())
    assert "switch on Message Content Intent at https://discord.com/developers/applications" in sentence
    assert "OHLORA_DISCORD__MESSAGE_CONTENT=false" in sentence


@pytest.mark.parametrize("missing", ["api", "gateway"])
async def test_a_network_that_is_not_there_is_one_sentence_without_a_traceback(
    house: House, caplog: pytest.LogCaptureFixture, missing: str
) -> None:
    server = house.server
    api, gateway = f"http://{NOWHERE}/api", f"ws://{NOWHERE}/"
    addresses = (api, server.gateway_url) if missing == "api" else (server.api_url, gateway)
    with caplog.at_level(logging.WARNING):
        sentence = await refusal(house, DiscordAdapter(server.settings.token, *addresses))
    address = api if missing == "api" else gateway
    assert sentence.startswith(f"Discord cannot be reached at {address} (")
    assert sentence.endswith("check the network")
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("status", [403, 503])
async def test_a_discord_that_refuses_or_fails_is_one_sentence(house: House, status: int) -> None:
    house.server.faults.add(Fault("status", "/users/@me", status=status))
    assert f"answered {status}" in await refusal(house, house.adapter())


@pytest.mark.parametrize(("code", "why"), [(4004, "does not know this token"), (4014, "Intent"), (4012, "code 4012")])
async def test_what_is_taken_away_while_she_talks_ends_the_service_with_a_sentence(
    house: House, code: int, why: str
) -> None:
    with pytest.raises(ConfigurationError, match=why):
        await closed_with(house, code)


async def closed_with(house: House, code: int) -> None:
    async with house.served() as service:
        await house.chat("로라야 안녕")
        house.server.gateway.close(code)
        await asyncio.wait([service.task], timeout=10)


async def test_the_command_says_it_in_one_line_and_ends_with_1(house: House, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "OHLORA_DISCORD_TOKEN": "not.the.token",
        "OHLORA_DISCORD__API_URL": house.server.api_url,
        "OHLORA_DISCORD__GATEWAY_URL": house.server.gateway_url,
        "OHLORA_DATA_DIR": str(tmp_path / "data"),
        "OHLORA_CACHE_DIR": str(tmp_path / "cache"),
    }
    command = (sys.executable, "-m", "bot.cli", "run")
    process = await asyncio.create_subprocess_exec(*command, cwd=tmp_path, env=environment, stdout=PIPE, stderr=PIPE)
    said, complaint = await asyncio.wait_for(process.communicate(), 60)
    assert (process.returncode, said) == (1, b"")
    [line] = complaint.decode().splitlines()
    assert line.startswith("ohlora: Discord does not know this token")


@contextmanager
def everything_logged(token: str) -> Iterator[None]:
    """Logs as `ohlora run` writes them at DEBUG, to standard error."""
    root = logging.getLogger()
    others, level = root.handlers[:], root.level
    root.handlers.clear()  # or they are closed
    logs.configure(Settings.model_validate({"log_level": "DEBUG", "discord_token": token}))
    [ours] = root.handlers
    root.handlers.extend(others)
    try:
        yield
    finally:
        root.removeHandler(ours)
        root.setLevel(level)
        for name in logs._LEAST:
            logging.getLogger(name).setLevel(logging.NOTSET)


FAULTS: list[dict[str, Any]] = [
    {"kind": "rate_limited", "retry_after": 0.1},
    {"kind": "status", "status": 503},
    {"kind": "status", "status": 403},
    {"kind": "cut"},
]


async def test_no_log_holds_a_token_whatever_fails(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    server, token = house.server, house.server.settings.token
    with everything_logged(token):
        await refusal(house, house.adapter(token=f"{token}x"))
        with pytest.raises(ConfigurationError):
            await everything_fails(house)
    written = capsys.readouterr().err
    for told in ("Traceback", "rate limited", "boom", "a command failed"):
        assert told in written
    assert [secret for secret in (token, *server.interactions) if secret in written] == []
    assert "비밀 이야기" not in written
    assert "Logging error" not in written


async def everything_fails(house: House) -> None:
    """Requests, commands, the record, and at last the connection."""
    server = house.server
    async with house.served() as service:
        for number, fault in enumerate(FAULTS, start=1):
            server.faults.add(Fault(path="^/webhooks/", **fault))
            server.faults.add(Fault(path="^/channels/.*/messages$", method="POST", **fault))
            used = await server.slash(house.guild.owner, house.channel, "chat", options={"text": "비밀 이야기"})
            await server.say(house.person, house.channel, "로라야 비밀 이야기")
            await asyncio.gather(house.shown(used), house.spoken(house.channel, 2 * number))
        unheard = server.faults.add(Fault("status", "/callback$", status=404))
        await server.slash(house.person, house.channel, "chat", options={"text": "비밀 이야기"})
        await server.until(lambda: unheard.hits)
        with sqlite3.connect(house.folder / "ohlora.db") as record:
            record.execute("CREATE TRIGGER full BEFORE INSERT ON inbox BEGIN SELECT RAISE(FAIL, 'boom'); END")
        told = await house.command("chat", options={"text": "비밀 이야기"})
        assert told == f"※ {texts.text('ko', 'notice', 'fault')}"
        server.gateway.close(4004)
        await asyncio.wait([service.task], timeout=10)
    server.settings.ack_window_s = 60  # the one whose acknowledgement failed is not looked for
