"""Ten times as many messages as there are answers for, for minutes."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping

import numpy as np
import psutil
from redis import Redis

from benchmarks._chaos_servers import Servers, several
from benchmarks._chaos_world import Outcome, World

# 2 workers, 2 completions at once each, 4 completions a turn
_TAKES_S, _AT_ONCE = 0.05, 2
CAPACITY_PER_S = 2 * _AT_ONCE / (4 * _TAKES_S)
TIMES_TOO_MUCH = 10
LINE = 100
SETTLES_IN_S = 60.0
# of a process, from the middle of the run to its end
GROWTH, GROWTH_MIB = 1.05, 8.0
_SAMPLES_AT_LEAST = 10


async def part(seconds: float, lease_s: float) -> Outcome:
    """Everyone has a reply or the busy sentence, what was accepted is kept, and memory does not grow for ever."""
    outcome = Outcome("overload", 1, SETTLES_IN_S)
    async with (
        outcome.folder() as folder,
        several(folder, lease_s, _TAKES_S, _AT_ONCE, LINE) as (world, servers, nodes),
    ):
        async with world.talking(TIMES_TOO_MUCH * CAPACITY_PER_S):
            resident = await _watch(world, servers, [node.name for node in nodes], seconds)
        _judge(resident, outcome)
        outcome.took("everything is done", await world.settled(2 * SETTLES_IN_S))
        outcome.add(await world.checked())
        outcome.close(world.house)
    return outcome


async def _watch(world: World, servers: Servers, names: list[str], seconds: float) -> Mapping[str, list[float]]:
    """MiB of every process, second by second."""
    resident: defaultdict[str, list[float]] = defaultdict(list)
    for _ in range(max(_SAMPLES_AT_LEAST, round(seconds))):
        await asyncio.sleep(seconds / max(_SAMPLES_AT_LEAST, round(seconds)))
        for name in names:
            resident[name].append(psutil.Process(world.house.pid(name)).memory_info().rss / 2**20)
        resident["redis"].append(await asyncio.to_thread(_of_redis, servers))
    return resident


def _of_redis(servers: Servers) -> float:
    with Redis.from_url(servers.redis.url) as client:
        return float(client.info("memory")["used_memory_rss"]) / 2**20


def _judge(resident: Mapping[str, list[float]], outcome: Outcome) -> None:
    """A tenth of the run after its middle against its last tenth."""
    for name, samples in resident.items():
        tenth = len(samples) // 10
        middle = float(np.median(samples[5 * tenth : 6 * tenth]))
        end = float(np.median(samples[-tenth:]))
        outcome.figures[f"{name} MiB"] = round(end, 1)
        outcome.figures[f"{name} growth MiB"] = round(end - middle, 1)
        if end > middle * GROWTH and end > middle + GROWTH_MIB:
            outcome.missed.append(f"{name} grew from {middle:.0f} to {end:.0f} MiB in the second half")
