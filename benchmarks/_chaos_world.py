"""What every part of the benchmark needs: people who talk, processes, and the question what is left to do."""

import asyncio
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

from benchmarks._chaos_check import Ask, Verdict, check, unfinished, unknown
from benchmarks._chaos_house import House, Node
from benchmarks._chaos_platform import Platform, Said, serve

PEOPLE = 24
# of their own, to see from when on new messages are answered
PROBES = 8
_LOOK_S = 1.0
_EVER_S = 3600.0


@dataclass
class Outcome:
    """What a part found. `seconds`: of every recovery or stop, at most `limit_s`. `missed`: what else went wrong."""

    name: str
    times: int
    limit_s: float
    seconds: list[float] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)
    ended: Counter[str] = field(default_factory=Counter)
    stopped: Counter[int] = field(default_factory=Counter)
    figures: dict[str, float] = field(default_factory=dict)

    def add(self, verdict: Verdict) -> None:
        """What was found afterwards."""
        self.counts.update(verdict.counts)
        self.missed += verdict.complaints

    @asynccontextmanager
    async def folder(self) -> AsyncIterator[Path]:
        """For records and logs; it stays when something went wrong."""
        folder = Path(tempfile.mkdtemp(prefix="ohlora-chaos-"))
        try:
            yield folder
        except BaseException:
            self.told(f"records and logs are in {folder}")
            raise
        if self.missed:
            self.told(f"records and logs are in {folder}")
        else:
            shutil.rmtree(folder)

    def told(self, line: str) -> None:
        """For people who wait."""
        print(f"{self.name}: {line}", file=sys.stderr, flush=True)

    def count(self, what: str, times: int = 1) -> None:
        """It happened so many times more."""
        self.figures[what] = self.figures.get(what, 0) + times

    def close(self, house: House) -> None:
        """How its processes ended."""
        self.ended.update(house.ended)
        self.stopped.update(house.stopped)
        self.missed += [f"ended unasked: {who}" for who in house.ended]
        self.missed += [f"ended with {status} after SIGTERM" for status in house.stopped if status]

    def took(self, what: str, seconds: float) -> None:
        """A recovery or a stop."""
        self.seconds.append(seconds)
        if seconds > self.limit_s:
            self.missed.append(f"{what}: {seconds:.1f} s, and not {self.limit_s:.0f} s")


@dataclass
class World:
    """`ask`: reads the record as it is now."""

    house: House
    platforms: Sequence[Platform]
    ask: Ask

    @asynccontextmanager
    async def talking(self, per_s: float) -> AsyncIterator[None]:
        """Everybody in turn says something, whatever came back, `per_s` messages a second all together."""
        task = asyncio.create_task(self._talk(per_s))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _talk(self, per_s: float) -> None:
        begin = time.monotonic()
        for number, (platform, user_id) in enumerate(cycle(self.people("person", PEOPLE))):
            await asyncio.sleep(begin + number / per_s - time.monotonic())
            platform.say(user_id)

    def people(self, kind: str, each: int) -> Iterator[tuple[Platform, str]]:
        """So many on each platform."""
        return ((platform, f"{kind} {number}") for number in range(each) for platform in self.platforms)

    async def up(self, within_s: float = 30.0) -> None:
        """Until the first round of people has answers. Raises RuntimeError after `within_s`."""
        first = [platform.say(user_id) for platform, user_id in self.people("person", PEOPLE)]
        if not await self.answered(first, within_s):
            raise RuntimeError("nobody answers; see the logs")

    async def until(self, done: Callable[[], bool], within_s: float) -> bool:
        """Wait for `done`, asked whenever something was accepted or shown; whether it came in time."""
        news = self.platforms[0].news
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while not done():
                    news.clear()
                    await news.wait()
        return done()

    async def answered(self, said: Sequence[Said], within_s: float) -> bool:
        """Wait until each of these messages has something shown for it."""
        return await self.until(lambda: all(one.shown for one in said), within_s)

    async def everybody_answered(self, within_s: float = 30.0) -> bool:
        """Wait until something was shown for every message."""
        return await self.until(lambda: not any(platform.unanswered for platform in self.platforms), within_s)

    async def recovered(self, within_s: float = 60.0) -> float:
        """Seconds from now until everybody who asks now was answered; sentences do not count, and they ask again."""
        begin = time.monotonic()
        probes = [self._probe(platform, user_id) for platform, user_id in self.people("probe", PROBES)]
        try:
            async with asyncio.timeout(within_s):
                return max(await asyncio.gather(*probes)) - begin
        except TimeoutError:
            return within_s

    async def _probe(self, platform: Platform, user_id: str) -> float:
        while True:
            said = platform.say(user_id)
            await self.answered([said], _EVER_S)
            if said.shown and not said.shown[0].sentence:
                return said.shown[0].at

    async def settled(self, within_s: float = 90.0) -> float:
        """Seconds until nothing was left to do, on the platforms and in the record; `within_s` when that never came."""
        begin = time.monotonic()
        while (passed := time.monotonic() - begin) < within_s:
            await self.everybody_answered(_LOOK_S)
            open_ = {(platform.name, message_id) for platform in self.platforms for message_id in platform.unanswered}
            left = await asyncio.to_thread(unfinished, self.ask)
            if not any(left.values()) and open_ <= await asyncio.to_thread(unknown, self.ask):
                return passed
            await asyncio.sleep(_LOOK_S / 4)
        return within_s

    async def checked(self) -> Verdict:
        """What everybody saw, against what the record says now."""
        return await asyncio.to_thread(check, self.ask, self.platforms)


def both_kinds() -> tuple[Platform, Platform]:
    """One platform that shows what is sent twice twice, and one that recognises it."""
    news = asyncio.Event()
    return Platform("plain", recognises=False, news=news), Platform("knowing", recognises=True, news=news)


def recognising(platforms: Sequence[Platform]) -> dict[str, bool]:
    """As nodes take them."""
    return {platform.name: platform.recognises for platform in platforms}


@asynccontextmanager
async def single(folder: Path, record: Path, takes_s: float) -> AsyncIterator[tuple[World, Node]]:
    """One process over a SQLite file, and no server. `takes_s`: a completion."""
    platforms, socket = both_kinds(), folder / "platforms.sock"

    def ask(query: str) -> list[list[str]]:
        with closing(sqlite3.connect(f"file:{record}?mode=ro", uri=True, timeout=60)) as database:
            return [[str(value) for value in row] for row in database.execute(query)]

    node = Node("single", "run", str(socket), f"sqlite+aiosqlite:///{record}", recognising(platforms), takes_s=takes_s)
    async with serve(socket, *platforms), House(folder) as house:
        world = World(house, platforms, ask)
        await house.start(node)
        await world.up()
        yield world, node
