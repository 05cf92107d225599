"""Which partitions a worker has: its fair share of them, each by a lease."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from uuid import uuid4

from bot.dispatch.ending import ended
from bot.dispatch.limits import Limits
from bot.dispatch.rights import Right, tick_s
from core.errors import DispatchError
from core.partitions import fair_share
from core.ports import Leases
from storage.streams import Streams

log = logging.getLogger(__name__)


class Partition:
    """One that is ours. `ready`: it may be read; `behind`: what was delivered before is to be looked at first.

    `leaving`: another worker is to have it, once nothing of it is under way. `outdated`: the record has seen a later
    right to it. `hands`: entries that are with a task.
    """

    def __init__(self, number: int, right: Right) -> None:
        self.number = number
        self.right = right
        self.ready = False
        self.behind = True
        self.leaving = False
        self.outdated = False
        self.being_read = False
        self.hands: set[str] = set()
        self.tasks: set[asyncio.Task[None]] = set()


class Holding:
    """Gets, renews and gives away. `opened`: what to do about partitions that are new here, before they are ready."""

    def __init__(
        self, streams: Streams, leases: Leases, limits: Limits, opened: Callable[[list[Partition]], Awaitable[None]]
    ) -> None:
        self._streams = streams
        self._leases = leases
        self._limits = limits
        self._opened = opened
        self._name = uuid4().hex
        self._epoch = ""
        self._ending = False
        self._opening: set[asyncio.Task[None]] = set()
        self.connected = False
        self.owned: dict[int, Partition] = {}
        # set whenever something changed that anybody may wait for
        self.stirred = asyncio.Event()

    async def run(self) -> None:
        """For as long as this is not cancelled."""
        while True:
            try:
                await self._tend()
                self.connected = True
            except DispatchError as error:
                if self.connected:
                    log.warning("partitions cannot be renewed: %s", error)
                self.connected = False
            self.stirred.set()
            await asyncio.sleep(tick_s(self._limits.lease_s))

    def end(self) -> None:
        """From now on nothing is acquired, and what is done with is given away."""
        self._ending = True
        self.stirred.set()

    async def close(self) -> None:
        """Others may have all of them at once."""
        await ended(self._opening)
        await self.lose(self.owned.values())
        try:
            await self._streams.leave(self._name)
        except DispatchError as error:
            log.warning("the others have to find out that this worker is gone: %s", error)

    async def lose(self, partitions: Iterable[Partition]) -> None:
        """These are not ours any more: whatever is under way for them ends here."""
        for partition in list(partitions):
            if self.owned.get(partition.number) is partition:
                del self.owned[partition.number]
            await ended(partition.tasks)
            await self._release(partition)

    async def _tend(self) -> None:
        epoch = await self._streams.epoch()
        if self._epoch and epoch != self._epoch:
            log.warning("Redis was started anew or emptied: %d partitions begin again", len(self.owned))
            await self.lose(self.owned.values())
        self._epoch = epoch
        for partition in list(self.owned.values()):
            if partition.outdated or not await partition.right.renew(self._leases):
                log.warning("partition %d is lost: its lease ended", partition.number)
                await self.lose([partition])
        alive = await self._streams.announce(self._name, self._limits.lease_s / 2)
        rank = alive.index(self._name)
        share = 0 if self._ending else fair_share(self._limits.partitions, len(alive), rank)
        await self._give_away(len(self.owned) - share)
        await self._get(share - len(self.owned), rank * self._limits.partitions // len(alive))

    async def _give_away(self, too_many: int) -> None:
        """Those that began to leave, then those with the least to do."""
        in_order = sorted(self.owned.values(), key=lambda one: (not one.leaving, len(one.tasks)))
        for position, partition in enumerate(in_order):
            partition.leaving = position < too_many
            if partition.leaving and not (partition.tasks or partition.being_read):
                del self.owned[partition.number]
                await self._release(partition)

    async def _get(self, missing: int, first: int) -> None:
        """Free ones, from `first` on, where the other workers do not begin."""
        new: list[Partition] = []
        try:
            for offset in range(self._limits.partitions):
                number = (first + offset) % self._limits.partitions
                if len(new) >= missing:
                    break
                if number in self.owned:
                    continue
                right = await Right.acquire(self._leases, f"partition:{number}", self._limits.lease_s)
                if right is not None:
                    self.owned[number] = Partition(number, right)
                    new.append(self.owned[number])
        finally:
            if new:
                task = asyncio.create_task(self._open(new))
                self._opening.add(task)
                task.add_done_callback(self._opening.discard)

    async def _open(self, partitions: list[Partition]) -> None:
        try:
            await self._opened(partitions)
        except Exception:  # they are tried again, here or elsewhere
            log.exception("%d partitions could not be taken over", len(partitions))
            await self.lose(partitions)
        self.stirred.set()

    async def _release(self, partition: Partition) -> None:
        try:
            await self._leases.release(partition.right.fence)
        except DispatchError as error:
            log.warning("the lease of partition %d ends by itself: %s", partition.number, error)
