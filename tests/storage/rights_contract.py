"""What several processes need of a record to share its work; the `record` fixture gives an empty one, at `url`."""

import asyncio

import pytest

from core.errors import Superseded
from core.messages import MessageKey
from core.ports import Fence, Fences
from storage.record import Record
from tests.storage.samples import JUN, MINA, SERVER, begin, exactly, item, message, texts, turn, with_text

NAME = "partition 7"
OLD, NEW = Fence(NAME, 5), Fence(NAME, 6)


class FencesContract:
    async def test_whoever_lost_a_right_commits_nothing(self, record: Record) -> None:
        await record.turns.receive(message())
        await record.fences.raise_to(NEW)
        with pytest.raises(Superseded, match="'partition 7' is another process's by now"):
            await record.turns.commit(turn(message()), OLD)
        assert await record.turns.unanswered() == [message()]
        assert await record.turns.undelivered() == []

    async def test_whoever_lost_a_right_remembers_nothing(self, record: Record) -> None:
        turn_id = await begin(record, 1)
        await record.fences.raise_to(NEW)
        with pytest.raises(Superseded):
            await record.turns.remember(turn_id, exactly(add=item()), None, OLD)
        assert await texts(record, MINA) == []
        assert [left for left, _ in await record.turns.unremembered()] == [turn_id]

    @pytest.mark.parametrize("raised", [None, OLD, NEW, Fence("partition 8", 9)])
    async def test_whoever_has_the_right_writes(self, record: Record, raised: Fence | None) -> None:
        if raised is not None:
            await record.fences.raise_to(raised)
        await record.turns.receive(message())
        turn_id = await record.turns.commit(turn(message()), NEW)
        await record.turns.remember(turn_id, exactly(add=item()), None, NEW)
        assert len(await texts(record, MINA)) == 1

    async def test_a_right_never_goes_back(self, record: Record) -> None:
        fences: Fences = record.fences
        for fence in (OLD, OLD, NEW):
            await fences.raise_to(fence)
        with pytest.raises(Superseded):
            await fences.raise_to(OLD)
        await fences.raise_to(NEW)

    async def test_once_a_right_is_raised_nothing_more_is_written_by_the_old_one(
        self, record: Record, url: str
    ) -> None:
        messages = [message(number) for number in range(60)]
        for asked in messages:
            await record.turns.receive(asked)
        await record.fences.raise_to(OLD)
        async with await Record.open(url, lock_wait=60) as first, await Record.open(url, lock_wait=60) as other:
            writing = [asyncio.create_task(other.turns.commit(turn(asked), OLD)) for asked in messages]
            await writing[0]
            await first.fences.raise_to(NEW)
            left = await first.turns.unanswered()
            outcomes = await asyncio.gather(*writing, return_exceptions=True)
        assert await record.turns.unanswered() == left
        assert sum(isinstance(outcome, Superseded) for outcome in outcomes) == len(left)
        assert {type(outcome) for outcome in outcomes} <= {int, Superseded}


class WaitingContract:
    async def test_those_that_still_wait_come_as_they_read_now_oldest_first(self, record: Record) -> None:
        for number in (3, 1, 2, 4, 5):
            await record.turns.receive(message(number, chat=SERVER))
        await record.turns.receive(message(9))
        amended = with_text(message(1, chat=SERVER), "새 글")
        await record.turns.amend(amended)
        await record.turns.commit(turn(message(2, chat=SERVER)))
        await record.turns.discard(message(4, chat=SERVER))
        asked = [message(number, chat=SERVER).key for number in (1, 2, 3, 4, 9, 3, 77)]
        assert await record.turns.waiting(asked) == [message(3, chat=SERVER), amended]
        assert await record.turns.waiting([]) == []

    async def test_any_number_of_messages_may_be_asked_for(self, record: Record) -> None:
        await record.turns.receive(message(2))
        await record.turns.receive(message(1))
        nobodys = [MessageKey("console", "\ud800", str(number)) for number in range(500)]
        asked = [message(1).key, *nobodys, message(2).key]
        assert await record.turns.waiting(asked) == [message(2), message(1)]

    async def test_of_some_turns_only_their_replies_are_undelivered(self, record: Record) -> None:
        ids = [await begin(record, number) for number in range(4)]
        for wanted, found in ((ids[1:3], ids[1:3]), ([ids[3], ids[0]], [ids[0], ids[3]]), ([], []), ([10**6], [])):
            assert [left.turn_id for left in await record.turns.undelivered(wanted)] == found
        everything = {*range(-12_000, 0), *ids}
        assert [left.turn_id for left in await record.turns.undelivered(everything)] == ids


class NothingLearnedAnyMoreContract:
    @pytest.mark.parametrize("by", ["forgetting all", "pausing"])
    async def test_what_was_said_before_is_not_learned_after(self, record: Record, by: str) -> None:
        answered = await begin(record, 1)
        await record.turns.receive(message(2))
        juns = await begin(record, 3, JUN, SERVER)
        if by == "forgetting all":
            await record.memories.forget(MINA)
        else:
            await record.people.pause(MINA, True)
            await record.people.pause(MINA, False)
        waited = await record.turns.commit(turn(message(2)))
        for turn_id in (answered, waited):
            await record.turns.remember(turn_id, exactly(add=item()), None)
        assert await texts(record, MINA) == []
        assert [left for left, _ in await record.turns.unremembered()] == [juns]
        assert len(await record.turns.undelivered()) == 3
        await record.turns.remember(await begin(record, 4), exactly(add=item(value="나중")), None)
        assert await texts(record, MINA) == ["[좋아하는 가수: 나중]"]

    async def test_forgetting_one_item_leaves_what_is_being_learned(self, record: Record) -> None:
        turn_id = await begin(record, 1)
        await record.memories.forget(MINA, 1)
        await record.turns.remember(turn_id, exactly(add=item()), None)
        assert len(await texts(record, MINA)) == 1

    async def test_a_turn_that_is_committed_meanwhile_is_not_learned_either(self, record: Record, url: str) -> None:
        messages = [message(number) for number in range(30)]
        for asked in messages:
            await record.turns.receive(asked)

        async def whole(other: Record, number: int) -> None:
            turn_id = await other.turns.commit(turn(messages[number]))
            await other.turns.remember(turn_id, exactly(add=item(value=str(number))), None)

        async with await Record.open(url, lock_wait=60) as first, await Record.open(url, lock_wait=60) as other:
            writing = [asyncio.create_task(whole(other, number)) for number in range(len(messages))]
            await writing[0]
            await first.memories.forget(MINA)
            await asyncio.gather(*writing)
        assert await texts(record, MINA) == []
        assert await record.turns.unremembered() == []
