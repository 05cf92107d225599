"""The log of sanctions."""

from functools import partial

from sqlalchemy import Connection, select

from core.messages import PersonKey
from core.sanctions import Sanction
from storage import rows
from storage.database import Database
from storage.schema import sanctions


class Sanctions:
    """A SanctionLog."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, person: PersonKey) -> list[Sanction]:
        """A person's sanctions, oldest first."""
        return await self._database.read(partial(sanctions_of, person))


def sanctions_of(person: PersonKey, connection: Connection) -> list[Sanction]:
    theirs = rows.belongs_to(sanctions, person)
    log = select(sanctions).where(theirs).order_by(sanctions.c.at, sanctions.c.id)
    return [rows.to_sanction(row) for row in connection.execute(log)]
