"""`ohlora …`: parses and delegates."""

import asyncio
import io
import sys
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from bot import (
    backup_cli,
    config,
    data_cli,
    dead_cli,
    evaluation_cli,
    logs,
    models_cli,
    person_cli,
    record_cli,
    reload_cli,
    training_cli,
)
from core.errors import OhLoraError

if TYPE_CHECKING:
    from bot.serving import Build

# modules of pyproject's extras that commands import
_EXTRAS = {
    "asyncpg": "postgres",
    "redis": "redis",
    **dict.fromkeys(("accelerate", "datasets", "jinja2", "trl"), "train"),
    **dict.fromkeys(("peft", "sentence_transformers", "torch", "transformers"), "local"),
}

app = typer.Typer(name="ohlora", help="오로라 (Oh-LoRA), a Korean virtual human to talk with.", no_args_is_help=True)
app.add_typer(training_cli.train, name="train")
app.add_typer(models_cli.models, name="models")
app.add_typer(evaluation_cli.app, name="evaluate")
app.add_typer(data_cli.data, name="data")
app.add_typer(record_cli.record, name="record")
app.add_typer(person_cli.person, name="person")
app.add_typer(dead_cli.dead, name="dead")
app.command()(backup_cli.backup)
app.command()(backup_cli.restore)
app.command()(reload_cli.reload)


@app.command()
def chat() -> None:
    """Talk with her in this terminal."""
    from bot.adapters.console import ConsoleAdapter
    from bot.app import build

    settings = _settings("chat")
    _serve("chat", settings, partial(build, settings, [ConsoleAdapter()]))


@app.command()
def run() -> None:
    """Serve every platform that has a token, all in one process."""
    from bot.app import build
    from bot.platforms import adapters

    settings = _settings("run")
    _serve("run", settings, partial(build, settings, adapters(settings)))


@app.command()
def gateway() -> None:
    """Talk to every platform that has a token; workers find the replies. Needs Redis."""
    from bot.dispatch.wiring import build_gateway
    from bot.platforms import adapters

    settings = _settings("gateway")
    _serve("gateway", settings, partial(build_gateway, settings, adapters(settings)))


@app.command()
def worker(
    tasks: Annotated[
        str,
        typer.Option(
            help="Serve these tasks and encoders of the models to other workers, instead of finding replies; with "
            "commas between: output_message,summary,ethics_encoder …"
        ),
    ] = "",
) -> None:
    """Find replies for gateways, which needs Redis; or with --tasks serve models to other workers."""
    settings = _settings("worker")
    if tasks:
        from bot.model_service.run import build_model_service, chosen

        _serve("models", settings, partial(build_model_service, settings, chosen(tasks)))
    else:
        from bot.dispatch.wiring import build_worker

        _serve("worker", settings, partial(build_worker, settings))


@app.command("config")
def show_config() -> None:
    """Print the effective settings, secrets hidden."""
    Console().print_json(data=_settings().shown())


@app.command()
def doctor() -> None:
    """Say what is installed, which models and device are used, and what is missing."""
    from bot.doctor import report

    Console().print(report(_settings()), crop=False)  # addresses stay whole


def _serve(role: str, settings: config.Settings, build: "Build") -> None:
    """Until it is done, or SIGTERM: then what is under way is finished, and the rest is in the record."""
    from bot.serving import serve

    with suppress(asyncio.CancelledError):
        asyncio.run(serve(role, settings, build))


def _settings(role: str = "") -> config.Settings:
    settings = config.load()
    logs.configure(settings, role)
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
