"""What runs in a transaction, and whoever runs it."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from sqlalchemy import Connection

Result = TypeVar("Result")
# may be carried out again when nothing of it was written
Work = Callable[[Connection], Result]


class Backend(Protocol):
    """An open database."""

    async def write(self, work: Work[Result], *, soon: bool = True) -> Result:
        """What `work` returns, once it is committed; whatever it raises, after a rollback.

        Unless `soon`, it waits a moment for company.
        """
        ...

    async def read(self, work: Work[Result]) -> Result:
        """The same, on one consistent state and without the right to write."""
        ...

    async def look(self, work: Work[Result]) -> Result:
        """`read` for work of one statement."""
        ...

    async def scrub(self, tables: Sequence[str]) -> None:
        """Take away what rows that are gone left behind in these tables. Long work: minutes for gigabytes."""
        ...

    async def close(self) -> None:
        """Finish what was asked for, then let go."""
        ...
