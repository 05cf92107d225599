"""`ohlora …`: parses and delegates."""

import asyncio
import io
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from bot import config, data_cli, evaluation_cli, logs, models_cli, record_cli, training_cli
from core.errors import OhLoraError

if TYPE_CHECKING:
    from bot.adapters.base import Adapter

# modules of pyproject's extras that commands import
_EXTRAS = {
    "asyncpg": "postgres",
    **dict.fromkeys(("accelerate", "datasets", "jinja2", "trl"), "train"),
    **dict.fromkeys(("peft", "sentence_transformers", "torch", "transformers"), "local"),
}

app = typer.Typer(name="ohlora", help="오로라 (Oh-LoRA), a Korean virtual human to talk with.", no_args_is_help=True)
app.add_typer(training_cli.train, name="train")
app.add_typer(models_cli.models, name="models")
app.add_typer(evaluation_cli.app, name="evaluate")
app.add_typer(data_cli.data, name="data")
app.add_typer(record_cli.record, name="record")


@app.command()
def chat() -> None:
    """Talk with her in this terminal."""
    from bot.adapters.console import ConsoleAdapter

    _serve(_settings(), [ConsoleAdapter()])


@app.command()
def run() -> None:
    """Serve every platform that has a token."""
    from bot.platforms import adapters

    settings = _settings()
    _serve(settings, adapters(settings))


@app.command("config")
def show_config() -> None:
    """Print the effective settings, secrets hidden."""
    Console().print_json(data=_settings().shown())


@app.command()
def doctor() -> None:
    """Say what is installed, which models and device are used, and what is missing."""
    from bot.doctor import report

    Console().print(report(_settings()), crop=False)  # addresses stay whole


def _serve(settings: config.Settings, adapters: "Sequence[Adapter]") -> None:
    from bot.app import build

    async def serve() -> None:
        task = asyncio.current_task()
        assert task is not None
        with suppress(NotImplementedError):  # Windows; there Ctrl-C has to do
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        async with build(settings, adapters) as service:
            await service.run()

    with suppress(asyncio.CancelledError):  # SIGTERM: what was under way is finished, the rest is in the record
        asyncio.run(serve())


def _settings() -> config.Settings:
    settings = config.load()
    logs.configure(settings)
    return settings


def main() -> None:
    """The `ohlora` command: errors of ours are one sentence on standard error and exit code 1."""
    for stream, errors in ((sys.stdin, "surrogateescape"), (sys.stdout, "replace"), (sys.stderr, "replace")):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors=errors)
    try:
        app()
    except OhLoraError as error:
        print(f"ohlora: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    except ModuleNotFoundError as error:
        if error.name not in _EXTRAS:
            raise
        needed = f"pip install -e '.[{_EXTRAS[error.name]}]'"
        print(f"ohlora: {error.name} is not installed; for this run {needed}", file=sys.stderr)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
