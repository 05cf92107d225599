"""What every HotState must do; the `hot` fixture gives an empty one."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from core.cases import Case, Event, Kind
from core.messages import PersonKey
from core.ports import Counters, Fence, Leases
from core.sanctions import Sanction
from storage.hot import HotState
from storage.known import Known, LastTurn, Learned
from tests.storage.case_samples import LOUNGE
from tests.storage.samples import HOME, JUN, MINA, NOON, SERVER, item, summary

STRANGE = PersonKey("console", "a:b\ud800\x00 *%3A")
WEEK = timedelta(days=7, microseconds=1)
MOMENT_S = 0.2


def known(revision: int = 5, *values: str) -> Known:
    """At a revision, with these items and a summary named after the revision."""
    learnt = [replace(item(value=value), item_id=number) for number, value in enumerate(values or ("1", "2"), 1)]
    return Known(revision, [], learnt, {HOME.chat_id: LastTurn(revision, summary(f"as of {revision}"))})


def learned(revision: int, *, forgotten: tuple[int, ...] = (), value: str = "새것", turn_id: int = 100) -> Learned:
    new = replace(item(value=value, at=NOON + timedelta(hours=1)), item_id=revision + 1000)
    return Learned(MINA, revision, forgotten, new, HOME.chat_id, turn_id, summary(f"of {turn_id}"))


def plain(one: Known | None) -> object:
    """Comparable."""
    if one is None:
        return None
    items = [
        (item.item_id, item.text, item.scope, item.learned_at, item.vector.tolist(), numbers(item.aged_vector))
        for item in one.items
    ]
    last = {
        chat: (last.turn_id, last.summary.text, last.summary.vector.tolist()) for chat, last in one.last_turns.items()
    }
    return one.revision, list(one.cases), items, last


def numbers(vector: NDArray[np.float32] | None) -> list[float] | None:
    return None if vector is None else vector.tolist()


async def values(hot: HotState) -> list[str]:
    """Of the items that are known of somebody."""
    there = await hot.recall(MINA)
    return [] if there is None else [item.value for item in there.items]


class KnownContract:
    async def test_of_whom_nothing_was_kept_nothing_is_known(self, hot: HotState) -> None:
        await hot.keep(MINA, known())
        for other in (JUN, PersonKey("discord", MINA.user_id), PersonKey(f"{MINA.platform}:{MINA.user_id}", "")):
            assert await hot.recall(other) is None
            assert hot.near(other) is None

    @pytest.mark.parametrize("person", [MINA, STRANGE])
    async def test_what_was_kept_comes_back_as_it_was(self, hot: HotState, person: PersonKey) -> None:
        strange = replace(item("내일 \ud800", "'\x00", "a:b"), item_id=2**60)
        warned = Sanction("love", 2, NOON, WEEK)
        log = (
            Event(Kind.ISSUED, NOON),
            Event(Kind.SHORTENED, NOON + WEEK, None, "", timedelta(0)),
            Event(Kind.LIFTED, NOON),
        )
        cases = [
            Case(7, person, LOUNGE, warned, log, turn=3, everywhere=False, language="en"),
            Case(8, person, HOME, warned, log[:1]),
        ]
        last = {"home\udfff:%": LastTurn(2**60, summary("\ud800")), "": LastTurn(1, summary())}
        given = Known(2**50, cases, [replace(item(), item_id=1), strange], last)
        await hot.keep(person, given)
        found = await hot.recall(person)
        assert plain(found) == plain(given)
        assert found is not None
        assert {known.vector.dtype for known in found.items} == {np.dtype(np.float32)}

    async def test_somebody_of_whom_the_record_has_nothing_is_known_too(self, hot: HotState) -> None:
        await hot.keep(MINA, Known(3))
        assert plain(await hot.recall(MINA)) == plain(Known(3))

    async def test_an_older_revision_does_not_replace_a_later_one(self, hot: HotState) -> None:
        for revision in (5, 7, 6, 7):
            await hot.keep(MINA, known(revision, str(revision)))
        assert await values(hot) == ["7"]

    async def test_what_is_learned_brings_the_revision_before_to_this_one(self, hot: HotState) -> None:
        await hot.keep(MINA, known(5))
        await hot.learn(learned(6, forgotten=(1, 77)))
        after = await hot.recall(MINA)
        assert after is not None
        assert after.revision == 6
        assert [item.value for item in after.items] == ["2", "새것"]
        assert after.last_turns[HOME.chat_id].summary.text == "of 100"

    async def test_an_item_comes_where_its_time_is(self, hot: HotState) -> None:
        times = (NOON, NOON + timedelta(hours=2), NOON + timedelta(hours=3))
        there = [replace(item(value=str(number), at=at), item_id=number) for number, at in enumerate(times)]
        await hot.keep(MINA, Known(5, [], there))
        await hot.learn(learned(6))
        assert await values(hot) == ["0", "새것", "1", "2"]

    @pytest.mark.parametrize("revision", [4, 5, 7])
    async def test_what_is_learned_of_another_revision_changes_nothing(self, hot: HotState, revision: int) -> None:
        await hot.keep(MINA, known(5))
        await hot.learn(learned(revision))
        assert plain(await hot.recall(MINA)) == plain(known(5))

    async def test_of_somebody_unknown_nothing_is_learned(self, hot: HotState) -> None:
        await hot.learn(learned(6))
        assert await hot.recall(MINA) is None

    async def test_a_late_turn_leaves_the_newer_summary_alone(self, hot: HotState) -> None:
        await hot.keep(MINA, known(5))
        await hot.learn(learned(6, turn_id=4))
        await hot.learn(replace(learned(7, turn_id=4), summary=None, item=None))
        after = await hot.recall(MINA)
        assert after is not None
        assert (after.revision, after.last_turns[HOME.chat_id].summary.text) == (7, "as of 5")

    async def test_a_turn_without_summary_takes_its_chats_away(self, hot: HotState) -> None:
        here = LastTurn(1, summary("here"))
        await hot.keep(MINA, Known(5, [], [], {HOME.chat_id: here, SERVER.chat_id: here}))
        await hot.learn(Learned(MINA, 6, (), None, HOME.chat_id, 9, None))
        after = await hot.recall(MINA)
        assert after is not None
        assert list(after.last_turns) == [SERVER.chat_id]

    async def test_whoever_reads_is_not_disturbed_by_what_is_learned(self, hot: HotState) -> None:
        await hot.keep(MINA, known(5))
        reading = await hot.recall(MINA)
        await hot.learn(learned(6, forgotten=(1,)))
        assert plain(reading) == plain(known(5))

    async def test_what_was_forgotten_does_not_come_back(self, hot: HotState) -> None:
        await hot.keep(MINA, known(5))
        await hot.forget(MINA, 6)
        assert await hot.recall(MINA) is None
        assert hot.near(MINA) is None
        await hot.keep(MINA, known(5))
        await hot.learn(learned(6))
        assert await hot.recall(MINA) is None
        await hot.keep(MINA, known(6, "danach"))
        assert await values(hot) == ["danach"]

    async def test_what_came_after_is_not_forgotten(self, hot: HotState) -> None:
        await hot.keep(MINA, known(6))
        await hot.forget(MINA, 6)
        assert len(await values(hot)) == 2

    async def test_what_was_used_is_near(self, hot: HotState) -> None:
        await hot.keep(MINA, known(5))
        assert plain(hot.near(MINA)) == plain(known(5))
        await hot.learn(learned(6))
        near = hot.near(MINA)
        assert near is not None
        assert near.revision == 6


class CountersContract:
    async def test_everything_is_counted_by_its_name(self, hot: HotState) -> None:
        counters: Counters = hot
        counted = [await counters.count(name, timedelta(minutes=1)) for name in ("a", "a", "b", "a\ud800:", "a")]
        assert counted == [1, 2, 1, 1, 3]

    async def test_it_is_forgotten_in_time(self, hot: HotState) -> None:
        assert await hot.count("a", timedelta(seconds=MOMENT_S)) == 1
        assert await hot.count("a", timedelta(minutes=1)) == 2
        await asyncio.sleep(2 * MOMENT_S)
        assert [await hot.count("a", timedelta(minutes=1)) for _ in range(2)] == [1, 2]

    async def test_nothing_is_counted_twice_or_lost(self, hot: HotState) -> None:
        counted = await asyncio.gather(*(hot.count("a", timedelta(minutes=1)) for _ in range(30)))
        assert sorted(counted) == list(range(1, 31))


class LeasesContract:
    async def test_a_right_is_one_processs_at_a_time(self, hot: HotState) -> None:
        leases: Leases = hot
        taken = await asyncio.gather(*(leases.acquire("partition:1\ud800", 60) for _ in range(20)))
        (fence,) = [one for one in taken if one is not None]
        assert fence.name == "partition:1\ud800"
        assert await leases.acquire("partition 2", 60) is not None

    async def test_whoever_gets_it_later_has_a_higher_token(self, hot: HotState) -> None:
        tokens = []
        for _ in range(50):
            fence = await hot.acquire("a", 60)
            assert fence is not None
            tokens.append(fence.token)
            await hot.release(fence)
        assert tokens == sorted(set(tokens))

    async def test_it_ends_unless_it_is_renewed(self, hot: HotState) -> None:
        lost, kept = await hot.acquire("lost", MOMENT_S), await hot.acquire("kept", MOMENT_S)
        assert lost is not None
        assert kept is not None
        assert await hot.renew(kept, 60)
        await asyncio.sleep(2 * MOMENT_S)
        other = await hot.acquire("lost", 60)
        assert other is not None
        assert other.token > lost.token
        assert await hot.acquire("kept", 60) is None
        assert not await hot.renew(lost, 60)
        assert await hot.renew(kept, 60)

    async def test_of_what_is_over_nothing_can_be_renewed(self, hot: HotState) -> None:
        fence = await hot.acquire("a", 60)
        assert fence is not None
        await hot.release(fence)
        assert not await hot.renew(fence, 60)
        assert not await hot.renew(Fence("never", 1), 60)

    async def test_nobody_releases_what_is_somebody_elses(self, hot: HotState) -> None:
        first = await hot.acquire("a", 60)
        assert first is not None
        await hot.release(first)
        second = await hot.acquire("a", 60)
        assert second is not None
        await hot.release(first)
        assert await hot.acquire("a", 60) is None
        assert await hot.renew(second, 60)
