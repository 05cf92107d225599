"""The service of a platform benchmark as a process: real adapter and record, models that answer at once.

What she says repeats the mark of the message it answers. SIGTERM stops it as it stops `ohlora run`.
"""

import argparse
import asyncio
import logging
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, cast

from benchmarks._marks import mark_in, marked
from bot.adapters.base import Adapter
from bot.app import SystemClock, assemble
from bot.config import Settings, TurnSettings
from core import Models, tasks
from core.ethics import Thresholds
from core.messages import PlaceKey
from core.people import PlaceSettings
from core.ports import Prompt, TurnStore
from models.fakes import FakeEncoder, FakeLanguageModel
from storage.record import Record

# cosines lie in -1 … 1
_NEVER = 2.0
_QUICK_REQUEST_S = 3.0


class DyingTurns:
    """A TurnStore that kills this process at the `passing`-th passing of a point: "before-begin", "after-commit", …"""

    def __init__(self, inner: TurnStore, point: str, passing: int) -> None:
        self._inner = inner
        self._when, _, self._method = point.partition("-")
        self._left = passing

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        return partial(self._passed, method) if name == self._method else method

    async def _passed(self, method: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        self._left -= 1
        last = self._left == 0
        if last and self._when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = await method(*arguments)
        if last:
            os.kill(os.getpid(), signal.SIGKILL)
        return result


def rule(prompt: Prompt) -> str:
    """models.fakes.Rule: everything written about a message carries its mark."""
    mark = mark_in(prompt.text)
    said = f"응, {marked(mark)} 잘 들었어!" if mark is not None else "응!"
    written = {
        tasks.OUTPUT_MESSAGE.name: said,
        tasks.MEMORY.name: "",
        tasks.SUMMARY.name: f"{said} 라고 했다",
        tasks.EYES_MOUTH_POSE.name: tasks.face_text(tasks.EYES_MOUTH_POSE.fallback),
    }[prompt.task]
    return f"{written} {prompt.stop}"


async def serve(given: argparse.Namespace) -> None:
    """Until SIGTERM."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    # every default, whatever this host has set
    settings = Settings.model_construct(
        data_dir=given.folder, cache_dir=given.faces, turn=TurnSettings(line=given.line), log_level="INFO"
    )
    thinking = Models(FakeLanguageModel(rule), FakeEncoder(), _NEVER, FakeEncoder(), Thresholds(), None, "marks")
    async with await Record.open(f"sqlite+aiosqlite:///{given.folder / 'ohlora.db'}") as record:
        for place in given.her_channel:
            place_id, _, channel = place.partition(":")
            chosen = PlaceSettings(channels=frozenset({channel}))
            await record.places.change(PlaceKey(given.platform, place_id), chosen)
        if given.die is not None:
            point, _, passing = given.die.partition(":")
            record.turns = cast(Any, DyingTurns(record.turns, point, int(passing)))
        await assemble(settings, record, thinking, [_adapter(given)], SystemClock()).run()


def _adapter(given: argparse.Namespace) -> Adapter:
    if given.platform == "discord":
        from bot.adapters.discord import DiscordAdapter

        if given.quick:
            _hurry_discord()
        return DiscordAdapter(given.token, given.url, given.gateway_url)
    from bot.adapters.telegram import TelegramAdapter

    return TelegramAdapter(given.token, given.url, pace_scale=given.pace_scale)


def _hurry_discord() -> None:
    """The pause before a new session and the time for a request are shortened, for a quick look."""
    import discord

    from bot.adapters.discord import delivery

    async def at_once(self: discord.Client, shard_id: int | None, *, initial: bool = False) -> None:
        """Discord wants five seconds."""

    delivery.REQUEST_S = _QUICK_REQUEST_S
    cast(Any, discord.Client).before_identify_hook = at_once


def main() -> None:
    """Parse, log to standard error, serve."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks._platform_service", description=__doc__)
    parser.add_argument("platform", choices=("discord", "telegram"))
    parser.add_argument("folder", type=Path, help="of the record")
    parser.add_argument("--faces", type=Path, required=True, help="folder of her drawn faces")
    parser.add_argument("--url", required=True)
    parser.add_argument("--gateway-url", default="")
    parser.add_argument("--token", required=True)
    parser.add_argument("--line", type=int, default=TurnSettings().line)
    parser.add_argument("--pace-scale", type=float, default=1.0)
    parser.add_argument("--her-channel", action="append", default=[], metavar="PLACE:CHANNEL")
    parser.add_argument("--die", metavar="POINT:PASSING", help="kill -9 at after-commit:3, before-begin:1, …")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--profile", type=Path, help="leave cProfile's figures here")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for name, least in (("discord", logging.WARNING), ("httpx", logging.WARNING), ("alembic", logging.WARNING)):
        logging.getLogger(name).setLevel(least)
    with suppress(asyncio.CancelledError):
        if given.profile is None:
            asyncio.run(serve(given))
        else:
            import cProfile

            profile = cProfile.Profile()
            try:
                profile.runcall(asyncio.run, serve(given))
            finally:
                profile.dump_stats(given.profile)


if __name__ == "__main__":
    main()
