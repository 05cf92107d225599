"""The stand-ins keep the promises of core's ports."""

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

from core.messages import PersonKey
from core.ports import Clock, Encoder, LanguageModel, Prompt
from core.tasks import TASKS, Rejected
from models.fakes import FakeClock, FakeEncoder, FakeLanguageModel


def prompt(task: str = "output_message", stop: str = "(답변 종료)", limit: int = 20) -> Prompt:
    return Prompt(task, "안녕 (답변 시작)", stop, limit, 0.6, PersonKey("console", "mina"))


def test_the_fakes_fit_the_ports() -> None:
    language: LanguageModel = FakeLanguageModel()
    encoder: Encoder = FakeEncoder()
    clock: Clock = FakeClock()
    assert (language.count_tokens("summary", "안녕!"), clock.now().tzinfo) == (2, UTC)
    assert encoder


@pytest.mark.parametrize(
    ("written", "text", "ended", "tokens"),
    [
        ("안녕 (답변 종료) 뒤", "안녕 ", True, 5),
        ("안녕", "안녕", False, 20),
        ("가" * 100, "가" * 40, False, 20),
        ("가" * 40 + "(답변 종료)", "가" * 40, False, 20),
        ("(답변 종료)", "", True, 4),
    ],
)
async def test_a_completion_ends_before_the_stop_or_at_the_limit(
    written: str, text: str, ended: bool, tokens: int
) -> None:
    language = FakeLanguageModel(lambda _: written)
    completion = await language.complete(prompt())
    assert (completion.text, completion.ended, completion.tokens) == (text, ended, tokens)
    assert language.prompts == [prompt()]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
async def test_what_it_says_without_a_rule_passes_every_gate(task) -> None:
    completion = await FakeLanguageModel().complete(prompt(task.name, task.stop, 64))
    assert not isinstance(task.parse(completion.text, completion.ended), Rejected)


async def test_vectors_are_unit_length_and_always_the_same() -> None:
    texts = ["", "가", "\ud800", "내일 면접이야", "a" * 1000]
    vectors = await FakeEncoder().encode(texts)
    assert vectors.dtype == np.float32
    assert vectors.shape == (5, 512)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)
    assert np.array_equal(vectors, await FakeEncoder().encode(texts))


async def test_no_texts_are_no_vectors() -> None:
    assert (await FakeEncoder(8).encode([])).shape == (0, 8)


async def test_texts_that_share_words_are_closer_than_others() -> None:
    interview, nervous, cat = await FakeEncoder().encode(["내일 면접이야", "내일 면접 떨려", "고양이가 좋아"])
    assert interview @ nervous > 0.4 > interview @ cat


def test_the_clock_stands_still_until_it_is_moved_and_speaks_utc() -> None:
    clock = FakeClock(datetime(2025, 1, 1, 9, tzinfo=timezone(timedelta(hours=9))))
    assert clock.now() == clock.now() == datetime(2025, 1, 1, tzinfo=UTC)
    clock.move(timedelta(days=1))
    assert clock.now() == datetime(2025, 1, 2, tzinfo=UTC)
    assert clock.now().tzinfo is UTC
