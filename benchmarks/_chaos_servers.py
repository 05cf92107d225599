"""Real Redis and real PostgreSQL that keep what they were given, with gateways and workers around them."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from redis import Redis

from benchmarks._chaos_house import House, Node
from benchmarks._chaos_platform import serve
from benchmarks._chaos_world import World, both_kinds, recognising
from tests.postgres_server import PostgresServer, postgres_server
from tests.redis_server import RedisServer, redis_server

Result = TypeVar("Result")

DATABASE = "chaos"
# before the processes of a killed server are gone, and before the next one has recovered
_TRIES, _PAUSE_S = 100, 0.1
GATEWAYS, WORKERS = ("gateway plain", "gateway knowing"), ("worker 1", "worker 2")


@dataclass
class Servers:
    """`redis` appends every command to its file; what the last second brought may be lost by a kill."""

    redis: RedisServer
    postgres: PostgresServer

    async def kill_redis(self) -> None:
        """kill -9."""
        await asyncio.to_thread(self.redis.kill)

    async def start_redis(self) -> None:
        """Returns when it takes commands."""
        await asyncio.to_thread(self.redis.start)

    def redis_says(self, *command: str) -> None:
        """One command."""
        with Redis.from_url(self.redis.url) as client:
            client.execute_command(*command)

    def kill_postgres(self) -> None:
        """kill -9 of the server's first process; the others notice."""
        os.kill(self._first, signal.SIGKILL)

    def kill_a_backend(self) -> None:
        """kill -9 of the process of one connection: the server throws everybody out and recovers by itself."""
        query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        if found := self.ask(f"{query} ORDER BY random() LIMIT 1"):
            os.kill(int(found[0][0]), signal.SIGKILL)

    async def start_postgres(self) -> None:
        """Returns when it takes connections. Raises RuntimeError when it does not start."""
        await asyncio.to_thread(_patiently, self.postgres.start)

    def ask(self, query: str) -> list[list[str]]:
        """benchmarks._chaos_check.Ask; a server that recovers is waited for."""
        rows = _patiently(lambda: self.postgres.sql(query, DATABASE))
        return [row.split("|") for row in rows.splitlines()]

    @property
    def _first(self) -> int:
        return int((self.postgres.folder / "data" / "postmaster.pid").read_text().splitlines()[0])


def _patiently(work: Callable[[], Result]) -> Result:
    """While a server is going down or coming up. Raises RuntimeError when that takes too long."""
    for _ in range(_TRIES):
        try:
            return work()
        except RuntimeError:
            time.sleep(_PAUSE_S)
    return work()


@asynccontextmanager
async def several(
    folder: Path, lease_s: float, takes_s: float, at_once: int = 64, line: int = 1024
) -> AsyncIterator[tuple[World, Servers, list[Node]]]:
    """Two gateways, each with a platform of its own, and two workers. `line`: messages that may wait for workers."""
    platforms, socket = both_kinds(), folder / "platforms.sock"
    with ExitStack() as stack:
        redis = stack.enter_context(redis_server("--appendonly", "yes"))
        postgres = stack.enter_context(postgres_server("fsync=on", "full_page_writes=on"))
        postgres.sql(f"CREATE DATABASE {DATABASE}")
        servers = Servers(redis, postgres)
        worker = Node("", "worker", str(socket), postgres.url(DATABASE), {}, redis.url, takes_s, at_once, line, lease_s)
        nodes = [replace(worker, name=name) for name in WORKERS]
        nodes += [
            replace(worker, name=name, role="gateway", platforms=recognising([platform]))
            for name, platform in zip(GATEWAYS, platforms, strict=True)
        ]
        async with serve(socket, *platforms), House(folder) as house:
            world = World(house, platforms, servers.ask)
            await house.start(nodes[0])
            for node in nodes[1:]:
                await house.start(node)
            await world.up()
            yield world, servers, nodes
