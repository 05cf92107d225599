"""What goes wrong between her and Discord, each in a town of its own."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks._discord_town import Town, town
from benchmarks._figures import Figures
from benchmarks._marks import Said, Tally, together
from benchmarks._platform import answered

# of the requests that post a message
_REQUESTS: dict[str, dict[str, Any]] = {
    "429": {"kind": "rate_limited"},
    "500": {"kind": "status", "status": 500},
    "hang after accepting": {"kind": "hang"},
    "cut after accepting": {"kind": "cut"},
}
_LONGEST_429_S = 5.0
_KILLS = ("after-commit", "after-begin")
_NEIGHBOURS = 6
_TOWNS = 4

# so many times in a town; how often it really struck
Work = Callable[[Town, int], Awaitable[int]]


async def faults(times: int, seed: int, folder: Path, options: Sequence[str], figures: Figures) -> None:
    """All of them, each `times` times, side by side: most of the time is waiting."""
    rounds: dict[str, Work] = {
        "resumed": partial(_broken, ("drop",), "resumed"),
        "invalid session": partial(_broken, ("invalid", "forget"), "identified"),
        "killed": partial(_killed, random.Random(seed)),
    }
    async with asyncio.TaskGroup() as group:
        group.create_task(_requests(times, random.Random(seed), folder, options, figures))
        for name, work in rounds.items():
            group.create_task(_side_by_side(name, work, times, folder, options, figures))


async def _requests(times: int, rng: random.Random, folder: Path, options: Sequence[str], figures: Figures) -> None:
    """Each fault meets the first of two messages of a person who has it alone; all at the same time."""
    async with town(folder / "requests", times * len(_REQUESTS), *options) as place:
        said: dict[str, list[Said]] = {}
        for number, (name, fault) in enumerate(_REQUESTS.items()):
            persons = range(number * times, (number + 1) * times)
            for person in persons:
                path = f"^/channels/{place.dms[person]}/messages$"
                seconds = rng.uniform(1.0, _LONGEST_429_S)
                await place.discord.tell("fault", {**fault, "method": "POST", "path": path, "retry_after": seconds})
            said[name] = [place.privately(person) for _ in range(2) for person in persons]
        await place.start()
        await place.say(place.voices.said)
        await place.settle()
        report = await place.judge(figures)
        for number, (name, theirs) in enumerate(said.items()):
            struck = sum(report["faults"][number * times : (number + 1) * times])
            figures.add(name, await place.verdict(theirs), struck)


async def _side_by_side(
    name: str, work: Work, times: int, folder: Path, options: Sequence[str], figures: Figures
) -> None:
    """Every round takes seconds: some towns share them."""
    shares = [share for number in range(_TOWNS) if (share := len(range(number, times, _TOWNS)))]

    async def live(number: int, share: int) -> tuple[Tally, int]:
        async with town(folder / f"{name} {number}", _NEIGHBOURS, *options) as place:
            await place.start()  # private chats that nobody ever heard of cannot be read back
            await _talk(place, [place.privately(person) for person in range(_NEIGHBOURS)])
            struck = await work(place, share)
            await place.settle()
            await place.judge(figures)
            return await place.verdict(place.voices.said), struck

    tallies, struck = zip(*await asyncio.gather(*(live(*one) for one in enumerate(shares))), strict=True)
    figures.add(name, together(tallies), sum(struck))


async def _talk(place: Town, said: Sequence[Said]) -> None:
    """Until everything is answered."""
    await place.say(said)
    await answered(place.shown, place.voices.said, place.service)


async def _broken(commands: Sequence[str], figure: str, place: Town, times: int) -> int:
    """People go on talking, in private chats and in her channel, before, while and after she is gone."""
    before = (await place.discord.ask("report"))[figure]
    for number in range(times):
        await place.say(_a_few(place, number))
        await place.discord.tell("gateway", {"command": commands[number % len(commands)]})
        await place.say(_a_few(place, number + 1))
        await place.connected()
        await _talk(place, _a_few(place, number + 2))
    return int((await place.discord.ask("report"))[figure] - before)


async def _killed(rng: random.Random, place: Town, times: int) -> int:
    """Somewhere between a commit and a send; the next life begins while people go on talking."""
    await place.service.stop()
    for number in range(times):
        batch = [*_a_few(place, number), *_a_few(place, number + 1)]
        await place.service.start("--die", f"{_KILLS[number % len(_KILLS)]}:{rng.randint(1, len(batch))}")
        await place.connected()
        await place.say(batch)
        await place.service.dies()
        await place.say(_a_few(place, number + 2))
        await place.start()
        await _talk(place, _a_few(place, number + 3))
        if number < times - 1:
            await place.service.stop()
    return times


def _a_few(place: Town, number: int) -> list[Said]:
    """Two people privately, two in her channel."""
    first, second, third, fourth = ((number + step) % _NEIGHBOURS for step in range(4))
    return [
        place.privately(first),
        place.in_channel(second, 0),
        place.privately(third),
        place.in_channel(fourth, 0),
    ]
