"""What every MemoryStore must do; the `record` fixture gives an empty record."""

from datetime import timedelta

import numpy as np
import pytest

from core.messages import ChatKey, PersonKey
from storage.record import Record
from tests.storage.samples import (
    HOME,
    JUN,
    MINA,
    NOON,
    SERVER,
    begin,
    exactly,
    item,
    last_summary,
    learn,
    summary,
    texts,
)


class MemoryStoreContract:
    async def test_an_item_comes_back_as_it_was_with_an_id(self, record: Record) -> None:
        learnt = item("내일 일정", "면접", "server")
        item_id = await learn(record, 1, learnt)
        (known,) = await record.memories.items(MINA)
        assert known.item_id == item_id > 0
        assert (known.key, known.value, known.scope, known.learned_at) == ("내일 일정", "면접", "server", NOON)
        assert known.vector.dtype == np.float32
        assert np.array_equal(known.vector, learnt.vector)
        assert known.aged_vector is not None
        assert np.array_equal(known.aged_vector, -learnt.vector)

    async def test_an_item_that_does_not_age_has_no_aged_vector(self, record: Record) -> None:
        await learn(record, 1, item())
        assert (await record.memories.items(MINA))[0].aged_vector is None

    async def test_items_come_oldest_first_in_the_order_they_were_learned(self, record: Record) -> None:
        for number, hours in enumerate((2, 1, 1, 3)):
            await learn(record, number, item(value=f"{number}", at=NOON + timedelta(hours=hours)))
        assert [known.value for known in await record.memories.items(MINA)] == ["1", "2", "0", "3"]

    async def test_nobody_sees_or_loses_anything_through_another_person(self, record: Record) -> None:
        namesake = PersonKey("discord", MINA.user_id)
        await learn(record, 1, item(value="theirs"), namesake, ChatKey("discord", HOME.chat_id, True))
        mine = await learn(record, 1, item(value="mine"), MINA, SERVER)
        jun = await begin(record, 2, JUN, SERVER)
        await record.turns.remember(jun, exactly((mine, 12345), item(value="jun's")), summary("jun's"))
        assert await record.memories.forget(JUN, mine) == 0
        assert await record.memories.forget(JUN) == 1
        assert await last_summary(record, JUN, SERVER) is None
        assert await texts(record, MINA) == ["[좋아하는 가수: mine]"]
        assert await texts(record, namesake) == ["[좋아하는 가수: theirs]"]
        last = await last_summary(record, MINA, SERVER)
        assert last is not None
        assert last.text == "summary of mine"

    async def test_a_change_deletes_and_adds_in_one_go(self, record: Record) -> None:
        ids = [await learn(record, number, item(value=str(number))) for number in range(3)]
        turn_id = await begin(record, 9)
        await record.turns.remember(turn_id, exactly((ids[0], ids[2]), item(value="new")), None)
        assert sorted(await texts(record, MINA)) == ["[좋아하는 가수: 1]", "[좋아하는 가수: new]"]

    async def test_the_id_of_a_forgotten_item_never_comes_back(self, record: Record) -> None:
        old = await learn(record, 1, item(value="old"))
        await record.memories.forget(MINA, old)
        assert await learn(record, 2, item(value="new")) > old

    async def test_items_of_every_scope_are_given(self, record: Record) -> None:
        for number, scope in enumerate(("", "server", "other")):
            await learn(record, number, item(value=str(number), scope=scope))
        assert [known.scope for known in await record.memories.items(MINA)] == ["", "server", "other"]

    async def test_a_summary_belongs_to_one_person_in_one_chat_and_the_last_one_counts(self, record: Record) -> None:
        for number, (person, chat) in enumerate([(MINA, HOME), (MINA, SERVER), (JUN, SERVER), (MINA, HOME)]):
            await learn(record, number, item(value=str(number)), person, chat)
        known = [await last_summary(record, *where) for where in ((MINA, HOME), (MINA, SERVER), (JUN, SERVER))]
        assert [last and last.text for last in known] == ["summary of 3", "summary of 1", "summary of 2"]
        assert known[0] is not None
        assert np.array_equal(known[0].vector, summary().vector)
        assert await last_summary(record, JUN, HOME) is None

    async def test_a_turn_without_summary_takes_the_old_one_away(self, record: Record) -> None:
        await learn(record, 1, item())
        await record.turns.remember(await begin(record, 2), exactly(), None)
        assert await last_summary(record) is None
        assert len(await texts(record, MINA)) == 1

    async def test_forgetting_one_item_leaves_the_others_and_the_summary(self, record: Record) -> None:
        ids = [await learn(record, number, item(value=str(number))) for number in range(2)]
        assert await record.memories.forget(MINA, ids[0]) == 1
        assert await record.memories.forget(MINA, ids[0]) == 0
        assert await texts(record, MINA) == ["[좋아하는 가수: 1]"]
        assert await last_summary(record) is not None

    async def test_forgetting_all_takes_every_item_and_summary(self, record: Record) -> None:
        await learn(record, 1, item(value="1"))
        await learn(record, 2, item(value="2"), MINA, SERVER)
        assert await record.memories.forget(MINA) == 2
        assert await texts(record, MINA) == []
        assert [await last_summary(record, MINA, chat) for chat in (HOME, SERVER)] == [None, None]

    @pytest.mark.parametrize("item_id", [0, -1, 10**30])
    async def test_forgetting_an_item_that_cannot_exist_is_zero_items(self, record: Record, item_id: int) -> None:
        await learn(record, 1, item())
        assert await record.memories.forget(MINA, item_id) == 0
