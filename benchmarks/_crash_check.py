"""What must be in the record after a crash, worked out from the accepted messages alone, and what is in it.

Reads SQLite directly and repeats the ladder and the prompt's form, so that it shares no code with what it checks.
"""

import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks._script import LOVE, number_in

# (kind, whose, what, …)
Fact = tuple[str, ...]
Facts = Counter[Fact]

_LOVE_LADDER_S = (0, 3600, 86400, 14 * 86400, 1461 * 86400)
_UNFINISHED = {
    "unanswered": "SELECT count(*) FROM inbox WHERE state = 'waiting'",
    "undelivered": "SELECT count(*) FROM outbox WHERE state = 'waiting'",
    "unremembered": "SELECT count(*) FROM turns WHERE bookkeeping = 'due'",
}


@dataclass
class Verdict:
    """What a check found. `lost`: should be there and is not; `doubled`: is there once too often."""

    lost: Facts = field(default_factory=Counter)
    doubled: Facts = field(default_factory=Counter)
    unfinished: int = 0
    damage: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Nothing to complain of."""
        return not (self.lost or self.doubled or self.unfinished or self.damage)


@dataclass(frozen=True)
class Files:
    """What one series of lives leaves in its folder."""

    folder: Path

    @property
    def record(self) -> Path:
        """The SQLite file."""
        return self.folder / "ohlora.db"

    @property
    def posts(self) -> Path:
        """One message id a line: its reply reached the platform."""
        return self.folder / "posts.txt"

    @property
    def accepted(self) -> Path:
        """One message id a line: `receive` said that it is in the inbox."""
        return self.folder / "accepted.txt"


def left_behind(files: Files) -> dict[str, int]:
    """What a killed service did not finish; read from a copy: the next start meets the files as they were left."""
    copy = files.folder / "seen"
    copy.mkdir()
    for name in (files.record.name, f"{files.record.name}-wal"):
        if (files.folder / name).exists():
            shutil.copy(files.folder / name, copy / name)
    with closing(sqlite3.connect(copy / files.record.name)) as database:
        return _unfinished(database)


def check(files: Files, *, recognises: bool, everything: int | None = None) -> Verdict:
    """Compare the record with what it must be. `everything`: that many messages must have been accepted by now."""
    with closing(sqlite3.connect(files.record)) as database:
        accepted = list(database.execute("SELECT user_id, message_id, text FROM inbox ORDER BY id"))
        must, there = _expected(accepted), _found(database)
        verdict = Verdict(must - there, there - must, sum(_unfinished(database).values()), _damage(database))
        unknown = {row[0] for row in database.execute(_UNKNOWN)}
    present = {message_id for _, message_id, _ in accepted}
    verdict.lost.update(("inbox", message_id) for message_id in _lines(files.accepted) if message_id not in present)
    if everything is not None and len(present) != everything:
        verdict.lost[("inbox", f"{everything - len(present)} messages")] += 1
    _check_posts(verdict, present, unknown, Counter(_lines(files.posts)), recognises=recognises)
    return verdict


def _check_posts(
    verdict: Verdict, present: set[str], unknown: set[str], posts: Counter[str], *, recognises: bool
) -> None:
    """Where repetitions are recognised every reply arrives; where not, none twice, and one that began is marked."""
    verdict.lost.update(
        ("post", message_id) for message_id in present if not posts[message_id] and message_id not in unknown
    )
    if recognises:
        verdict.lost.update(("post", message_id) for message_id in unknown)
    else:
        verdict.doubled.update({("post", message_id): count - 1 for message_id, count in posts.items() if count > 1})


def _expected(accepted: Iterable[tuple[str, str, str]]) -> Facts:
    facts: Facts = Counter()
    loves: Counter[str] = Counter()
    summaries: dict[str, str] = {}
    met: set[str] = set()
    for user_id, message_id, text in accepted:
        number, period = number_in(text), 0
        before = f"(오로라 답변 요약) {summaries[user_id]} (사용자 질문) " if user_id in summaries else ""
        facts["turn", message_id, before + text] += 1
        loving = LOVE in text
        facts["reply", message_id, f"미안, {number}번은 부담스러워" if loving else f"{number}번 취미 좋다!"] += 1
        if user_id not in met:
            facts["introduction", user_id, message_id] += 1
            met.add(user_id)
        if loving:
            period = _LOVE_LADDER_S[loves[user_id]]
            loves[user_id] += 1
            facts["sanction", user_id, message_id, "love", str(loves[user_id]), str(period)] += 1
        if not period:
            summaries[user_id] = f"{number}번 요약"
            facts["memory", user_id, message_id, f"취미 {number}", f"{number}번 이야기"] += 1
    facts.update(("summary", user_id, text) for user_id, text in summaries.items())
    return facts


_TURN = "FROM turns JOIN inbox ON inbox.id = turns.inbox_id"
_OUTBOX = f"{_TURN} JOIN outbox ON outbox.turn_id = turns.id"
# a reply that never began to leave must be sent, whatever the platform
_UNKNOWN = f"SELECT message_id {_OUTBOX} WHERE outbox.state = 'unknown' AND begun_at IS NOT NULL"
_FACTS = (
    f"SELECT 'turn', message_id, final_input {_TURN}",
    f"SELECT 'reply', message_id, outbox.text {_OUTBOX}",
    f"""SELECT 'introduction', user_id, message_id {_OUTBOX} WHERE notices LIKE '%"introduction"%'""",
    "SELECT 'sanction', cases.user_id, message_id, category, CAST(step AS TEXT), CAST(period_us / 1000000 AS TEXT)"
    f" {_TURN} JOIN cases ON cases.turn_id = turns.id",
    f"SELECT 'memory', memories.user_id, message_id, key, value {_TURN} JOIN memories ON memories.turn_id = turns.id",
    "SELECT 'summary', user_id, text FROM summaries",
)


def _found(database: sqlite3.Connection) -> Facts:
    return Counter(row for query in _FACTS for row in database.execute(query))


def _unfinished(database: sqlite3.Connection) -> dict[str, int]:
    return {name: database.execute(query).fetchone()[0] for name, query in _UNFINISHED.items()}


def _damage(database: sqlite3.Connection) -> list[str]:
    """What SQLite itself complains of."""
    wrong = [str(row[0]) for row in database.execute("PRAGMA integrity_check") if row[0] != "ok"]
    return wrong + [json.dumps(row) for row in database.execute("PRAGMA foreign_key_check")]


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []
