"""How often a turn asks its database: on a server every statement is a journey."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from core.ports import Delivery, Fence
from storage.record import Record
from tests.storage.case_samples import DAY
from tests.storage.samples import HOME, MINA, NOON, exactly, item, learn, message, sanction, summary, turn

pytestmark = pytest.mark.asyncio


@contextmanager
def statements() -> Iterator[list[str]]:
    """Those that are carried out inside, but for begin, commit and savepoints."""
    carried_out: list[str] = []

    def heard(_: Any, __: Any, statement: str, *___: Any) -> None:
        if statement.split()[0] in ("SELECT", "INSERT", "UPDATE", "DELETE"):
            carried_out.append(statement)

    event.listen(Engine, "before_cursor_execute", heard)
    try:
        yield carried_out
    finally:
        event.remove(Engine, "before_cursor_execute", heard)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue({"sqlite": "sqlite_url", "postgres": "postgres_url"}[request.param]))


async def test_what_is_known_of_a_person_is_not_read_again(record: Record) -> None:
    await learn(record, 1, item())
    with statements() as first:
        await record.turns.past(MINA, HOME)
    with statements() as then:
        for _ in range(3):
            await record.turns.past(MINA, HOME)
    assert (len(first), len(then)) == (4, 3)


@pytest.mark.parametrize(("fence", "number"), [(None, 11), (Fence("partition 1", 1), 13)])
async def test_an_ordinary_turn_takes_few_statements(record: Record, fence: Fence | None, number: int) -> None:
    await learn(record, 1, item())
    await record.turns.past(MINA, HOME)
    asked = message(2)
    with statements() as carried_out:
        await record.turns.receive(asked)
        await record.turns.past(MINA, HOME)
        turn_id = await record.turns.commit(turn(asked), fence)
        await record.turns.begin(turn_id, NOON)
        await record.turns.end(turn_id, Delivery.DELIVERED)
        await record.turns.remember(turn_id, exactly(add=item(value="새것")), summary(), fence)
    assert len(carried_out) == number
    with statements() as after:
        assert len((await record.turns.past(MINA, HOME)).items) == 2
    assert len(after) == 1


async def test_telling_somebody_of_a_case_changes_nothing_a_turn_reads(record: Record) -> None:
    await record.turns.receive(message(1))
    turn_id = await record.turns.commit(turn(message(1), sanction("hate", DAY)))
    await record.turns.past(MINA, HOME)
    await record.turns.end(turn_id, Delivery.DELIVERED)
    with statements() as carried_out:
        (case,) = (await record.turns.past(MINA, HOME)).cases
    assert case.sanction.category == "hate"
    assert len(carried_out) == 1
