"""Hot state within one process."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from core.memory import MemoryItem
from core.messages import PersonKey
from storage.hot import InProcess, Near
from storage.known import Known
from storage.one_process import LocalCounters
from tests.storage.hot_contract import CountersContract, KnownContract, LeasesContract, known, learned
from tests.storage.samples import MINA, NOON, item

pytestmark = pytest.mark.asyncio


@pytest.fixture
def hot() -> InProcess:
    return InProcess("incarnation")


class TestKnownInProcess(KnownContract):
    pass


class TestCountersInProcess(CountersContract):
    pass


class TestLeasesInProcess(LeasesContract):
    pass


def person(number: int) -> PersonKey:
    return PersonKey("console", str(number))


def of_bytes(size: int) -> Known:
    """Whose vectors take so many bytes, in items of 1 KiB."""
    vector = np.zeros(256, np.float32)
    return Known(5, [], [MemoryItem("k", "v", "", NOON, vector, item_id=number) for number in range(size // 1024)])


async def test_whoever_talked_longest_ago_is_forgotten_first() -> None:
    near = Near(most_bytes=100_000)
    for number in range(10):
        near.keep(person(number), of_bytes(10_000))
        near.get(person(0))
    left = [number for number in range(10) if near.get(person(number)) is not None]
    assert left[0] == 0
    assert left[1:] == list(range(10 - len(left) + 1, 10))
    assert 3 <= len(left) < 10


async def test_somebody_too_large_is_not_kept_and_nobody_goes_for_them() -> None:
    near = Near(most_bytes=100_000)
    near.keep(person(1), of_bytes(10_000))
    near.keep(person(2), of_bytes(200_000))
    near.keep(person(1), replace(of_bytes(200_000), revision=6))
    near.keep(person(3), of_bytes(10_000))
    assert [near.get(person(number)) is None for number in (1, 2, 3)] == [True, True, False]


async def test_ten_thousand_items_are_made_once(hot: InProcess) -> None:
    many = [replace(item(), item_id=number) for number in range(10_000)]
    await hot.keep(MINA, replace(known(5), items=many))
    await hot.learn(learned(6, forgotten=(7,)))
    first, second = await hot.recall(MINA), hot.near(MINA)
    assert first is second
    assert first is not None
    assert all(one is other for one, other in zip(first.items, [*many[:7], *many[8:]], strict=False))
    assert len(first.items) == 10_000


async def test_threads_do_not_disturb_each_other() -> None:
    near = Near(most_bytes=100_000)

    def use(seed: int) -> None:
        for number in range(2000):
            near.keep(person((number * seed) % 40), known(number))
            near.get(person(number % 40))

    await asyncio.gather(*(asyncio.to_thread(use, seed) for seed in (1, 3, 7)))
    assert any(near.get(person(number)) for number in range(40))


async def test_counters_are_bounded() -> None:
    counters = LocalCounters(most=100)
    for number in range(1000):
        await counters.count(str(number), timedelta(hours=1))
    assert [await counters.count(str(number), timedelta(hours=1)) for number in (999, 0)] == [2, 1]
