"""A record that was used for years: people, turns with a memory each, and cases, made by the database itself."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks._scale_crowd import PLATFORM, WIDTH

# scatters people over the indexes, as real ids are
_SCATTER = 2654435761


@dataclass(frozen=True)
class Size:
    """How many of each; every memory has a turn of its own, and every person a summary."""

    people: int
    memories: int
    cases: int


def user_id(number: int) -> str:
    """Of the person with this number; numbers from `Size.people` on are nobody yet."""
    return f"{number * _SCATTER % 2**32:08x}"


def fill(record: Path, size: Size, told: Callable[[str], None]) -> None:
    """Fill an empty record in SQLite; `told` hears the name of each table before it is filled."""
    with closing(sqlite3.connect(record)) as database:
        database.execute("PRAGMA synchronous = OFF")
        for table, rows, statement in _statements(size):
            told(table)
            with database:
                database.execute(f"{_counting(rows)} {statement}", {"platform": PLATFORM, "vector": _vector()})
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _statements(size: Size) -> list[tuple[str, int, str]]:
    """(table, rows, how a row is made from the number n of it), what refers to others last."""
    user = f"printf('%08x', n % {size.people} * {_SCATTER} % {2**32})"
    home = f"'home of ' || {user}"
    at = "strftime('%Y-%m-%d %H:%M:%f000', 1700000000 + n, 'unixepoch')"
    case = (
        f"n + 1, n + 1, :platform, {user}, {home}, {home}, 1, 'ko', 1, 'love', 1, {at}, 0, 'enforce', '사귀자', '미안'"
    )
    return [
        ("people", size.people, f"INSERT INTO people SELECT :platform, {user}, 1, 0 FROM numbers"),
        (
            "inbox",
            size.memories,
            "INSERT INTO inbox (id, platform, chat_id, message_id, user_id, private, text, sent_at, language, state)"
            f" SELECT n + 1, :platform, {home}, 'old' || n, {user}, 1, '취미 이야기', {at}, 'ko', 'answered'"
            " FROM numbers",
        ),
        ("turns", size.memories, "INSERT INTO turns SELECT n + 1, n + 1, '취미 이야기', '{}', 'done' FROM numbers"),
        (
            "outbox",
            size.memories,
            "INSERT INTO outbox (turn_id, text, notices, state) SELECT n + 1, '응!', '[]', 'delivered' FROM numbers",
        ),
        (
            "memories",
            size.memories,
            "INSERT INTO memories"
            f" SELECT n + 1, n + 1, :platform, {user}, '', '취미 ' || n, '이야기', {at}, :vector, NULL FROM numbers",
        ),
        (
            "summaries",
            size.people,
            f"INSERT INTO summaries SELECT :platform, {user}, {home}, '', :vector, 1 FROM numbers",
        ),
        (
            "cases",
            size.cases,
            f"INSERT INTO cases SELECT {case}, 0, '{{}}', '{{}}', 'crowd', '2023-11-13', 'open', {at}, 0, 0, 0"
            " FROM numbers",
        ),
        (
            "case_events",
            size.cases,
            f"INSERT INTO case_events SELECT n + 1, 0, 'issued', {at}, NULL, NULL, '', NULL FROM numbers",
        ),
    ]


def _counting(rows: int) -> str:
    return f"WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers LIMIT {rows})"


def _vector() -> bytes:
    return b"\0\0\x80?" + bytes(4 * (WIDTH - 1))
