"""`ohlora doctor`: one screen that says what is there, what is used, and what to do about what is missing.

It looks and never changes: no model is loaded, no database opened, no folder made.
"""

import asyncio
import os
import platform
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import psutil
from pydantic import SecretStr
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text
from sqlalchemy.engine import make_url

from bot.config import RemoteSettings, Settings
from core.errors import ConfigurationError, DispatchError
from models.model_servers import ModelServers
from models.serving import served_here

# distribution → the module that shows it is there; the first ones only where models run on this machine
_LOCAL = {
    "torch": "torch",
    "transformers": "transformers",
    "peft": "peft",
    "sentence-transformers": "sentence_transformers",
}
_REQUIRED = {
    "tokenizers": "tokenizers",
    "SQLAlchemy": "sqlalchemy",
    "aiosqlite": "aiosqlite",
    "resvg_py": "resvg_py",
    "rich": "rich",
    "discord.py": "discord",
    "python-telegram-bot": "telegram",
}
_TROUBLE, _OPTIONAL = "red", "yellow"
_REPAIR = "make run, which installs what is missing"
# what the bundled models need with everything around them (benchmarks/turn.py prints rss_mb)
_MEMORY_MB = 1200


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, what is there, and the one thing to do ("" when nothing is)."""

    name: str
    found: str
    todo: str = ""
    # not needed for a chat in the terminal
    optional: bool = False
    # an address to open, in a line of its own so that it can be copied whole
    link: str = ""


def report(settings: Settings) -> RenderableType:
    """One screen for people; secrets are never in it."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    findings = examine(settings)
    for finding in findings:
        color = "" if not finding.todo else _OPTIONAL if finding.optional else _TROUBLE
        text = Text(finding.found, style=color)
        if finding.todo:
            text.append(f"\n→ {finding.todo}", style="bold")
        table.add_row(Text(finding.name), text)
    broken = sum(bool(finding.todo) and not finding.optional for finding in findings)
    end = f"{broken} to repair before `ohlora chat` works well." if broken else "Ready: ohlora chat"
    links = [
        Text(f"\n{finding.name}: {finding.link}", no_wrap=True, overflow="ignore")
        for finding in findings
        if finding.link
    ]
    return Group(table, *links, Text(f"\n{end}", style=_TROUBLE if broken else "green"))


def examine(settings: Settings) -> list[Finding]:
    """Everything the report shows, in its order."""
    return [
        _python(),
        _packages({} if settings.models.everything_remote else _LOCAL),
        _machine(),
        _record(settings),
        *_models(settings),
        *_servers(settings.models.remote),
        _device(),
        _discord(settings.discord_token),
        _platform("Telegram", settings.telegram_token, "OHLORA_TELEGRAM_TOKEN", "to serve people there: ohlora run"),
        _redis(settings),
        _terminal(),
    ]


def _python() -> Finding:
    return Finding("Python", f"{platform.python_version()} ({platform.system()} {platform.machine()})")


def _packages(more: Mapping[str, str]) -> Finding:
    """Versions come from what pip wrote; importing torch for them would take seconds."""
    required = {**more, **_REQUIRED}
    missing = [name for name, module in required.items() if not version_of(name) or find_spec(module) is None]
    found = ", ".join(f"{name} {version_of(name) or 'missing'}" for name in required)
    return Finding("Packages", found, _REPAIR if missing else "")


def _machine() -> Finding:
    memory = psutil.virtual_memory()
    free = memory.available // 2**20
    found = f"{os.cpu_count()} cores, {_size(memory.total)} memory, {_size(memory.available)} of it free"
    return Finding("Machine", found, f"free at least {_MEMORY_MB} MB of memory" if free < _MEMORY_MB else "")


def _record(settings: Settings) -> Finding:
    url = make_url(settings.record)
    if not url.drivername.startswith("sqlite") or not url.database:
        missing = "" if find_spec("asyncpg") else "pip install -e '.[postgres]'"
        return Finding("Record", url.render_as_string(hide_password=True), missing)
    path = Path(url.database)
    place = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    state = _size(path.stat().st_size) if path.is_file() else "not there yet; the first start makes it"
    writable = os.access(place, os.W_OK) and (place != path or os.access(path.parent, os.W_OK))
    todo = "" if writable else f"allow this account to write to {place}, or set OHLORA_DATA_DIR to a folder of yours"
    return Finding("Record", f"{path} ({state}, {'writable' if writable else 'not writable'})", todo)


def _models(settings: Settings) -> list[Finding]:
    chosen = settings.models
    try:
        profile, weights = served_here(chosen.profile, chosen.instead, settings.models_dir, chosen.remote.lanes)
        if not weights:
            return []
        profile.verify(weights)
    except ConfigurationError as error:
        return [
            Finding("Models", str(error), "make bundled CORPUS=…, or set OHLORA_MODELS__PROFILE to another profile")
        ]
    places = ", ".join(sorted({str(profile.root), *(str(tuned.base.parent) for tuned in weights.tasks.values())}))
    folders = {*weights.by_base(), *weights.encoders.values(), *(tuned.adapter for tuned in weights.tasks.values())}
    size = sum(path.stat().st_size for folder in folders for path in folder.rglob("*.safetensors"))
    return [Finding("Models", f"{places} (complete, version {profile.version}, weights {_size(size)})")]


def _servers(remote: RemoteSettings) -> list[Finding]:
    """Whether the model servers have every model; none is asked to compute."""
    if not remote.urls:
        return []
    served = ", ".join(f"{name}: {model}" for name, model in [*remote.tasks.items(), *remote.encoders.items()])
    try:
        asyncio.run(_listed(remote))
    except ConfigurationError as error:
        return [Finding("Model servers", str(error), "start the servers with these models, or change models.remote")]
    return [Finding("Model servers", f"{', '.join(remote.urls)} ({served})")]


async def _listed(remote: RemoteSettings) -> None:
    async with ModelServers(remote.urls, remote.api_key.get_secret_value()) as servers:
        await servers.require(remote.names)


def _device() -> Finding:
    gpu = (
        "an NVIDIA GPU is visible (nvidia-smi found)"
        if shutil.which("nvidia-smi")
        else "no NVIDIA GPU is visible (nvidia-smi not found)"
    )
    return Finding("Device", f"CPU; {gpu}. The bundled models are small and run on the CPU; none is needed.")


def _platform(name: str, token: SecretStr | None, variable: str, purpose: str) -> Finding:
    if token is None or not token.get_secret_value():
        return Finding(name, "token not set", f"set {variable} {purpose}", optional=True)
    return Finding(name, "token set")


def _discord(token: SecretStr | None) -> Finding:
    from bot.adapters.discord import invite_link

    finding = _platform("Discord", token, "OHLORA_DISCORD_TOKEN", "to serve people there: ohlora run")
    if token is None or finding.todo:
        return finding
    if (link := invite_link(token.get_secret_value())) is None:
        return replace(finding, todo="this is no bot token: copy it once more from the developer portal", optional=True)
    return replace(finding, found="token set; to add her to a server, open the address below", link=link)


def _redis(settings: Settings) -> Finding:
    """Whether it answers, where gateways and workers are to meet in it."""
    installed, url = version_of("redis"), settings.redis_url.get_secret_value()
    if not url:
        unused = f"not used (redis-py {installed or 'not installed'}); only several processes need it"
        return Finding("Redis", unused, optional=True)
    if not installed:
        return Finding("Redis", "redis_url is set, but redis-py is not installed", "pip install -e '.[redis]'")
    try:
        asyncio.run(_answered(url))
    except DispatchError as error:
        return Finding("Redis", str(error), "start it, or change redis_url")
    return Finding("Redis", f"it answers (redis-py {installed})")


async def _answered(url: str) -> None:
    from storage.streams import Streams  # an extra

    async with Streams(url, partitions=1, incarnation="") as streams:
        await streams.ping()


def _terminal() -> Finding:
    console = Console()
    if not console.is_terminal:
        return Finding("Terminal", "the output is no terminal: plain text, no face")
    if not sys.stdout.encoding.lower().startswith("utf"):
        return Finding("Terminal", f"encoding {sys.stdout.encoding}", "set LANG to a UTF-8 locale", optional=True)
    color = console.color_system
    todo = "" if color == "truecolor" else "use a terminal with 24-bit colour (COLORTERM=truecolor) for her face"
    return Finding("Terminal", f"{console.width} columns, colour: {color or 'none'}", todo, optional=True)


def version_of(package: str) -> str:
    """The installed version of a distribution, "" when it is not installed; imports nothing."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GB" if count >= 2**30 else f"{count / 2**20:.1f} MB"
