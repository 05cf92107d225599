"""Which record this is. What other places keep about a record names it, so that nothing is taken for another's."""

from uuid import uuid4

from sqlalchemy import Connection, delete, insert, select

from storage.schema import notes

NAME = "incarnation"
# a copy is another record, and so is one that goes on from a backup
IS_IT = notes.c.name == NAME


def incarnation_of(connection: Connection) -> str:
    """Made when the record is first opened."""
    found: str | None = connection.scalar(select(notes.c.value).where(IS_IT))
    if found is None:
        found = uuid4().hex
        connection.execute(insert(notes), {"name": NAME, "value": found})
    return found


def begin_anew(connection: Connection) -> None:
    """When it is opened next it is another one."""
    connection.execute(delete(notes).where(IS_IT))
