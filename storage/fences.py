"""Rights that one process has at a time. Whoever has lost one writes nothing more by it."""

from functools import partial

from sqlalchemy import Connection, bindparam, select

from core.errors import Superseded
from core.ports import Fence
from storage.database import Database
from storage.dialect import upsert
from storage.schema import fences

_TOKEN = select(fences.c.token).where(fences.c.name == bindparam("fence_name"))
# whoever raises it waits for the transactions that rely on it, and they for each other never
_RELIED_ON = _TOKEN.with_for_update(read=True)


class Fences:
    """core.ports.Fences."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def raise_to(self, fence: Fence) -> None:
        """Nothing is written by a lower token from now on."""
        await self._database.write(partial(_raise_to, fence))


def require(fence: Fence | None, connection: Connection) -> None:
    """Until the end of the transaction nobody else gets the right. Raises Superseded where somebody has it already."""
    if fence is not None:
        _compare(fence, connection.scalar(_RELIED_ON, {"fence_name": fence.name}))


def _raise_to(fence: Fence, connection: Connection) -> None:
    upsert(connection, fences, {"name": fence.name, "token": fence.token}, newest="token")
    _compare(fence, connection.scalar(_TOKEN, {"fence_name": fence.name}))


def _compare(fence: Fence, token: int | None) -> None:
    if token is not None and token > fence.token:
        raise Superseded(f"The right {fence.name!r} is another process's by now (token {token}, not {fence.token}).")
