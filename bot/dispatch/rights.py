"""Rights of this process, which end unless they are renewed, by its own clock."""

import asyncio
import logging
import time
from collections.abc import Sequence

from core.errors import DispatchError
from core.ports import Fence, Leases

log = logging.getLogger(__name__)

# a right is renewed when this share of its time is over
_RENEWED_AFTER = 0.3
_LONGEST_TICK_S = 1.0


def tick_s(lease_s: float) -> float:
    """How often whoever has or wants a lease looks after it."""
    return min(_LONGEST_TICK_S, lease_s / 10)


class Right:
    """A lease, and until when it certainly holds. `lease_s`: for how long it is renewed."""

    def __init__(self, fence: Fence, lease_s: float, asked_at: float) -> None:
        """`asked_at`: time.monotonic() before it was asked for."""
        self.fence = fence
        self._lease_s = lease_s
        self._until = asked_at + lease_s

    @classmethod
    async def acquire(cls, leases: Leases, name: str, lease_s: float) -> "Right | None":
        """None while it is somebody else's. Raises DispatchError."""
        asked_at = time.monotonic()
        fence = await leases.acquire(name, lease_s)
        return None if fence is None else cls(fence, lease_s, asked_at)

    def holds(self, for_s: float = 0.0) -> bool:
        """Whether nobody else can get it in the next `for_s` seconds. A process that was stopped hears of it here."""
        return time.monotonic() + for_s < self._until

    def doubt(self) -> None:
        """It holds no more, unless it can be renewed."""
        self._until = 0.0

    async def renew(self, leases: Leases) -> bool:
        """If it is time to; False when the right is lost. Raises DispatchError."""
        asked_at = time.monotonic()
        if self._until - asked_at > self._lease_s * (1 - _RENEWED_AFTER):
            return True
        if not await leases.renew(self.fence, self._lease_s):
            return False
        self._until = asked_at + self._lease_s
        return True


class PlatformRights:
    """A gateway's right to each of its platforms: a second one stands by until the first is gone."""

    def __init__(self, leases: Leases, platforms: Sequence[str], lease_s: float) -> None:
        self._leases = leases
        self._names = [f"gateway:{platform}" for platform in sorted(platforms)]
        self._lease_s = lease_s
        self._rights: dict[str, Right] = {}
        self._renewed = asyncio.Event()
        self._tick_s = tick_s(lease_s)

    @property
    def certain(self) -> bool:
        """Whether all of them are ours at this moment."""
        return len(self._rights) == len(self._names) and all(right.holds() for right in self._rights.values())

    async def sure(self) -> None:
        """Returns while they are certainly ours."""
        while not self.certain:
            self._renewed.clear()
            await self._renewed.wait()

    async def acquire(self) -> None:
        """Returns when all of them are ours, however long that takes."""
        while not self.certain:
            try:
                if (taken := await self._tend()) is not None:
                    log.warning("another process has %s; standing by until it is gone", taken)
            except DispatchError as error:
                log.warning("nobody can tell who has the platforms: %s", error)
            if not self.certain:
                await asyncio.sleep(self._tick_s)

    async def keep(self) -> None:
        """Renews them; raises DispatchError when one is somebody else's."""
        while True:
            await asyncio.sleep(self._tick_s)
            try:
                taken = await self._tend()
            except DispatchError as error:
                log.warning("the platforms' leases cannot be renewed: %s", error)
                continue
            if taken is not None:
                raise DispatchError(f"Another process has {taken} now; this one ends.")

    async def release(self) -> None:
        """Somebody else may have them at once."""
        rights, self._rights = self._rights, {}
        try:
            for right in rights.values():
                await self._leases.release(right.fence)
        except DispatchError as error:
            log.warning("the platforms' leases end by themselves: %s", error)

    async def _tend(self) -> str | None:
        """Renew what is ours and get what is free, in the order that is everybody's; the first that is taken."""
        for name in self._names:
            if name in self._rights and not await self._rights[name].renew(self._leases):
                del self._rights[name]
            if name not in self._rights:
                right = await Right.acquire(self._leases, name, self._lease_s)
                if right is None:
                    return name
                self._rights[name] = right
        self._renewed.set()
        return None
