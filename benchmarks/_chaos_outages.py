"""Redis and PostgreSQL that are away, emptied, or cut off, while everybody talks."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from benchmarks._chaos_servers import Servers, several
from benchmarks._chaos_world import Outcome

PER_S = 10.0
LIMIT_S = 5.0
_TAKES_S = 0.05
# of steady talk before the next one
_BETWEEN_S = 4.0
_RESETS, _RESET_EVERY_S = 10, 0.3

# breaks something, and returns when it is there again
Outage = Callable[[Servers], Awaitable[None]]


async def part(times: int, lease_s: float, lengths_s: Sequence[float]) -> Outcome:
    """Each outage `times` times; those that last, for each of `lengths_s` seconds."""
    outcome = Outcome("outages", 0, LIMIT_S)
    outages: list[tuple[str, Outage]] = [("FLUSHALL", _flushed), ("connection resets", _cut)]
    for length in lengths_s:
        outages.append((f"Redis away {length:g} s", _redis_away(length)))
        outages.append((f"PostgreSQL away {length:g} s", _postgres_away(length)))
    async with outcome.folder() as folder, several(folder, lease_s, _TAKES_S) as (world, servers, _):
        for what, outage in outages * times:
            async with world.talking(PER_S):
                await asyncio.sleep(_BETWEEN_S)
                await outage(servers)
                seconds = await world.recovered()
            outcome.times += 1
            outcome.took(what, seconds)
            outcome.told(f"{what}: {seconds:.1f} s")
        await world.settled()
        outcome.add(await world.checked())
        outcome.close(world.house)
    return outcome


def _redis_away(length_s: float) -> Outage:
    async def away(servers: Servers) -> None:
        await servers.kill_redis()
        await asyncio.sleep(length_s)
        await servers.start_redis()

    return away


def _postgres_away(length_s: float) -> Outage:
    async def away(servers: Servers) -> None:
        await asyncio.to_thread(servers.postgres.stop)
        await asyncio.sleep(length_s)
        await servers.start_postgres()

    return away


async def _flushed(servers: Servers) -> None:
    await asyncio.to_thread(servers.redis_says, "FLUSHALL")


async def _cut(servers: Servers) -> None:
    for _ in range(_RESETS):
        await asyncio.to_thread(servers.redis_says, "CLIENT", "KILL", "TYPE", "normal")
        await asyncio.sleep(_RESET_EVERY_S)
