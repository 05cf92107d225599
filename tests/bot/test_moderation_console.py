"""In a terminal: the person there can appeal, and moderates only as an operator of the service."""

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bot.adapters.console import ConsoleAdapter
from bot.moderation.settings import ModerationSettings
from models.fakes import FakeLanguageModel
from tests.end_to_end.serving import answering, serving

LINES = "로라야 사랑해\n/standing\n/appeal 1 노래였어\n/mod overturn 1\n/mod stats\n/standing\n/quit\n"


@pytest.mark.parametrize(
    ("operators", "said"),
    [
        ([], ["사건 1: 사랑 고백/만남 · 경고 · 검토 전", "이의를 받았어", "볼 수 있는 게 아니야", "· 이의 접수"]),
        (["console:local"], ["이의를 받았어", "스스로 판정할 수 없어", "aurora-cases.png"]),
    ],
    ids=["anybody", "operator"],
)
async def test_the_person_at_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, operators: list[str], said: list[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(LINES))
    shown = io.StringIO()
    adapter = ConsoleAdapter(Console(file=shown, width=500))
    settings: dict[str, Any] = {"moderation": ModerationSettings(operators=operators)}
    async with serving(tmp_path / "data", [adapter], FakeLanguageModel(answering("미안")), **settings) as served:
        await served.task
    for sentence in said:
        assert sentence in shown.getvalue()
