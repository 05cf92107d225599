"""A record that was used for years: people, turns with a memory each, and cases, made by the database itself."""

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks._scale_crowd import PLATFORM, WIDTH
from tests.postgres_server import PostgresServer

# scatters people over the indexes, as real ids are
_SCATTER = 2654435761
_VECTOR = (b"\0\0\x80?" + bytes(4 * (WIDTH - 1))).hex()
_EPOCH = 1700000000
# how each says it: the numbers n from 0 on, the hexadecimal form of a number, a time, bytes
_SQLITE: Mapping[str, str] = {
    "numbers": "WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers LIMIT {rows})",
    "hex": "printf('%08x', {number})",
    "at": f"strftime('%Y-%m-%d %H:%M:%f000', {_EPOCH} + n, 'unixepoch')",
    "vector": f"X'{_VECTOR}'",
}
_POSTGRES: Mapping[str, str] = {
    "numbers": "WITH numbers(n) AS (SELECT generate_series(0::bigint, {rows} - 1))",
    "hex": "lpad(to_hex({number}), 8, '0')",
    "at": f"to_timestamp({_EPOCH} + n)",
    "vector": f"'\\x{_VECTOR}'::bytea",
}
# tables whose next row has to get an id after those that are made here
_COUNTING = {"inbox": "id", "turns": "id", "memories": "id", "cases": "number"}


@dataclass(frozen=True)
class Size:
    """How many of each; every memory has a turn of its own, and every person a summary."""

    people: int
    memories: int
    cases: int


def user_id(number: int) -> str:
    """Of the person with this number; numbers from `Size.people` on are nobody yet."""
    return f"{number * _SCATTER % 2**32:08x}"


def fill_sqlite(record: Path, size: Size, told: Callable[[str], None]) -> None:
    """Fill an empty record in a file; `told` hears the name of each table before it is filled."""
    with closing(sqlite3.connect(record)) as database:
        database.execute("PRAGMA synchronous = OFF")
        for table, statement in _statements(size, _SQLITE):
            told(table)
            with database:
                database.execute(statement)
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def fill_postgres(server: PostgresServer, database: str, size: Size, told: Callable[[str], None]) -> None:
    """The same, on a server."""
    for table, statement in _statements(size, _POSTGRES):
        told(table)
        server.sql(statement, database)
        if (column := _COUNTING.get(table)) is not None:
            last = f"(SELECT max({column}) FROM {table})"
            server.sql(f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), {last})", database)
    # what the server does by itself in the background, some time later
    server.sql("VACUUM ANALYZE", database)
    server.sql("CHECKPOINT", database)


def _statements(size: Size, words: Mapping[str, str]) -> list[tuple[str, str]]:
    """(table, how its rows are made), what refers to others last."""
    platform, user = f"'{PLATFORM}'", words["hex"].format(number=f"n % {size.people} * {_SCATTER} % {2**32}")
    home, at, vector = f"'home of ' || {user}", words["at"], words["vector"]
    whose = "platform, user_id"
    filled = [
        ("people", size.people, f"{whose}, introduced, paused", f"{platform}, {user}, TRUE, FALSE"),
        (
            "inbox",
            size.memories,
            f"id, {whose}, chat_id, message_id, private, text, sent_at, language, state",
            f"n + 1, {platform}, {user}, {home}, 'old' || n, TRUE, '취미 이야기', {at}, 'ko', 'answered'",
        ),
        (
            "turns",
            size.memories,
            "id, inbox_id, final_input, ethics_scores, bookkeeping",
            "n + 1, n + 1, '취미 이야기', '{}', 'done'",
        ),
        ("outbox", size.memories, "turn_id, text, notices, state", "n + 1, '응!', '[]', 'delivered'"),
        (
            "memories",
            size.memories,
            f"id, turn_id, {whose}, scope, key, value, learned_at, vector",
            f"n + 1, n + 1, {platform}, {user}, '', '취미 ' || n, '이야기', {at}, {vector}",
        ),
        (
            "summaries",
            size.people,
            f"{whose}, chat_id, text, vector, turn_id",
            f"{platform}, {user}, {home}, '', {vector}, 1",
        ),
        (
            "cases",
            size.cases,
            f"number, turn_id, {whose}, chat_id, place_id, private, language, everywhere, category, step, at,"
            " period_us, mode, prompt, answer, blanked, scores, thresholds, encoder, week, state, ends_at, answered,"
            " waited_us, longest_us",
            f"n + 1, n + 1, {platform}, {user}, {home}, {home}, TRUE, 'ko', TRUE, 'love', 1, {at},"
            f" 0, 'enforce', '사귀자', '미안', FALSE, '{{}}', '{{}}', 'crowd', '2023-11-13', 'open', {at}, 0,"
            " 0, 0",
        ),
        ("case_events", size.cases, "number, position, kind, at, text", f"n + 1, 0, 'issued', {at}, ''"),
    ]
    return [
        (table, f"{words['numbers'].format(rows=rows)} INSERT INTO {table} ({columns}) SELECT {values} FROM numbers")
        for table, rows, columns, values in filled
    ]
