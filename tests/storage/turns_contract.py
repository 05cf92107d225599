"""What every TurnStore must do, whatever database is under it; the `record` fixture gives an empty record."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from core.errors import RecordError
from core.memory import MemoryChange, MemoryItem
from core.messages import ChatKey, Notice, NoticeKind, PersonKey, Reply, Turn
from core.people import Person
from core.ports import Delivery, Past, Undelivered
from core.sanctions import Evidence
from storage.record import Record
from tests.storage.samples import (
    HOME,
    JUN,
    MINA,
    NOON,
    SERVER,
    begin,
    exactly,
    issued_to,
    item,
    last_summary,
    learn,
    message,
    sanction,
    summary,
    texts,
    told,
    turn,
    with_text,
)

STRANGE_TEXTS = {
    "empty": "",
    "lone surrogates": "\ud800 a \udfff \udfff\ud800",
    "a pair of surrogates apart": "\ud83d\ude00",
    "NUL and SUB": "\x00 \x1a \x1ad800",
    "control and bidi": "\x01\x1b[31m\u202e\u2066abc\u2069\r\n",
    "100,000 characters": "가" * 100_000,
    "beyond the BMP": "😀\U0010ffff",
    "SQL": "'; DROP TABLE inbox; --",
}


class TurnStoreContract:
    async def test_bookkeeping_that_was_late_does_not_put_an_older_summary_back(self, record: Record) -> None:
        older, newer = await begin(record, 1), await begin(record, 2)
        await record.turns.remember(newer, exactly(), summary("newer"))
        await record.turns.remember(older, exactly(), summary("older"))
        kept = await last_summary(record)
        assert kept is not None
        assert kept.text == "newer"

    async def test_a_message_is_received_once(self, record: Record) -> None:
        assert [await record.turns.receive(message()) for _ in range(3)] == [True, False, False]
        assert await record.turns.unanswered() == [message()]

    async def test_a_duplicate_does_not_replace_what_was_received(self, record: Record) -> None:
        await record.turns.receive(message())
        assert not await record.turns.receive(with_text(message(), "something else"))
        assert await record.turns.unanswered() == [message()]

    async def test_where_and_how_to_answer_comes_back_as_it_was(self, record: Record) -> None:
        asked = replace(message(chat=ChatKey("console", "lounge", False, "guild")), via="token")
        await record.turns.receive(asked)
        assert await record.turns.unanswered() == [asked]
        left = turn(asked)
        turn_id = await record.turns.commit(left)
        assert [one.reply for one in await record.turns.undelivered()] == [left.reply]
        assert await record.turns.unremembered() == [(turn_id, left)]

    async def test_the_same_message_id_in_another_chat_or_platform_is_another_message(self, record: Record) -> None:
        elsewhere = replace(message(), person=PersonKey("other", "mina"), chat=ChatKey("other", "home", True))
        for asked in (message(), message(chat=SERVER), elsewhere):
            assert await record.turns.receive(asked)
        assert len(await record.turns.unanswered()) == 3

    @pytest.mark.parametrize("text", STRANGE_TEXTS.values(), ids=STRANGE_TEXTS.keys())
    async def test_any_text_comes_back_as_it_was(self, record: Record, text: str) -> None:
        asked = with_text(message(), text)
        await record.turns.receive(asked)
        assert await record.turns.unanswered() == [asked]
        left = Turn(Reply(asked, text), f"> {text}")
        turn_id = await record.turns.commit(left)
        assert await record.turns.unremembered() == [(turn_id, left)]
        strange = item(key=text, value=text, scope=text)
        await record.turns.remember(turn_id, exactly(add=strange), summary(text))
        (known,) = await record.memories.items(MINA)
        last = await last_summary(record)
        assert (known.key, known.value, known.scope) == (text, text, text)
        assert last is not None
        assert last.text == text

    async def test_strange_ids_are_ids_too(self, record: Record) -> None:
        person = PersonKey("console", "\ud800\x00")
        asked = replace(message(person=person), message_id="\udfff", chat=ChatKey("console", "\x00", True))
        assert [await record.turns.receive(asked) for _ in range(2)] == [True, False]
        turn_id = await record.turns.commit(turn(asked, sanction()))
        await record.turns.remember(turn_id, exactly(add=item()), None)
        assert await texts(record, person) == ["[좋아하는 가수: 에스파]"]
        assert len(await record.cases.of(person)) == 1

    async def test_a_time_without_zone_is_refused_and_leaves_nothing(self, record: Record) -> None:
        naive = datetime(2025, 11, 21)  # noqa: DTZ001
        with pytest.raises(RecordError, match="no time zone"):
            await record.turns.receive(replace(message(), sent_at=naive))
        assert await record.turns.receive(message())

    async def test_times_come_back_in_utc(self, record: Record) -> None:
        seoul = timezone(timedelta(hours=9))
        await record.turns.receive(replace(message(), sent_at=NOON.astimezone(seoul)))
        (asked,) = await record.turns.unanswered()
        assert asked.sent_at == NOON
        assert asked.sent_at.tzinfo is UTC

    async def test_a_person_of_another_platform_than_the_chat_is_refused(self, record: Record) -> None:
        with pytest.raises(RecordError, match="cannot write in a chat"):
            await record.turns.receive(message(person=PersonKey("discord", "mina")))

    async def test_a_committed_turn_is_no_longer_unanswered_but_undelivered_and_unremembered(
        self, record: Record
    ) -> None:
        asked = message()
        await record.turns.receive(asked)
        left = turn(asked, sanction("love"), sanction("politics"))
        turn_id = await record.turns.commit(left)
        left = told(left, 1, 2)
        assert await record.turns.unanswered() == []
        assert await record.turns.undelivered() == [Undelivered(turn_id, left.reply, None)]
        assert await record.turns.unremembered() == [(turn_id, left)]

    async def test_a_turn_without_answer_comes_back_as_it_was(self, record: Record) -> None:
        asked = message()
        await record.turns.receive(asked)
        told = Reply(asked, notices=(Notice(NoticeKind.EMPTY, "응?"),))
        turn_id = await record.turns.commit(Turn(told))
        assert await record.turns.undelivered() == [Undelivered(turn_id, told, None)]
        assert await record.turns.unremembered() == []

    async def test_an_empty_reply_is_nothing_to_deliver_or_remember(self, record: Record) -> None:
        await record.turns.receive(message())
        await record.turns.commit(Turn(Reply(message())))
        assert await record.turns.unanswered() == []
        assert await record.turns.undelivered() == []
        assert await record.turns.unremembered() == []

    async def test_committing_a_message_twice_writes_nothing_again(self, record: Record) -> None:
        asked = message()
        await record.turns.receive(asked)
        first = await record.turns.commit(turn(asked, sanction()))
        assert await record.turns.commit(turn(asked, sanction("hate"))) == first
        assert [issued.category for issued in await issued_to(MINA, record)] == ["love"]
        assert len(await record.turns.undelivered()) == 1

    async def test_committing_at_the_same_time_gives_one_turn(self, record: Record) -> None:
        asked = message()
        await record.turns.receive(asked)
        ids = await asyncio.gather(*(record.turns.commit(turn(asked, sanction())) for _ in range(10)))
        assert len(set(ids)) == 1
        assert len(await record.cases.of(MINA)) == 1

    async def test_a_turn_of_a_message_never_received_is_refused(self, record: Record) -> None:
        with pytest.raises(RecordError, match="not in the inbox"):
            await record.turns.commit(turn(message(), sanction()))
        assert await record.cases.of(MINA) == []

    async def test_a_waiting_message_has_its_newest_text(self, record: Record) -> None:
        for number in (1, 2):
            await record.turns.receive(message(number))
        await record.turns.amend(with_text(message(1), "새 \ud800 글"))
        assert await record.turns.unanswered() == [with_text(message(1), "새 \ud800 글"), message(2)]

    async def test_changing_a_message_that_does_not_wait_changes_nothing(self, record: Record) -> None:
        await begin(record, 1)
        await record.turns.receive(message(2))
        await record.turns.discard(message(2))
        for number in (1, 2, 3):
            await record.turns.amend(with_text(message(number), "너무 늦었어"))
        assert [left.reply for left in await record.turns.undelivered()] == [turn(message(1)).reply]
        assert await record.turns.unanswered() == []
        assert "너무 늦었어" not in str(await record.people.export(MINA))

    async def test_a_discarded_message_is_not_taken_up_again(self, record: Record) -> None:
        await record.turns.receive(message())
        await record.turns.discard(message())
        assert await record.turns.unanswered() == []
        assert not await record.turns.receive(message())

    async def test_discarding_leaves_an_answered_message_answered(self, record: Record) -> None:
        turn_id = await begin(record, 1)
        await record.turns.discard(message(1))
        assert await waiting_ids(record) == [turn_id]

    @pytest.mark.parametrize("outcome", Delivery)
    async def test_a_marked_reply_is_not_undelivered(self, record: Record, outcome: Delivery) -> None:
        first, second = await begin(record, 1), await begin(record, 2)
        await record.turns.end(first, outcome)
        await record.turns.end(first, outcome)
        assert await waiting_ids(record) == [second]

    async def test_the_first_time_a_delivery_began_counts(self, record: Record) -> None:
        first, second = await begin(record, 1), await begin(record, 2)
        for minutes in (0, 1):
            await record.turns.begin(first, NOON + timedelta(minutes=minutes))
        left = await record.turns.undelivered()
        assert [(one.turn_id, one.begun) for one in left] == [(first, NOON), (second, None)]

    async def test_a_delivery_that_certainly_did_not_happen_never_began(self, record: Record) -> None:
        first, second = await begin(record, 1), await begin(record, 2)
        for turn_id in (first, second):
            await record.turns.begin(turn_id, NOON)
        await record.turns.begin(first, None)
        assert [one.begun for one in await record.turns.undelivered()] == [None, NOON]
        await record.turns.begin(first, NOON + timedelta(minutes=1))
        assert [one.begun for one in await record.turns.undelivered()] == [NOON + timedelta(minutes=1), NOON]

    async def test_marking_or_remembering_a_turn_that_does_not_exist_is_refused(self, record: Record) -> None:
        with pytest.raises(RecordError, match="no turn 7"):
            await record.turns.end(7, Delivery.DELIVERED)
        with pytest.raises(RecordError, match="no turn 7"):
            await record.turns.remember(7, exactly(), None)

    async def test_unfinished_work_comes_oldest_first(self, record: Record) -> None:
        for number in (3, 1, 2):
            await record.turns.receive(message(number))
        assert [asked.message_id for asked in await record.turns.unanswered()] == ["m3", "m1", "m2"]
        ids = [await record.turns.commit(turn(message(number))) for number in (2, 3, 1)]
        assert await waiting_ids(record) == ids
        assert [waiting for waiting, _ in await record.turns.unremembered()] == ids

    async def test_a_turn_knows_its_past_and_nobody_elses(self, record: Record) -> None:
        assert await record.turns.past(MINA, HOME) == Past(Person(), [], [], None)
        await learn(record, 1, item(value="1"))
        await learn(record, 2, item(value="2", scope="server"), MINA, SERVER)
        await learn(record, 3, item(value="3"), JUN, SERVER)
        await record.turns.receive(message(4))
        await record.turns.commit(turn(message(4), sanction()))
        await record.people.pause(MINA, True)
        past = await record.turns.past(MINA, SERVER)
        assert past.person == Person(paused=True)
        assert [case.sanction for case in past.cases] == [replace(sanction(), evidence=Evidence())]
        assert [known.text for known in past.items] == ["[좋아하는 가수: 1]", "[좋아하는 가수: 2]"]
        assert past.summary is not None
        assert past.summary.text == "summary of 2"
        assert (await record.turns.past(JUN, HOME)).summary is None

    async def test_a_change_follows_from_what_is_known_when_it_is_made(self, record: Record) -> None:
        """Turns that change the same items do not undo each other."""

        def one_more(items: Sequence[MemoryItem]) -> MemoryChange:
            return MemoryChange(tuple(known.item_id for known in items), item(value=f"{len(items)} {items[-1].value}"))

        await learn(record, 1, item(value="처음"))
        turn_ids = [await begin(record, number) for number in (2, 3, 4)]
        await asyncio.gather(*(record.turns.remember(turn_id, one_more, None) for turn_id in turn_ids))
        assert await texts(record, MINA) == ["[좋아하는 가수: 1 1 1 처음]"]

    async def test_a_turn_is_remembered_exactly_once(self, record: Record) -> None:
        turn_id = await begin(record, 1)
        for value in ("first", "second", "third"):
            await record.turns.remember(turn_id, exactly(add=item(value=value)), summary(value))
        assert await texts(record, MINA) == ["[좋아하는 가수: first]"]
        last = await last_summary(record)
        assert last is not None
        assert last.text == "first"
        assert await record.turns.unremembered() == []

    async def test_a_turn_that_ends_in_a_block_leaves_no_memory_and_no_summary(self, record: Record) -> None:
        asked = message()
        await record.turns.receive(asked)
        turn_id = await record.turns.commit(turn(asked, sanction("insult", timedelta(days=7))))
        assert await record.turns.unremembered() == []
        await record.turns.remember(turn_id, exactly(add=item()), summary())
        assert await texts(record, MINA) == []
        assert await last_summary(record) is None

    async def test_many_write_at_once(self, record: Record) -> None:
        people = [PersonKey("console", str(number)) for number in range(100)]
        await asyncio.gather(
            *(learn(record, 1, item(value=person.user_id), person, ChatKey("console", person.user_id, True))
              for person in people)
        )  # fmt: skip
        for person in people:
            assert await texts(record, person) == [f"[좋아하는 가수: {person.user_id}]"]
        assert await record.turns.unremembered() == []
        assert len(await record.turns.undelivered()) == 100

    async def test_what_was_heard_last_is_known_per_platform(self, record: Record) -> None:
        assert await record.turns.last_heard("console") is None
        for number in (2, 3, 1):
            await record.turns.receive(message(number))
        await record.turns.receive(message(9, PersonKey("discord", "mina"), ChatKey("discord", "home", True)))
        assert await record.turns.last_heard("console") == NOON + timedelta(minutes=3)
        assert await record.turns.last_heard("telegram") is None

    async def test_private_chats_come_most_recent_first_and_no_more_than_wanted(self, record: Record) -> None:
        chats = [ChatKey("console", name, True) for name in ("old", "first", "second", "third")]
        for number, chat in enumerate([*chats, chats[1], SERVER]):
            await record.turns.receive(message(number, chat=chat))
        await record.turns.receive(message(9, PersonKey("discord", "mina"), ChatKey("discord", "home", True)))
        recent = await record.turns.private_chats("console", NOON, 10)
        assert recent == [chats[1], chats[3], chats[2]]
        assert await record.turns.private_chats("console", NOON, 2) == recent[:2]
        assert await record.turns.private_chats("console", NOON + timedelta(minutes=4), 10) == []


async def waiting_ids(record: Record) -> list[int]:
    return [left.turn_id for left in await record.turns.undelivered()]
