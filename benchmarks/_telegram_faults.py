"""What goes wrong between her and Telegram, each in a town of its own."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks._figures import Figures
from benchmarks._marks import Said
from benchmarks._platform import answered
from benchmarks._telegram_town import Town, town

# of the requests that post a message
_REQUESTS: dict[str, dict[str, Any]] = {
    "429": {},
    "500": {"status": 500},
    "cut before accepting": {"cut": "before"},
    "cut after accepting": {"cut": "after"},
}
_SENDS = "sendMessage|sendPhoto|sendDocument"
_LONGEST_429_S = 5
_BEFORE_CONFIRM = ("before-receive", "after-receive")
_BEFORE_SEND = ("after-commit", "after-begin")
# how long after the confirmation; a chat's four replies take longer, as they are paced
_AFTER_CONFIRM_S = 0.1
_NEIGHBOURS = 6
_TURNS = 4
_WAIT_S = 60.0

Death = Callable[[Town, int, random.Random], Awaitable[None]]


async def faults(times: int, seed: int, folder: Path, options: Sequence[str], figures: Figures) -> None:
    """All of them, each `times` times, side by side: most of the time is waiting."""
    deaths: dict[str, Death] = {
        "killed before confirm": partial(_suicide, _BEFORE_CONFIRM),
        "killed after confirm": _murder,
        "killed before send": partial(_suicide, _BEFORE_SEND),
    }
    async with asyncio.TaskGroup() as group:
        group.create_task(_requests(times, random.Random(seed), folder, options, figures))
        group.create_task(_conflicts(times, folder, options, figures))
        for name, death in deaths.items():
            group.create_task(_killed(name, death, times, random.Random(seed), folder, options, figures))


async def _requests(times: int, rng: random.Random, folder: Path, options: Sequence[str], figures: Figures) -> None:
    """Each fault meets the first of two messages of a person who has it alone; all at the same time.

    After a cut connection nobody knows, so that reply may be missing; it must be marked.
    """
    async with town(folder / "requests", times * len(_REQUESTS), *options) as place:
        said: dict[str, list[Said]] = {}
        for number, (name, fault) in enumerate(_REQUESTS.items()):
            persons = range(number * times, (number + 1) * times)
            for person in persons:
                how = {**fault, "retry_after": rng.randint(1, _LONGEST_429_S)} if name == "429" else fault
                await place.telegram.tell("faults", {"method": _SENDS, "chat": place.people[person], **how})
            said[name] = [place.privately(person) for _ in range(2) for person in persons]
        await place.start()
        await place.say(place.voices.said)
        await place.settle(said["cut before accepting"][:times])
        state = await place.judge(figures)
        for number, (name, theirs) in enumerate(said.items()):
            struck = sum(fault["hits"] for fault in state["faults"][number * times : (number + 1) * times])
            figures.add(name, await place.verdict(theirs, certain="cut" not in name), struck)


async def _conflicts(times: int, folder: Path, options: Sequence[str], figures: Figures) -> None:
    """Somebody else polls once, while people talk."""
    async with town(folder / "409", _NEIGHBOURS, *options) as place:
        await place.start()
        for number in range(times):
            made = await place.telegram.tell("faults", {"method": "getUpdates", "status": 409})
            await place.say([place.privately((number + step) % _NEIGHBOURS) for step in range(3)])
            await place.met({"hits": [made["fault"], 1]}, _WAIT_S)
        await place.settle()
        state = await place.judge(figures)
        struck = sum(fault["hits"] for fault in state["faults"])
        figures.add("409", await place.verdict(place.voices.said, certain=True), struck)


async def _killed(
    name: str, death: Death, times: int, rng: random.Random, folder: Path, options: Sequence[str], figures: Figures
) -> None:
    """One life after the other on the same record."""
    async with town(folder / name, _NEIGHBOURS, *options) as place:
        for number in range(times):
            await death(place, number, rng)
        await place.start()
        await _recovered(place)
        await place.settle(place.voices.said)
        await place.judge(figures)
        figures.add(name, await place.verdict(place.voices.said), times)


async def _recovered(place: Town) -> None:
    """Until everything is answered whose reply did not leave in an earlier life."""
    await place.met({"confirmed": len(place.voices.said)}, _WAIT_S)
    unknown = place.service.unknown()
    await answered(place.shown, [one for one in place.voices.said if one.mark not in unknown], place.service)


async def _suicide(points: Sequence[str], place: Town, number: int, rng: random.Random) -> None:
    batch = _batch(place, number)
    await place.say(batch)
    await place.service.start("--die", f"{points[number % len(points)]}:{rng.randint(1, len(batch))}")
    await place.service.dies()


async def _murder(place: Town, number: int, rng: random.Random) -> None:
    await place.start()
    await place.say(_batch(place, number))
    await place.met({"confirmed": len(place.voices.said)}, _WAIT_S)
    await asyncio.sleep(rng.uniform(0, _AFTER_CONFIRM_S))
    await place.service.kill()


def _batch(place: Town, number: int) -> list[Said]:
    """Three people, each several messages."""
    return [place.privately((number + step) % _NEIGHBOURS) for _ in range(_TURNS) for step in range(3)]
