"""Messages that were set aside: out of everybody's way until somebody decides."""

import pytest

from core.errors import Gone
from core.messages import MessageKey
from storage.record import Record
from tests.storage.samples import message, turn

REASON = "nobody came to its end"


async def bury(record: Record, *numbers: int) -> list[int]:
    """Receive and bury these; their numbers."""
    for number in numbers:
        await record.turns.receive(message(number))
        assert await record.dead.bury(message(number).key, REASON)
    return [letter.number for letter in await record.dead.oldest()]


async def test_a_dead_message_waits_no_more_and_is_listed_without_its_text(record: Record) -> None:
    await bury(record, 1)
    (letter,) = await record.dead.oldest()
    assert (letter.key, letter.person, letter.sent_at) == (message(1).key, message(1).person, message(1).sent_at)
    assert letter.reason == REASON
    assert message(1).text not in repr(letter)
    assert await record.turns.unanswered() == []
    assert await record.turns.waiting([message(1).key]) == []


async def test_one_can_be_looked_at_with_its_text(record: Record) -> None:
    (number,) = await bury(record, 1)
    (letter,) = await record.dead.oldest()
    assert await record.dead.find(number) == (letter, message(1).text)
    assert await record.dead.find(number + 1) is None


async def test_the_oldest_are_listed_and_all_are_counted(record: Record) -> None:
    await bury(record, 1, 2, 3)
    assert [letter.key.message_id for letter in await record.dead.oldest(2)] == ["m1", "m2"]
    assert await record.dead.count() == 3


async def test_a_revived_one_waits_again(record: Record) -> None:
    one, _ = await bury(record, 1, 2)
    assert await record.dead.revive([one, 4711]) == 1
    assert await record.turns.waiting([message(1).key, message(2).key]) == [message(1)]
    assert [letter.key.message_id for letter in await record.dead.oldest()] == ["m2"]


async def test_one_whose_person_was_told_stays_in_the_list(record: Record) -> None:
    await bury(record, 1, 2)
    await record.turns.discard(message(1))
    assert await record.dead.untold() == [message(2)]
    assert await record.dead.count() == 2
    assert await record.dead.revive([letter.number for letter in await record.dead.oldest()]) == 2


async def test_nobody_answers_one_that_was_given_up(record: Record) -> None:
    await bury(record, 1)
    with pytest.raises(Gone):
        await record.turns.commit(turn(message(1)))
    assert await record.dead.count() == 1


async def test_a_dropped_one_never_waits_again(record: Record) -> None:
    one, two = await bury(record, 1, 2)
    assert await record.dead.drop([one, two]) == 2
    assert await record.dead.revive([one, two]) == 0
    assert await record.turns.unanswered() == []


@pytest.mark.parametrize("known", [True, False], ids=["discarded", "never received"])
async def test_only_a_waiting_message_can_be_buried(record: Record, known: bool) -> None:
    if known:
        await record.turns.receive(message(1))
        await record.turns.discard(message(1))
    assert not await record.dead.bury(message(1).key, REASON)
    assert not await record.dead.bury(MessageKey("paper", "nowhere", "m1"), REASON)
    assert await record.dead.count() == 0


async def test_an_apology_leaves_a_dead_one_where_it_is(record: Record) -> None:
    await bury(record, 1)
    await record.turns.discard(message(1))
    assert await record.dead.count() == 1
