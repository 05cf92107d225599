"""The real service with its default models: how quickly she replies, and where the time of a turn goes (README.md)."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # `python benchmarks/turn.py` works as well as `-m`

import numpy as np
import psutil
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks._stages import STAGES, Stopwatch, TurnTimes, time_stages
from bot.adapters.base import Begin, Host
from bot.adapters.desk import Rows
from bot.app import build
from bot.config import Settings, load
from core.errors import DeliveryRefused, OhLoraError
from core.messages import ChatKey, IncomingMessage, Notice, PersonKey, Reply

ROOT = Path(__file__).resolve().parents[1]
REPLY_LINE = "오로라 "
LONGEST_START_S = 600
TICK_S = 0.001
MEBIBYTE = 1024 * 1024

MESSAGES = (
    "안녕 로라야", "오늘 뭐 했어?", "나는 방금 점심 먹었어", "너는 무슨 음식 좋아해?", "요즘 날씨가 너무 좋다",
    "주말에 친구랑 카페 가기로 했어", "MBTI가 뭐야?", "나 어제 영화 봤는데 진짜 재밌었어", "노래 추천해 줄래?",
    "에스파 좋아해?", "내일 면접이라서 떨려", "잘할 수 있을까?", "고마워 힘이 난다", "우리 집 강아지 이름은 보리야",
    "몇 살이야?", "생일이 언제야?", "나도 컴퓨터 공부하고 있어", "파이썬 어려워 ㅠㅠ", "오늘은 좀 피곤하네",
    "커피 마실까 말까 고민이야", "저녁에 뭐 먹으면 좋을까?", "나는 떡볶이가 제일 좋아", "지금 뭐 하고 있어?",
    "어느 학교 다녀?", "친한 친구 있어?", "운동을 시작해 보려고 해", "비 오는 날 좋아해?", "여행 가고 싶다",
    "이제 자러 갈게", "잘 자 로라야",
)  # fmt: skip


@dataclass
class BenchAdapter:
    """bot.adapters.base.Adapter: one person in a private chat who says the next thing when the last turn is over."""

    watch: Stopwatch
    platform: str = "bench"
    recognises_for: timedelta = timedelta(0)
    connected: bool = True
    stall_s: float = 0.0
    rss_bytes: int = 0

    async def open(self, host: Host) -> None:
        """Nobody has to be asked."""
        self._host = host

    async def run(self) -> None:
        """All messages, one after another, while a ticker watches the event loop."""
        ticker = asyncio.create_task(self._tick())
        for text in track(MESSAGES, "turns", console=Console(stderr=True)):
            times = self.watch.begin()
            await (await self._host.messages.receive(self._message(text)))
            times.end = time.perf_counter()
        self.rss_bytes = _resident()
        ticker.cancel()
        await asyncio.gather(ticker, return_exceptions=True)

    async def close(self) -> None:
        """Nothing was opened."""

    async def post(self, reply: Reply, begin: Begin) -> None:
        """The person sees it now."""
        await begin()
        times = self.watch.turns[-1]
        times.posted, times.answered = time.perf_counter(), bool(reply.text)

    async def tell(self, person: PersonKey, text: str) -> None:
        """Nobody is here but whoever talks."""
        raise DeliveryRefused(f"{person.user_id} takes nothing here")

    async def write(self, chat_id: str, text: str, buttons: Rows = (), message_id: str = "") -> str:
        """There are no chats."""
        raise DeliveryRefused(f"there is no chat {chat_id!r} here")

    async def hold(self, message: IncomingMessage, notice: Notice) -> None:
        """Nobody looks."""

    @contextlib.asynccontextmanager
    async def typing(self, chat: ChatKey) -> AsyncIterator[None]:
        """Nobody looks."""
        del chat
        yield

    def _message(self, text: str) -> IncomingMessage:
        person, chat = PersonKey(self.platform, "one"), ChatKey(self.platform, "home", private=True)
        return IncomingMessage(person, chat, uuid.uuid4().hex, text, self._host.clock.now())

    async def _tick(self) -> None:
        """The longest that a task which wanted to go on after a millisecond had to wait beyond it."""
        while True:
            before = time.perf_counter()
            await asyncio.sleep(TICK_S)
            self.stall_s = max(self.stall_s, time.perf_counter() - before - TICK_S)


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="ohlora-turn-") as folder:
        first = first_reply_s(Path(folder) / "first")
        settings = load().model_copy(update=_apart(Path(folder) / "turns"))
        adapter = asyncio.run(_talk(settings))
    answered = [times for times in adapter.watch.turns if times.answered]
    if not answered:
        raise SystemExit("no message was answered; see the log above")
    _print_table(answered)
    print(json.dumps(_figures(first, answered, adapter)))


def first_reply_s(data_dir: Path) -> float:
    """Seconds from the start of `ohlora chat` in a new process to the line with her reply. Raises RuntimeError."""
    command = [sys.executable, "-m", "bot.cli", "chat"]
    start = time.perf_counter()
    with subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **_as_environment(data_dir)}, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, encoding="utf-8",
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        too_late = threading.Timer(LONGEST_START_S, process.kill)
        too_late.start()
        process.stdin.write("안녕\n")
        process.stdin.close()
        took = next((time.perf_counter() - start for line in process.stdout if line.startswith(REPLY_LINE)), None)
        process.stdout.read()
        code = process.wait()
        too_late.cancel()
    if took is None or code:
        raise RuntimeError(f"`{' '.join(command)}` gave no reply (exit status {code})")
    return took


async def _talk(settings: Settings) -> BenchAdapter:
    adapter = BenchAdapter(Stopwatch())
    async with build(settings, [adapter]) as app:
        time_stages(app, adapter.watch)
        await app.run()
    return adapter


def _apart(data_dir: Path) -> dict[str, object]:
    """Settings that keep the benchmark away from the host's own record and cache."""
    return {
        "data_dir": data_dir,
        "cache_dir": data_dir / "cache",
        "record_url": Settings.model_fields["record_url"].default,
    }


def _as_environment(data_dir: Path) -> dict[str, str]:
    return {"OHLORA_DATA_DIR": str(data_dir), "OHLORA_CACHE_DIR": str(data_dir / "cache"), "OHLORA_RECORD_URL": ""}


def _resident() -> int:
    """Bytes of this process and the device process; pages that they share count twice."""
    here = psutil.Process()
    return sum(int(process.memory_info().rss) for process in (here, *here.children(recursive=True)))


def _shares(answered: Iterable[TurnTimes]) -> dict[str, tuple[float, float]]:
    """Stage → (mean seconds, share of all turns' time)."""
    seconds = [times.stages() for times in answered]
    whole = sum(sum(stages.values()) for stages in seconds)
    sums = {stage: sum(stages[stage] for stages in seconds) for stage in STAGES}
    return {stage: (total / len(seconds), total / whole) for stage, total in sums.items()}


def _print_table(answered: list[TurnTimes]) -> None:
    table = Table(title=f"{len(answered)} turns", caption="delivery: begun before the reply is posted, marked after it")
    table.add_column("stage")
    table.add_column("mean ms", justify="right")
    table.add_column("share", justify="right")
    for stage, (mean, share) in _shares(answered).items():
        table.add_row(stage, f"{mean * 1000:.1f}", f"{share:.1%}")
    Console().print(table)


def _figures(first: float, answered: list[TurnTimes], adapter: BenchAdapter) -> dict[str, object]:
    median, p95 = np.percentile([times.reply_s for times in answered], (50, 95))
    return {
        "first_reply_s": round(first, 3),
        "median_reply_s": round(float(median), 3),
        "p95_reply_s": round(float(p95), 3),
        "rss_mb": round(adapter.rss_bytes / MEBIBYTE, 1),
        "loop_stall_ms": round(adapter.stall_s * 1000, 2),
        "cores": len(os.sched_getaffinity(0)),
        "turns": len(adapter.watch.turns),
        "answered": len(answered),
        "share": {stage: round(share, 4) for stage, (_, share) in _shares(answered).items()},
    }


if __name__ == "__main__":
    try:
        main()
    except (OhLoraError, RuntimeError) as error:
        raise SystemExit(f"benchmarks/turn.py: {error}") from error
