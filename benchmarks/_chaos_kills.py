"""kill -9 and SIGTERM of processes at work."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

from benchmarks._chaos_house import Node
from benchmarks._chaos_servers import GATEWAYS, WORKERS, Servers, several
from benchmarks._chaos_world import PEOPLE, Outcome, World, single

PER_S = 24.0
# between two kills; some come while the last one is not over
_SHORTEST_S, _LONGEST_S = 0.3, 4.0
_SETTLES_IN_S = 60.0
# after the lease has ended
RESUMES_IN_S = 5.0
# a completion, of which a turn needs two before its reply
_QUICK_S, _SLOW_S = 0.05, 0.2
_SAID_EACH = 2
# until the worker that was started last has shares of the work
_BALANCED_S = 4.0
STOPS_IN_S = 30.0
_STOPPED_EVERY_S = 1.0


async def kills(times: int, rng: random.Random, lease_s: float) -> Outcome:
    """kill -9 of a random process under load, gateway, worker, Redis or PostgreSQL; each is started again at once."""
    outcome = Outcome("kill -9", times, _SETTLES_IN_S)
    async with outcome.folder() as folder, several(folder, lease_s, _QUICK_S) as (world, servers, _):
        async with world.talking(PER_S):
            for number in range(times):
                what, kill = rng.choice(_victims(world, servers, rng))
                await kill()
                outcome.count(what)
                if number % 20 == 19:
                    outcome.told(f"{number + 1} kills")
                await asyncio.sleep(rng.uniform(_SHORTEST_S, _LONGEST_S))
        outcome.took("everything is done", await world.settled(2 * _SETTLES_IN_S))
        outcome.add(await world.checked())
        outcome.close(world.house)
    return outcome


def _victims(world: World, servers: Servers, rng: random.Random) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
    async def redis() -> None:
        await servers.kill_redis()
        await servers.start_redis()

    async def backend() -> None:
        await asyncio.to_thread(servers.kill_a_backend)

    async def postgres() -> None:
        servers.kill_postgres()
        await servers.start_postgres()

    return [
        ("gateway", lambda: world.house.kill(rng.choice(GATEWAYS))),
        ("worker", lambda: world.house.kill(rng.choice(WORKERS))),
        ("redis", redis),
        ("postgres", rng.choice((postgres, backend))),
    ]


async def resume(times: int, rng: random.Random, lease_s: float) -> Outcome:
    """Messages, the older worker killed, and nothing more: the other one takes its turns over."""
    outcome = Outcome("resume", times, lease_s + RESUMES_IN_S)
    async with outcome.folder() as folder, several(folder, lease_s, _SLOW_S) as (world, _, nodes):
        workers = [node for node in nodes if node.role == "worker"]
        for _ in range(times):
            await asyncio.sleep(_BALANCED_S)
            older, newer = workers
            await _take_over(world, older.name, rng, outcome)
            await world.house.start(older)
            workers = [newer, older]
        await world.settled()
        outcome.add(await world.checked())
        outcome.close(world.house)
    return outcome


async def _take_over(world: World, name: str, rng: random.Random, outcome: Outcome) -> None:
    said = [platform.say(user_id) for platform, user_id in [*world.people("person", PEOPLE)] * _SAID_EACH]
    await world.until(lambda: all(one.accepted for one in said), outcome.limit_s)
    await asyncio.sleep(rng.uniform(0, _SLOW_S))
    killed = time.monotonic()
    await world.house.kill(name, again=False)
    if not await world.answered(said, 2 * outcome.limit_s):
        outcome.missed.append("somebody has no reply")
    later = [one.shown[0].at - killed for one in said if one.shown]
    outcome.took("the last reply", max(later))
    outcome.count("taken_over", sum(seconds > outcome.limit_s / 3 for seconds in later))


async def stops(times: int, rng: random.Random, lease_s: float) -> Outcome:
    """SIGTERM under load, half of the times to one process over SQLite, half to gateways and workers."""
    outcome = Outcome("SIGTERM", times, STOPS_IN_S)
    async with outcome.folder() as folder, single(folder, folder / "ohlora.db", _SLOW_S / 2) as (world, node):
        await _stop(world, [node], times // 2, rng, outcome)
    async with outcome.folder() as folder, several(folder, lease_s, _SLOW_S / 2) as (world, _, nodes):
        await _stop(world, nodes, times - times // 2, rng, outcome)
    return outcome


async def _stop(world: World, nodes: list[Node], times: int, rng: random.Random, outcome: Outcome) -> None:
    async with world.talking(PER_S):
        for _ in range(times):
            name = rng.choice(nodes).name
            outcome.took(f"SIGTERM to {name}", await world.house.stop(name))
            await asyncio.sleep(_STOPPED_EVERY_S + rng.random())
    outcome.figures["settled_s"] = round(await world.settled(), 1)
    outcome.add(await world.checked())
    outcome.close(world.house)
