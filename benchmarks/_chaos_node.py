"""A gateway, a worker, or both in one, as a process: what `ohlora` starts, with models and platforms of the benchmark.

SIGTERM stops it as it stops `ohlora`.
"""

import asyncio
import signal
import sys
from contextlib import suppress
from pathlib import Path

from pydantic import SecretStr

from benchmarks._chaos_adapter import SocketAdapter
from benchmarks._chaos_house import Node
from benchmarks._chaos_script import models
from bot import logs
from bot.app import SystemClock, assemble, opened
from bot.config import DispatchSettings, Settings, TurnSettings
from bot.dispatch.wiring import assemble_worker, build_gateway
from bot.observing.metrics import Metrics
from storage.streams import Streams


async def _serve(node: Node) -> None:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    print("listening", flush=True)
    # every default, whatever this host has set; a ladder of warnings alone, so that everybody may go on talking
    settings = Settings.model_construct(
        record_url=SecretStr(node.record),
        redis_url=SecretStr(node.redis),
        turn=TurnSettings(line=node.line, ladders={"love": [0]}),
        log_level="INFO",
        dispatch=DispatchSettings(backlog=node.line, lease_s=node.lease_s),
    )
    logs.configure(settings, node.role)
    await {"run": _run, "gateway": _gateway, "worker": _worker}[node.role](node, settings)


def _adapters(node: Node) -> list[SocketAdapter]:
    socket = Path(node.socket)
    return [SocketAdapter(name, socket, recognises=recognises) for name, recognises in node.platforms.items()]


async def _run(node: Node, settings: Settings) -> None:
    thoughts = models(node.takes_s, node.at_once)
    async with opened(settings, Metrics()) as record:
        await assemble(settings, record, thoughts, _adapters(node), SystemClock()).run()


async def _gateway(node: Node, settings: Settings) -> None:
    async with build_gateway(settings, _adapters(node)) as app:
        await app.run()


async def _worker(node: Node, settings: Settings) -> None:
    thoughts, metrics = models(node.takes_s, node.at_once), Metrics()
    async with (
        opened(settings, metrics) as record,
        Streams(node.redis, settings.dispatch.partitions, record.incarnation) as streams,
    ):
        await assemble_worker(settings, record, streams, thoughts, SystemClock(), metrics).run()


def main() -> None:
    """Serve until SIGTERM."""
    with suppress(asyncio.CancelledError):
        asyncio.run(_serve(Node.read(sys.argv[1])))


if __name__ == "__main__":
    main()
