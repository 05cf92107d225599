"""The worker's end of the queue: takes messages of the partitions it has."""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Sequence
from functools import partial

from bot.dispatch.ending import ended
from bot.dispatch.holding import Holding, Partition
from bot.dispatch.limits import Limits
from bot.dispatch.ports import WorkerRecord
from bot.dispatch.work import Workbench
from bot.observing.metrics import Metrics
from bot.turns import HereTurns
from core.errors import DispatchError, RecordError
from core.partitions import partition_of
from core.ports import Leases
from storage.errands import Delivered
from storage.streams import Streams

log = logging.getLogger(__name__)

DRAIN_S = 30.0
_PAUSE_S = 0.5
_LOOK_BACK_S = 1.0
# A read that blocks ends at the server, also when this process is stopped, long before the lease does: shares of it.
_BLOCK, _MARGIN = 0.1, 0.2
_LONGEST_BLOCK_S = 0.5


class Worker:
    """Runs turns for gateways, for the people of its share of the partitions."""

    def __init__(
        self,
        streams: Streams,
        leases: Leases,
        record: WorkerRecord,
        turns: HereTurns,
        limits: Limits,
        metrics: Metrics | None = None,
    ) -> None:
        self._streams = streams
        self._record = record
        self._limits = limits
        self._holding = Holding(streams, leases, limits, self._open)
        stirred = self._holding.stirred
        self._bench = Workbench(streams, record, turns, limits.deliveries, metrics or Metrics(), stirred)
        self._ending = False
        self._looked_back = 0.0

    @property
    def partitions(self) -> int:
        """How many are ours."""
        return len(self._holding.owned)

    @property
    def under_way(self) -> int:
        """Messages in hand, and bookkeeping."""
        return len(self._bench.tasks)

    @property
    def connected(self) -> bool:
        """Whether Redis answered lately."""
        return self._holding.connected

    async def run(self) -> None:
        """Until it is cancelled; then it takes nothing new, and finishes what it has within `DRAIN_S`."""
        holding = asyncio.create_task(self._holding.run())
        finishing = asyncio.create_task(self._bench.finished.run())
        reading = asyncio.create_task(self._read())
        try:
            over, _ = await asyncio.wait([holding, finishing, reading], return_when=asyncio.FIRST_COMPLETED)
            for task in over:
                task.result()
        finally:
            self._ending = True
            self._holding.end()
            await asyncio.wait([reading], timeout=2 * _LONGEST_BLOCK_S)
            if self._bench.tasks:
                await asyncio.wait(self._bench.tasks, timeout=DRAIN_S)
            await ended([holding, reading])
            await self._holding.close()
            await ended([finishing])

    async def _open(self, partitions: list[Partition]) -> None:
        """Nobody else writes for their people from now on; what bookkeeping their last worker left comes first."""
        theirs = {partition.number: partition for partition in partitions}
        for partition in partitions:
            await self._bench.patiently(partial(self._record.fences.raise_to, partition.right.fence))
        for turn_id, turn in await self._bench.patiently(self._record.turns.unremembered):
            number = partition_of(turn.message.person, self._limits.partitions)
            if number in theirs and self._holding.owned.get(number) is theirs[number]:
                self._bench.remember(theirs[number], turn_id, turn)
        for partition in partitions:
            partition.ready = True

    async def _read(self) -> None:
        while not self._ending:
            readable = self._readable()
            if not readable or self.under_way >= self._limits.at_once:
                self._holding.stirred.clear()
                await self._holding.stirred.wait()
                continue
            try:
                await self._read_once(readable)
            except (DispatchError, RecordError) as error:  # what was on its way to us is in nobody's hands
                log.warning("nothing can be read: %s", error)
                for partition in readable:
                    partition.behind = True
                await asyncio.sleep(_PAUSE_S)

    def _readable(self) -> list[Partition]:
        margin = _MARGIN * self._limits.lease_s
        ours = self._holding.owned.values()
        return [one for one in ours if one.ready and not one.leaving and one.right.holds(margin)]

    async def _read_once(self, partitions: Sequence[Partition]) -> None:
        """What was delivered before of one partition, or what is new of all of them."""
        room = self._limits.at_once - self.under_way
        behind = [one for one in partitions if one.behind][:1]
        asked = behind or partitions
        for partition in asked:
            partition.being_read = True
        try:
            if behind:
                await self._catch_up(behind[0], room)
            else:
                await self._take(partitions, room)
        finally:
            for partition in asked:
                partition.being_read = False

    async def _take(self, partitions: Sequence[Partition], room: int) -> None:
        block_s = min(_LONGEST_BLOCK_S, _BLOCK * self._limits.lease_s)
        numbers = [partition.number for partition in partitions]
        taken = await self._streams.take(numbers, -(-room // len(partitions)), block_s)
        ours = {partition.number: partition for partition in partitions if self._ours(partition)}
        for partition in partitions:
            partition.behind |= partition.number not in ours
        mine = [(ours[one.errand.partition], one) for one in taken if one.errand.partition in ours]
        await self._look_back(list(ours.values()), taken)
        # what comes behind something that nobody has waits for it, pending as well
        if in_order := [(partition, one) for partition, one in mine if not partition.behind]:
            await self._bench.take(in_order)

    async def _look_back(self, partitions: Sequence[Partition], taken: Sequence[Delivered]) -> None:
        """Find out where errands are with nobody: somebody took them who had no right to any more.

        All are looked at once a second, those of which something was taken every time.
        """
        fresh: dict[int, set[str]] = defaultdict(set)
        for one in taken:
            fresh[one.errand.partition].add(one.entry)
        if (now := time.monotonic()) >= self._looked_back + _LOOK_BACK_S:
            self._looked_back, looked_at = now, partitions
        else:
            looked_at = [partition for partition in partitions if fresh[partition.number]]
        if not looked_at:
            return
        known = {partition.number: partition.hands | fresh[partition.number] for partition in looked_at}
        left = await self._streams.left({number: len(entries) + 1 for number, entries in known.items()})
        for partition in looked_at:
            partition.behind |= not known[partition.number].issuperset(left.get(partition.number, ()))

    async def _catch_up(self, partition: Partition, room: int) -> None:
        """What the last owner left, or what did not reach us."""
        partition.behind = False  # from here on somebody may find a reason to look again
        pending = await self._streams.pending(partition.number)
        left = [one for one in pending if one.entry not in partition.hands]
        begun = left[:room]
        partition.behind |= len(left) > room or not self._ours(partition)
        if not begun or not self._ours(partition):
            return
        if calm := [one for one in begun if self._bench.calm(one)]:
            await self._streams.claim(partition.number, calm)
        await self._bench.take([(partition, one) for one in begun])

    def _ours(self, partition: Partition) -> bool:
        """Still: if not, whoever has it now finds what was delivered here."""
        return self._holding.owned.get(partition.number) is partition and partition.right.holds()
