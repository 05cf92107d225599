"""`ohlora doctor`: one screen, no secret, one thing to do for whatever is missing."""

from pathlib import Path

import pytest
from pydantic import SecretStr
from rich.console import Console

from bot.config import ModelSettings, Settings
from bot.doctor import Finding, examine, report
from tests.redis_server import RedisServer


def settings(tmp_path: Path, profile: Path) -> Settings:
    return Settings(
        data_dir=tmp_path / "data",
        discord_token=SecretStr("hush-hush"),
        record_url=SecretStr(""),
        models=ModelSettings(profile=profile),
    )


def found(given: Settings, name: str) -> Finding:
    return next(finding for finding in examine(given) if finding.name == name)


def test_one_screen_says_everything_and_no_secret(tmp_path: Path, tiny_profile: Path) -> None:
    console = Console(width=100, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(report(settings(tmp_path, tiny_profile)))
    console.file.close()
    screen = console.export_text()
    assert "hush" not in screen
    assert len(screen.splitlines()) <= 40
    for word in (
        "Python",
        "torch 2.13.0",
        "cores",
        "ohlora.db",
        "version tiny-0",
        "CPU",
        "Discord",
        "Telegram",
        "Redis",
    ):
        assert word in screen


def test_missing_models_are_said_with_what_to_do(tmp_path: Path) -> None:
    models = found(settings(tmp_path, tmp_path / "nothing"), "Models")
    assert "model file missing" in models.found
    assert "make bundled" in models.todo


def test_a_token_counts_as_set_without_being_shown(tmp_path: Path, tiny_profile: Path) -> None:
    given = settings(tmp_path, tiny_profile)
    assert found(given, "Discord").found.startswith("token set")
    assert found(given, "Telegram").found.startswith("token not set")


def test_it_looks_and_makes_nothing(tmp_path: Path, tiny_profile: Path) -> None:
    record = found(settings(tmp_path, tiny_profile), "Record")
    assert "not there yet" in record.found
    assert record.todo == ""
    assert list(tmp_path.iterdir()) == []


def test_a_record_elsewhere_is_shown_without_its_password(tmp_path: Path, tiny_profile: Path) -> None:
    given = settings(tmp_path, tiny_profile).model_copy(
        update={"record_url": SecretStr("postgresql+asyncpg://lora:hush@db/ohlora")}
    )
    assert found(given, "Record").found == "postgresql+asyncpg://lora:***@db/ohlora"


@pytest.mark.parametrize("name", ["Discord", "Telegram", "Redis"])
def test_what_a_terminal_chat_does_not_need_is_no_fault(tmp_path: Path, tiny_profile: Path, name: str) -> None:
    assert found(settings(tmp_path, tiny_profile), name).optional


def test_redis_is_asked_where_processes_are_to_meet_in_it(
    tmp_path: Path, tiny_profile: Path, redis: RedisServer
) -> None:
    given = settings(tmp_path, tiny_profile).model_copy(update={"redis_url": SecretStr(redis.url)})
    assert found(given, "Redis").found.startswith("it answers")
    redis.kill()
    gone = found(given, "Redis")
    assert gone.todo == "start it, or change redis_url"
    assert not gone.optional
