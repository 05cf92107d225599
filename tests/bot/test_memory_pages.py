"""What /memory shows, page by page."""

import numpy as np
import pytest

from bot.adapters.desk import Answer, Command
from bot.memory_pages import forget_question, memory_page
from core.memory import MemoryItem
from core.people import Person
from models.fakes import FakeClock


def items(count: int) -> list[MemoryItem]:
    """Oldest first; the youngest has the highest number."""
    return [
        MemoryItem("취미", str(number), "", FakeClock().now(), np.zeros(1, np.float32), None, number)
        for number in range(1, count + 1)
    ]


def arguments(page: Answer) -> list[list[str]]:
    assert all(button.command.name == "memory" for row in page.buttons for button in row)
    return [[button.command.argument for button in row] for row in page.buttons]


LAST_ROW = ["pause", "export", "forget all"]


def test_nothing_known_offers_nothing_to_forget() -> None:
    page = memory_page([], 1, Person(), "ko")
    assert page.text == "아직 너에 대해 기억하고 있는 게 없어."
    assert arguments(page) == [["pause", "export"]]


@pytest.mark.parametrize(
    ("count", "page", "numbers", "turning"),
    [
        (1, 1, [1], []),
        (10, 1, range(10, 0, -1), []),
        (11, 1, range(11, 1, -1), ["list 2"]),
        (11, 2, [1], ["list 1"]),
        (25, 2, range(15, 5, -1), ["list 1", "list 3"]),
        (25, 3, range(5, 0, -1), ["list 2"]),
        (25, 0, range(25, 15, -1), ["list 2"]),
        (25, 99, range(5, 0, -1), ["list 2"]),
    ],
)
def test_the_newest_come_first_ten_to_a_page(count: int, page: int, numbers: list[int], turning: list[str]) -> None:
    shown = memory_page(items(count), page, Person(), "en")
    title, *lines = shown.text.splitlines()
    assert title == f"What I remember about you ({count})"
    assert lines[: len(numbers)] == [f"{number}. [취미: {number}]" for number in numbers]
    assert ("Page" in shown.text) == bool(turning)
    rows = arguments(shown)
    assert [argument for row in rows for argument in row] == [
        *(f"forget {number}" for number in numbers), *turning, *LAST_ROW,
    ]  # fmt: skip
    assert len(rows) <= 5
    assert all(1 <= len(row) <= 5 for row in rows)


@pytest.mark.parametrize(
    ("language", "told", "resume"), [("ko", "멈춘 상태", "다시 기억하기"), ("en", "paused", "Remember again")]
)
def test_a_paused_person_reads_so_and_may_resume(language: str, told: str, resume: str) -> None:
    page = memory_page(items(1), 1, Person(paused=True), language)
    assert told in page.text
    assert page.buttons[-1][0].label == resume
    assert told not in memory_page(items(1), 1, Person(), language).text


def test_forgetting_everything_is_asked_about() -> None:
    question = forget_question(12, "en")
    assert question.text.startswith("Really forget all 12 memories")
    assert [[button.command for button in row] for row in question.buttons] == [
        [Command("memory", "forget all yes"), Command("memory", "list")]
    ]
    assert question.instead.endswith("/memory forget all yes")
