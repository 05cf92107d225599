"""Two gateways and two workers, over a Redis and a PostgreSQL that are started here and keep what they accepted."""

import asyncio
import json
import os
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from benchmarks._scale_fill import user_id
from benchmarks._scale_node import Node
from storage.record import Record
from tests.postgres_server import PostgresServer, postgres_server
from tests.redis_server import redis_server

ROOT = Path(__file__).resolve().parents[1]
GATEWAYS, WORKERS = ("crowd 1", "crowd 2"), ("worker 1", "worker 2")
# of each gateway
PEOPLE = 64
WARM_UP = 3
_LOOK_S = 0.02
# what a server keeps is on the disk when it says so
DURABLE_POSTGRES = ("fsync=on", "full_page_writes=on")
DURABLE_REDIS = ("--appendonly", "yes")


@dataclass(frozen=True)
class Load:
    """`turns_each`: of every person, as fast as it goes; then `messages` of all people at `per_s`."""

    turns_each: int
    per_s: float
    messages: int


@dataclass(frozen=True)
class House:
    """Processes that are ready, and the record that they write to."""

    gateways: Sequence[Process]
    workers: Sequence[Process]
    record: Record
    server: PostgresServer

    async def order(self, order: str, turns: int) -> tuple[list[float], float]:
        """Have every gateway's crowd do it; seconds of each reply, and until all bookkeeping was done.

        Raises SystemExit unless that were so many turns.
        """
        begin = time.perf_counter()
        said = await asyncio.gather(*(_order(gateway, order) for gateway in self.gateways))
        while await self.record.turns.unremembered():  # noqa: ASYNC110  # nobody tells when other processes are done
            await asyncio.sleep(_LOOK_S)
        took_s = time.perf_counter() - begin
        reply_s = [one for figures in said for one in figures["reply_s"]]
        if len(reply_s) != turns or await self.record.turns.unanswered() or await self.record.turns.undelivered():
            raise SystemExit(f"benchmarks/scale.py: {order}: {len(reply_s)} of {turns} turns were finished")
        return reply_s, took_s


def analyze(server: PostgresServer, database: str = "postgres") -> None:
    """What the server does by itself within a minute: what it believes of tables that were empty misleads its plans."""
    server.sql("ANALYZE", database)


async def dispatched(load: Load) -> dict[str, float]:
    """How many turns a second, and how long a reply takes while fewer are asked for."""
    people = len(GATEWAYS) * PEOPLE
    async with _house() as house:
        await house.order(f"talk {WARM_UP}", WARM_UP * people)
        analyze(house.server)
        cpu_s = _cpu_s(house.gateways), _cpu_s(house.workers)
        reply_s, took_s = await house.order(f"talk {load.turns_each}", load.turns_each * people)
        turns = len(reply_s)
        gateways_s, workers_s = _cpu_s(house.gateways) - cpu_s[0], _cpu_s(house.workers) - cpu_s[1]
        each = load.messages // len(GATEWAYS)
        paced_s, _ = await house.order(f"speak {load.per_s / len(GATEWAYS)} {each}", each * len(GATEWAYS))
    busy_ms, paced_ms = np.percentile(reply_s, 95) * 1000, np.percentile(paced_s, (50, 95, 99)) * 1000
    return {
        "dispatched_turns": turns,
        "dispatched_turns_per_s": round(turns / took_s, 1),
        "dispatched_reply_p95_ms": round(float(busy_ms), 1),
        "gateway_cpu_ms": round(gateways_s * 1000 / turns, 2),
        "worker_cpu_ms": round(workers_s * 1000 / turns, 2),
        "paced_per_s": load.per_s,
        "paced_replies": len(paced_s),
        **{f"paced_reply_p{of}_ms": round(float(ms), 1) for of, ms in zip((50, 95, 99), paced_ms, strict=True)},
        "cores": len(os.sched_getaffinity(0)),
    }


@asynccontextmanager
async def _house() -> AsyncIterator[House]:
    with postgres_server(*DURABLE_POSTGRES) as postgres, redis_server(*DURABLE_REDIS) as redis:
        url = postgres.url()
        async with await Record.open(url) as record:
            crowds = {name: range(number * PEOPLE, (number + 1) * PEOPLE) for number, name in enumerate(GATEWAYS)}
            nodes = [Node(name, url, redis.url, tuple(map(user_id, people))) for name, people in crowds.items()]
            nodes += [Node(name, url, redis.url) for name in WORKERS]
            processes = [await _start(node) for node in nodes]
            gateways, workers = processes[: len(GATEWAYS)], processes[len(GATEWAYS) :]
            try:
                for gateway in gateways:
                    await _answer(gateway)
                yield House(gateways, workers, record, postgres)
            finally:
                await _stop(processes)


async def _start(node: Node) -> Process:
    command = (sys.executable, "-m", "benchmarks._scale_node", node.written)
    # a line of figures holds every reply
    return await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=PIPE, stdout=PIPE, limit=1 << 24)


async def _stop(processes: Iterable[Process]) -> None:
    """Gateways first, whose input ends."""
    for process in processes:
        if process.returncode is None:
            assert process.stdin is not None
            process.stdin.close()
            process.terminate()
        await process.wait()


async def _order(gateway: Process, order: str) -> dict[str, list[float]]:
    assert gateway.stdin is not None
    gateway.stdin.write(f"{order}\n".encode())
    said: dict[str, list[float]] = json.loads(await _answer(gateway))
    return said


async def _answer(gateway: Process) -> bytes:
    """Raises SystemExit when it ended instead."""
    assert gateway.stdout is not None
    line = await gateway.stdout.readline()
    if not line:
        raise SystemExit("benchmarks/scale.py: a gateway ended; see above")
    return line


def _cpu_s(processes: Iterable[Process]) -> float:
    times = (psutil.Process(process.pid).cpu_times() for process in processes)
    return sum((float(one.user + one.system) for one in times), 0.0)
