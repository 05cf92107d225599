"""Watching what is committed, by whatever connection."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine


@contextmanager
def at_commits(look: Callable[[Connection], None]) -> Iterator[None]:
    """`look` is called before every commit of any connection, while this lasts."""
    event.listen(Engine, "commit", look)
    try:
        yield
    finally:
        event.remove(Engine, "commit", look)


@contextmanager
def commits() -> Iterator[list[Connection]]:
    """All of them."""
    seen: list[Connection] = []

    def note(connection: Connection) -> None:
        seen.append(connection)

    with at_commits(note):
        yield seen
