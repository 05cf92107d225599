"""`ohlora models list|pull|verify|path` against a stand-in of the hub."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from huggingface_hub import constants
from safetensors.numpy import save
from typer.testing import CliRunner

from bot import cli
from core.errors import ConfigurationError
from tests.bot.model_hub import Files, ModelHub

ROOT = Path(__file__).parents[2]
POLYGLOT = "EleutherAI/polyglot-ko-1.3b"
# what breaks off before this many bytes begins again, as huggingface_hub reads in pieces of so many
PIECE = 10 * 2**20


def model(value: int = 1, numbers: int = 8) -> dict[str, bytes]:
    return {
        "config.json": b'{"model_type": "gpt_neox"}',
        "tokenizer.json": b"{}",
        "README.md": b"a card",
        "model.safetensors": save({"weight": np.full(numbers, value, np.float32)}),
        "pytorch_model.bin": b"pickled",
        "run_me.py": b"print('never')",
    }


def inside(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@dataclass
class Shell:
    """`ohlora models …`, in a thread so that the hub can answer meanwhile."""

    hub: ModelHub
    address: str
    home: Path

    @property
    def data(self) -> Path:
        return self.home / "data"

    async def ok(self, *arguments: str) -> str:
        """What it prints."""
        result = await asyncio.to_thread(CliRunner().invoke, cli.app, ["models", *arguments])
        assert result.exit_code == 0, result.exception
        return result.stdout.strip()

    async def fails(self, *arguments: str) -> str:
        """The one sentence."""
        result = await asyncio.to_thread(CliRunner().invoke, cli.app, ["models", *arguments])
        assert isinstance(result.exception, ConfigurationError)
        assert result.stdout == ""
        return str(result.exception)


@pytest_asyncio.fixture
async def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shell]:
    hub = ModelHub()
    monkeypatch.setenv("OHLORA_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    async with hub.serve() as address:
        point_at(address, tmp_path, monkeypatch)
        yield Shell(hub, address, tmp_path)


def point_at(address: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What HF_ENDPOINT and HF_HOME do, which are read when huggingface_hub is imported."""
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(home / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)


async def test_the_hub_is_the_one_of_the_environment(shell: Shell) -> None:
    shell.hub.publish(POLYGLOT, model())
    environment = {**os.environ, "HF_HOME": str(shell.home / "home"), "HF_ENDPOINT": shell.address}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "ignore", "-m", "bot.cli", "models", "pull", "polyglot-ko-1.3b",
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode == 0, err
    assert b"100%" in err  # the progress bar
    assert inside(Path(out.decode().strip())) == {"README.md", "config.json", "model.safetensors", "tokenizer.json"}


async def test_a_model_is_pulled_once_and_stays_at_its_commit(shell: Shell) -> None:
    commit = shell.hub.publish(POLYGLOT, model(1))
    folder = Path(await shell.ok("pull", "polyglot-ko-1.3b"))
    lock = json.loads((folder.parents[1] / "ohlora-main.lock.json").read_text(encoding="utf-8"))
    assert (lock["revision"], lock["commit"]) == ("main", commit)
    assert set(lock["files"]) == inside(folder)

    asked = shell.hub.requests
    assert await shell.ok("path", "polyglot-ko-1.3b") == str(folder)
    assert f"4 files, as pulled, commit {commit}" in await shell.ok("verify", POLYGLOT)
    assert commit[:8] in await shell.ok("list")
    assert await shell.ok("pull", "polyglot-ko-1.3b") == str(folder)
    assert shell.hub.requests == asked

    newer = shell.hub.publish(POLYGLOT, model(2))
    (folder / "model.safetensors").resolve().write_bytes(model(3)["model.safetensors"])
    assert "was altered" in await shell.fails("verify", "polyglot-ko-1.3b")
    assert await shell.ok("pull", "polyglot-ko-1.3b") == str(folder)
    assert (folder / "model.safetensors").read_bytes() == model(1)["model.safetensors"]
    assert newer in await shell.ok("pull", f"{POLYGLOT}@{newer}")


async def test_a_connection_that_breaks_is_taken_up_where_it_broke(shell: Shell) -> None:
    files = model(numbers=(PIECE + 2**20) // 4)
    shell.hub.publish(POLYGLOT, files)
    shell.hub.cuts["model.safetensors"] = PIECE + 2**19
    folder = Path(await shell.ok("pull", "polyglot-ko-1.3b"))
    assert (folder / "model.safetensors").read_bytes() == files["model.safetensors"]
    ranges = [asked for name, asked in shell.hub.downloads if name == "model.safetensors"]
    assert ranges == [None, f"bytes={PIECE}-"]


async def test_without_the_hub_one_sentence_says_what_to_do(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    point_at("http://127.0.0.1:9", shell.home, monkeypatch)
    said = await shell.fails("pull", "polyglot-ko-1.3b")
    assert "could not be downloaded from http://127.0.0.1:9" in said
    assert f"copy models--EleutherAI--polyglot-ko-1.3b to {shell.home / 'hub'}" in said
    assert "run `ohlora models pull polyglot-ko-1.3b`" in await shell.fails("path", "polyglot-ko-1.3b")
    assert "run `ohlora models pull polyglot-ko-1.3b`" in await shell.fails("verify", "polyglot-ko-1.3b")


@pytest.mark.parametrize(
    ("name", "files", "said"),
    [
        ("owner/pickled", {"config.json": b"{}", "pytorch_model.bin": b"x"}, "pickled (pytorch_model.bin)"),
        ("owner/empty", {"config.json": b"{}"}, "it has no weights"),
        ("owner/missing", None, "there is no http://"),
        ("owner/model@nowhere", {"model.safetensors": b"x"}, "has no revision nowhere"),
        ("no name", None, "is no repository"),
    ],
)
async def test_what_cannot_be_pulled_is_refused_in_one_sentence(
    name: str, files: Files | None, said: str, shell: Shell
) -> None:
    if files is not None:
        shell.hub.publish(name.partition("@")[0], files)
    assert said in await shell.fails("pull", name)
    assert not shell.hub.downloads


@pytest.mark.parametrize("name", ["gemma-2-2b-it", "owner/another-gemma"])
async def test_terms_are_shown_then_accepted_once_and_that_is_kept(name: str, shell: Shell) -> None:
    shell.hub.publish("google/gemma-2-2b-it", model(), "gemma")
    shell.hub.publish("owner/another-gemma", model(), "gemma")
    said = await shell.fails("pull", name)
    assert "https://ai.google.dev/gemma/terms" in said
    assert "--accept-license gemma" in said
    assert "not free" in await shell.fails("pull", name, "--accept-license", "apache-2.0")
    assert not shell.hub.downloads

    await shell.ok("pull", name, "--accept-license", "gemma")
    record = json.loads((shell.data / "licences.json").read_text(encoding="utf-8"))
    assert record["gemma"]["accepted"].startswith("20")
    await shell.ok("pull", "gemma-2-2b-it")


async def test_an_adapter_goes_where_training_would_put_it_and_is_checked_first(
    shell: Shell, tiny_profile: Path
) -> None:
    shell.hub.publish(POLYGLOT, {path.name: path.read_bytes() for path in (tiny_profile / "base").iterdir()})
    shell.hub.publish("owner/adapters", {f"v1/{name}": content for name, content in _adapter(tiny_profile)})
    shell.hub.publish("owner/other", dict(_adapter(tiny_profile, {"r": 8})))
    assert "ohlora models pull polyglot-ko-1.3b" in await shell.fails(
        "pull", "original-memory", "--from", "owner/adapters/v1"
    )
    await shell.ok("pull", "polyglot-ko-1.3b")
    assert "--from" in await shell.fails("pull", "original-memory")
    assert "does not fit" in await shell.fails("pull", "original-memory", "--from", "owner/other")

    folder = Path(await shell.ok("pull", "original-memory", "--from", "owner/adapters/v1"))
    assert folder == shell.data / "models" / "polyglot-ko-1.3b" / "adapters" / "memory"
    assert inside(folder) == {"adapter_config.json", "adapter_model.safetensors"}
    assert await shell.ok("path", "original-memory") == str(folder)
    assert "2 files, as pulled" in await shell.ok("verify", "original-memory")
    assert "2 files, as pulled" in await shell.ok("verify", str(folder))
    (folder.parent / "memory.lock.json").unlink()
    assert "move it away" in await shell.fails("pull", "original-memory", "--from", "owner/adapters/v1")


async def test_the_configured_profile_is_verified_with_its_adapters(shell: Shell, tiny_profile: Path) -> None:
    assert f"{tiny_profile}: " in await shell.ok("verify", str(tiny_profile))
    assert "bundled" in await shell.ok("path", "bundled")


def _adapter(profile: Path, changed: dict[str, int] | None = None) -> list[tuple[str, bytes]]:
    """The files of an adapter whose configuration names a base on another computer."""
    folder = profile / "adapters" / "memory"
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    config |= {"base_model_name_or_path": "C:\\Users\\someone\\models\\polyglot", **(changed or {})}
    weights = (folder / "adapter_model.safetensors").read_bytes()
    return [("adapter_config.json", json.dumps(config).encode()), ("adapter_model.safetensors", weights)]
