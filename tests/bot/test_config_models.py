"""Settings of models: which profile, and what model servers do."""

import json
import os
from pathlib import Path

import pytest

from bot import config
from core.errors import ConfigurationError
from models.registry import BUNDLED

KEY = "hush-hush"
URLS = 'urls = ["http://gpu1:8000/v1/", "https://gpu2/v1"]\n'
TASKS = 'tasks = { output_message = "answer", summary = "short", memory = "keep", eyes_mouth_pose = "face" }\n'
ENCODERS = 'encoders = { memory_encoder = "recall", ethics_encoder = "judge" }\n'


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder, and nothing of the host's own settings."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("OHLORA_")]:
        monkeypatch.delenv(name)


def remote(written: str) -> config.RemoteSettings:
    """The section as it is read from a file."""
    Path("ohlora.toml").write_text(f"[models.remote]\n{written}", encoding="utf-8")
    return config.load().models.remote


@pytest.mark.parametrize(
    ("given", "profile"),
    [("bundled", BUNDLED), ("~/mine", Path.home() / "mine"), ("original", Path("original")), ("a/b", Path("a/b"))],
)
def test_a_profile_is_a_name_or_a_folder(given: str, profile: Path) -> None:
    Path("ohlora.toml").write_text(f'[models]\nprofile = "{given}"\n', encoding="utf-8")
    assert config.load().models.profile == profile


def test_nothing_is_remote_unless_it_is_named() -> None:
    chosen = config.load().models
    assert (chosen.remote.urls, chosen.remote.names, chosen.everything_remote) == ([], [], False)


def test_what_is_named_is_remote_and_the_rest_stays_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OHLORA_MODELS__REMOTE__API_KEY", f" {KEY}\n")
    some = remote(URLS + TASKS + 'base = "kanana"\ntokenizer = "~/tokenizer.json"\n')
    assert some.urls == ["http://gpu1:8000/v1", "https://gpu2/v1"]
    assert some.names == ["answer", "face", "kanana", "keep", "short"]
    assert some.api_key.get_secret_value() == KEY
    assert some.tokenizer == Path.home() / "tokenizer.json"
    assert not config.load().models.everything_remote
    assert remote(URLS + TASKS + ENCODERS).lanes == {"memory_encoder", "ethics_encoder", *some.tasks}
    assert config.load().models.everything_remote


def test_single_tasks_are_served_from_elsewhere() -> None:
    Path("ohlora.toml").write_text('[models.tasks]\nmemory = "original"\nsummary = "/models/mine"\n', encoding="utf-8")
    assert config.load().models.instead == {"memory": "original", "summary": "/models/mine"}


def test_a_task_has_one_place() -> None:
    with pytest.raises(ConfigurationError, match=r"memory: named in tasks and in remote\.tasks"):
        remote(f'{URLS}{TASKS}[models.tasks]\nmemory = "original"\n')


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (URLS, "models.remote: urls and the tasks or encoders they serve belong together"),
        (ENCODERS, "models.remote: urls and the tasks or encoders they serve belong together"),
        ('urls = ["gpu1:8000"]\n' + TASKS, "models.remote.urls.0: this is no address of a model server"),
        ('urls = ["http://:80/v1"]\n' + TASKS, "models.remote.urls.0: this is no address of a model server"),
        ('urls = ["http://gpu1:99999/v1"]\n' + TASKS, "models.remote.urls.0"),
        (f'urls = ["http://:{KEY}@gpu1/v1"]\n' + TASKS, "models.remote.urls.0: this is no address of a model server"),
        (URLS + 'tasks = { answers = "x" }\n', "models.remote.tasks.answers"),
        (URLS + 'tasks = { summary = "" }\n', "models.remote.tasks.summary"),
        (URLS + TASKS + "timeout_s = 0\n", "models.remote.timeout_s"),
        (URLS + TASKS + f'api_key = "{KEY} {KEY}"\n', "models.remote.api_key: a key is one word"),
        (URLS + TASKS + f'api_key = "{KEY}\u200b"\n', "models.remote.api_key: a key is one word"),
        (URLS + TASKS + "retries = 3\n", "models.remote.retries: Extra inputs are not permitted"),
    ],
)
def test_a_bad_value_gives_one_sentence_without_the_key(written: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        remote(written)
    assert said in str(error.value)
    assert "\n" not in str(error.value)
    assert KEY not in str(error.value)


def test_the_key_is_hidden_wherever_settings_are_shown() -> None:
    remote(URLS + TASKS + f'api_key = "{KEY}"\n')
    settings = config.load()
    assert settings.secrets() == [KEY]
    assert KEY not in json.dumps(settings.shown()) + repr(settings)
