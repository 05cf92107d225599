"""Getting in, staying in, and receiving: what stops the start, and what does not stop the service."""

import logging
import socket
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from bot.adapters.telegram import TelegramAdapter, Webhook
from core.errors import ConfigurationError
from tests.end_to_end.telegram_house import ANSWER, House, asked
from tests.end_to_end.telegram_house import house as house

SECRET = "a-secret_of-the-host"
HEADER = "X-Telegram-Bot-Api-Secret-Token"
NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def port() -> int:
    """One that nobody uses."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        number: int = taken.getsockname()[1]
    return number


def webhook(port: int, **more: str) -> Webhook:
    return Webhook(**{"url": f"http://127.0.0.1:{port}/ohlora/", "listen": "127.0.0.1", "port": port, **more})  # type: ignore[arg-type]


async def until_it_ends(house: House, adapter: TelegramAdapter | None = None) -> None:
    """The service, as long as it receives by itself."""
    async with house.served(adapter=adapter) as service:
        await service.task


async def refusal(house: House, adapter: TelegramAdapter) -> str:
    """The sentence that stops the start; it is one, and keeps the token to itself."""
    with pytest.raises(ConfigurationError) as failed:
        await until_it_ends(house, adapter)
    sentence = str(failed.value)
    assert "\n" not in sentence
    assert house.server.token.split(":")[1] not in repr(failed.getrepr(chain=True))
    return sentence


# What stops the start


@pytest.mark.parametrize("token", ["7000000001:AAE-somebody-elses", "no token at all", "7000000001:AAE/../x", "7:a\nb"])
async def test_a_wrong_token_stops_the_start(house: House, token: str) -> None:
    assert "OHLORA_TELEGRAM_TOKEN" in await refusal(house, house.adapter(token=token))


async def test_another_instance_that_polls_stops_the_start(house: House) -> None:
    house.server.fault("getUpdates", status=409)
    with pytest.raises(ConfigurationError, match="another program receives"):
        await until_it_ends(house)


async def test_a_webhook_that_is_set_stops_the_start_and_is_named_without_its_path(house: House) -> None:
    house.server.updates.set_webhook("https://bots.example.org/secret-path", None)
    try:
        sentence = await refusal(house, house.adapter())
    finally:
        await house.server.updates.close()
        house.server.updates.webhook = None
    assert "bots.example.org" in sentence
    assert "secret-path" not in sentence
    assert "deleteWebhook" in sentence


async def test_no_network_stops_the_start(house: House) -> None:
    sentence = await refusal(house, TelegramAdapter(house.server.token, NOBODY))
    assert f"cannot be reached at {NOBODY}: check the network" in sentence


@pytest.mark.parametrize(
    ("method", "fault", "said"),
    [
        ("getMe", {"status": 500}, "answered: Internal Server Error"),
        ("getMe", {"status": 502}, "cannot be reached"),
        ("getMe", {"cut": "before"}, "cannot be reached"),
        ("getMe", {"retry_after": 7}, "start again in 7 s"),
        ("getWebhookInfo", {"status": 500}, "answered: Internal Server Error"),
    ],
)
async def test_whatever_telegram_answers_at_the_start_is_said(
    house: House, method: str, fault: dict[str, Any], said: str
) -> None:
    house.server.fault(method, **fault)
    assert said in await refusal(house, house.adapter())


@pytest.mark.parametrize("token", ["7000000001:AAE-somebody-elses", "", "x"])
async def test_an_adapter_can_be_closed_at_any_time(house: House, token: str) -> None:
    adapter = TelegramAdapter(token or house.server.token, house.server.url)
    await adapter.close()
    await adapter.close()


# Polling


@pytest.mark.parametrize(
    "fault",
    [{"status": 409}, {"status": 500}, {"status": 502}, {"cut": "before"}, {"cut": "after"}, {"broken": True}],
    ids=str,
)
async def test_trouble_while_receiving_is_logged_once_and_nothing_is_lost_or_doubled(
    house: House, fault: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    async with house.served() as service:
        await house.shown("하나")
        await house.settled()
        house.server.fault("getUpdates", times=4, **fault)
        await house.shown("둘")
        await house.shown("셋")
        await house.settled()
        assert len(asked(service.language)) == 3
        assert len(house.private.replies) == 3
    trouble = [one for one in caplog.records if "cannot be fetched" in one.message]
    assert [one.levelno for one in trouble] == [logging.WARNING]


async def test_a_token_that_is_withdrawn_stops_the_service(house: House) -> None:
    house.server.fault("getUpdates", status=401, skip=1)
    await house.server.say(house.person, house.private, "안녕")
    with pytest.raises(ConfigurationError, match="OHLORA_TELEGRAM_TOKEN"):
        await until_it_ends(house)


async def test_what_was_heard_is_confirmed_at_the_end_so_that_no_command_is_done_twice(house: House) -> None:
    async with house.served():
        await house.shown("/memory pause")
    assert house.server.updates.pending == []
    async with house.served():
        await house.shown("안녕")
    assert len(house.private.replies) == 2


async def test_marks_beyond_the_end_of_a_message_hold_up_nothing(house: House) -> None:
    beyond = [{"type": "mention", "offset": 90, "length": 7}]
    async with house.served():
        await house.server.say(house.person, house.private, "안녕", entities=beyond)
        (reply,) = await house.spoken(house.private)
        assert reply.caption == ANSWER


# Webhook


async def test_through_a_webhook_every_message_is_answered(house: House, port: int) -> None:
    async with house.served(adapter=house.adapter(webhook=webhook(port, secret=SECRET))) as service:
        hook = house.server.updates.webhook
        assert hook is not None
        assert (hook.secret, urlsplit(hook.url).path.startswith("/ohlora/")) == (SECRET, True)
        assert (await house.shown("안녕")).caption == ANSWER
        assert (await house.chat("/about")).text
        await house.settled()
        assert len(asked(service.language)) == 1
    assert house.server.updates.allowed == {"message", "edited_message", "callback_query"}


async def test_only_telegram_can_deliver(house: House, port: int) -> None:
    update = {
        "update_id": 1,
        "message": {"message_id": 1, "date": 0, "chat": {"id": 1, "type": "private"}, "text": "a"},
    }
    async with house.served(adapter=house.adapter(webhook=webhook(port))), aiohttp.ClientSession() as session:
        hook = house.server.updates.webhook
        assert hook is not None
        assert len(hook.secret or "") > 30
        root = f"http://127.0.0.1:{port}"
        good = {HEADER: hook.secret or ""}
        answers = []
        for method, url, headers, body in (
            ("POST", hook.url, {HEADER: "wrong"}, update),
            ("POST", hook.url, {HEADER: "비밀".encode().decode("latin-1")}, update),
            ("POST", hook.url, {}, update),
            ("POST", f"{root}/ohlora/guess", good, update),
            ("POST", f"{root}/%ff", good, update),
            ("POST", root, good, update),
            ("GET", hook.url, good, update),
            ("POST", hook.url, good, ["no update"]),
            ("POST", hook.url, good, {"update_id": 2}),
            # a proxy that takes its own part of the path away
            ("POST", f"{root}/{hook.url.rsplit('/', 1)[1]}", good, {"update_id": 3}),
        ):
            async with session.request(method, url, headers=headers, json=body) as response:
                answers.append(response.status)
        assert answers == [403, 403, 403, 404, 404, 404, 405, 400, 200, 200]
        assert house.server.counts["sent"] == 0


async def test_a_webhook_that_cannot_listen_stops_the_start(house: House) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"cannot listen at 127.0.0.1:{port}"):
            await until_it_ends(house, house.adapter(webhook=webhook(port)))


@pytest.mark.parametrize("secret", ["with space", "비밀", "x" * 257])
async def test_a_secret_that_telegram_does_not_take_stops_the_start(house: House, port: int, secret: str) -> None:
    sentence = await refusal(house, house.adapter(webhook=webhook(port, secret=secret)))
    assert "OHLORA_TELEGRAM__WEBHOOK_SECRET" in sentence
    assert secret not in sentence


async def test_an_address_that_telegram_does_not_take_stops_the_start(house: House, port: int) -> None:
    with pytest.raises(ConfigurationError, match="an https url must be provided"):
        await until_it_ends(house, house.adapter(webhook=webhook(port, url="ftp://bots.example.org")))


async def test_a_group_that_becomes_a_supergroup_keeps_its_settings(house: House) -> None:
    group = house.server.group("작은 집", kind="group", members=[house.person], admins=[house.owner], privacy=False)
    async with house.served():
        await house.server.say(house.owner, group, "/settings images=off")
        await house.spoken(group)
        new = await house.server.upgrade(group, house.owner)
        asked = await house.server.say(house.person, new, "로라야 안녕")
        assert (await house.reply(asked)).photo is None
