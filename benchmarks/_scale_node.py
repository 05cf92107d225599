"""A gateway whose platform is a crowd, or a worker, as a process of its own.

A gateway reads what its crowd is to do from standard input, a line each: `talk TURNS_EACH` or `speak PER_S MESSAGES`,
and answers each with a line of figures; at the end of its input it stops.
"""

import asyncio
import json
import signal
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Self

from benchmarks._scale_crowd import Crowd, models, settings
from bot.app import SystemClock, opened
from bot.dispatch.wiring import assemble_worker, build_gateway
from bot.observing.metrics import Metrics
from storage.streams import Streams

# nobody is turned away before the streams are full
_LINE = 1024


@dataclass(frozen=True)
class Node:
    """`people`: of the crowd of a gateway; a worker has none."""

    name: str
    record: str
    redis: str
    people: tuple[str, ...] = ()

    @classmethod
    def read(cls, written: str) -> Self:
        """What `written` gave."""
        return cls(**json.loads(written))

    @property
    def written(self) -> str:
        """As an argument of the process."""
        return json.dumps(asdict(self))


class Directed(Crowd):
    """Does what standard input says."""

    async def run(self) -> None:
        """Until there is no more to do."""
        print("ready", flush=True)
        while order := (await asyncio.to_thread(sys.stdin.readline)).split():
            match order:
                case ["talk", turns_each]:
                    await self.talk(int(turns_each))
                case ["speak", per_s, messages]:
                    await self.speak(float(per_s), int(messages))
            print(json.dumps({"reply_s": self.reply_s, "took_s": self.took_s}), flush=True)


async def _serve(node: Node) -> None:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    chosen, metrics = settings(_LINE, node.record, node.redis), Metrics()
    if node.people:
        async with build_gateway(chosen, [Directed(node.people, platform=node.name)], metrics) as app:
            await app.run()
        return
    async with (
        opened(chosen, metrics) as record,
        Streams(node.redis, chosen.dispatch.partitions, record.incarnation) as streams,
    ):
        await assemble_worker(chosen, record, streams, models(), SystemClock(), metrics).run()


def main() -> None:
    """Serve until there is no more to do, or until SIGTERM."""
    with suppress(asyncio.CancelledError):
        asyncio.run(_serve(Node.read(sys.argv[1])))


if __name__ == "__main__":
    main()
