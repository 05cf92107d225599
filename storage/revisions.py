"""The revision of a person: another number whenever a turn would find something else.

It is changed in the transaction that changes what is kept of the person, so whoever holds a copy that has the number in
the record holds the truth. 0 is the number of people of whom nothing was changed since there are revisions.
"""

import time

from sqlalchemy import CompoundSelect, Connection, tuple_, update

from core.messages import PersonKey
from storage import rows
from storage.dialect import count_up
from storage.schema import people


def first() -> int:
    """Of a new row; by the clock, in µs, so that somebody who comes back after a deletion gets no number twice."""
    return time.time_ns() // 1000


def bump(person: PersonKey, connection: Connection) -> int:
    """The next one. Nobody else changes what is kept of the person until the transaction ends."""
    return count_up(connection, people, of_new(person), "revision")


def bump_all(of: CompoundSelect[str, str], connection: Connection) -> None:
    """The next one for each (platform, user_id) that `of` selects."""
    theirs = tuple_(people.c.platform, people.c.user_id).in_(of)
    connection.execute(update(people).where(theirs).values(revision=people.c.revision + 1))


def of_new(person: PersonKey) -> rows.Values:
    """The row of somebody of whom there was none."""
    return {**rows.of_person(person), "introduced": False, "paused": False, "revision": first()}
