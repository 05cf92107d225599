"""Who works for whom."""

import subprocess
import sys
from collections import Counter

import pytest

from core.messages import PersonKey
from core.partitions import fair_share, partition_of

PEOPLE = [PersonKey("discord", str(number)) for number in range(3200)]


def test_every_process_puts_a_person_into_the_same_partition() -> None:
    code = (
        "from core.messages import PersonKey; from core.partitions import partition_of\n"
        "print(partition_of(PersonKey('discord', '오로라'), 32))"
    )
    elsewhere = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(elsewhere.stdout) == partition_of(PersonKey("discord", "오로라"), 32)


def test_people_are_spread_over_all_partitions() -> None:
    sizes = Counter(partition_of(person, 32) for person in PEOPLE)
    assert set(sizes) == set(range(32))
    assert max(sizes.values()) < 200


def test_an_id_that_no_encoding_has_is_a_person_too() -> None:
    assert 0 <= partition_of(PersonKey("paper", "\ud800"), 32) < 32


@pytest.mark.parametrize(
    ("partitions", "workers", "shares"),
    [(32, 1, [32]), (32, 2, [16, 16]), (32, 3, [11, 11, 10]), (2, 3, [1, 1, 0]), (1, 1, [1])],
)
def test_the_shares_of_all_workers_are_all_partitions_and_about_equal(
    partitions: int, workers: int, shares: list[int]
) -> None:
    assert [fair_share(partitions, workers, rank) for rank in range(workers)] == shares
