"""Messages, turns, items and summaries to put into a record, and ways to look at what is in it."""

import resource
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from core.cases import Case
from core.expression import Expression
from core.memory import MemoryChange, MemoryItem, Summary
from core.messages import ChatKey, IncomingMessage, Notice, NoticeKind, PersonKey, Reply, Turn
from core.notices import numbered
from core.ports import Change
from core.sanctions import Evidence, Sanction
from storage.record import Record

NOON = datetime(2025, 11, 21, 3, 0, 0, 123456, tzinfo=UTC)
MINA, JUN = PersonKey("console", "mina"), PersonKey("console", "jun")
HOME, SERVER = ChatKey("console", "home", True), ChatKey("console", "server", False)


def message(
    number: int = 1, person: PersonKey = MINA, chat: ChatKey = HOME, text: str = "안녕 로라야"
) -> IncomingMessage:
    return IncomingMessage(person, chat, f"m{number}", text, NOON + timedelta(minutes=number), "ko")


def turn(asked: IncomingMessage, *sanctions: Sanction) -> Turn:
    """A turn with everything in it; there is something to remember unless a sanction blocks."""
    notices = tuple(Notice(NoticeKind.WARNING, f"경고: {issued.category}") for issued in sanctions)
    reply = Reply(asked, "반가워! 😊", Expression("아주 크게", "크게", "많이"), notices)
    return Turn(reply, f"(지금은 금요일 오후) {asked.text}", sanctions, {"normal": 0.25, "love": 0.987654321})


def sanction(category: str = "love", period: timedelta = timedelta(0), at: datetime = NOON) -> Sanction:
    evidence = Evidence("사귀자\ud800", "미안\x00", {"love": 0.99}, {"love": 0.98, "normal": 0.5}, "fake-1")
    return Sanction(category, 1, at, period, evidence=evidence)


def told(left: Turn, *numbers: int) -> Turn:
    """The turn as it comes back: its notices name its cases."""
    return replace(left, reply=numbered(left.reply, numbers))


def bare(case: Case) -> Case:
    """As it is read for a standing: without evidence."""
    return replace(case, sanction=replace(case.sanction, evidence=Evidence()))


async def issued_to(person: PersonKey, record: Record) -> list[Sanction]:
    numbers = [case.number for case in await record.cases.of(person)]
    return [case.sanction for case in [await record.cases.get(number) for number in numbers] if case is not None]


def item(key: str = "좋아하는 가수", value: str = "에스파", scope: str = "", at: datetime = NOON) -> MemoryItem:
    vector = np.array([0.1, -0.2, 0.3], dtype=np.float32)
    return MemoryItem(key, value, scope, at, vector, -vector if key.startswith("내일") else None)


def summary(text: str = "인사했다") -> Summary:
    return Summary(text, np.array([1.0, 0.0], dtype=np.float32))


def exactly(forget: tuple[int, ...] = (), add: MemoryItem | None = None) -> Change:
    """A change that does this whatever is known."""
    return lambda items: MemoryChange(forget, add)


async def last_summary(record: Record, person: PersonKey = MINA, chat: ChatKey = HOME) -> Summary | None:
    return (await record.turns.past(person, chat)).summary


async def begin(record: Record, number: int, person: PersonKey = MINA, chat: ChatKey = HOME) -> int:
    """Receive a message and commit its turn; the turn's id."""
    asked = message(number, person, chat)
    assert await record.turns.receive(asked)
    return await record.turns.commit(turn(asked))


async def learn(record: Record, number: int, new: MemoryItem, person: PersonKey = MINA, chat: ChatKey = HOME) -> int:
    """A whole turn that leaves one item and a summary named after it; the item's id."""
    turn_id = await begin(record, number, person, chat)
    await record.turns.remember(turn_id, exactly(add=new), summary(f"summary of {new.value}"))
    return next(known.item_id for known in await record.memories.items(person) if known.value == new.value)


async def texts(record: Record, person: PersonKey) -> list[str]:
    return [known.text for known in await record.memories.items(person)]


def with_text(asked: IncomingMessage, text: str) -> IncomingMessage:
    return replace(asked, text=text)


def dump(path: Path) -> list[str]:
    """Everything in an SQLite file, as statements."""
    connection = sqlite3.connect(path)
    try:
        return list(connection.iterdump())
    finally:
        connection.close()


def run_sql(path: Path, *statements: str) -> None:
    """Change an SQLite file behind the record's back."""
    connection = sqlite3.connect(path)
    try:
        with connection:
            for statement in statements:
                connection.execute(statement)
    finally:
        connection.close()


def first_value(path: Path, statement: str) -> object:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(statement).fetchone()[0]
    finally:
        connection.close()


def content(path: Path) -> bytes:
    return path.read_bytes()


def replace_content(path: Path, new: bytes) -> None:
    """Put other bytes into the same file, under whoever has it open."""
    path.write_bytes(new)


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """The operating system refuses to write past `size` bytes of any file inside."""
    before, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, hard))
