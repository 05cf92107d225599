"""`ohlora models compare`: what could be measured stands in the table, what could not is listed with its reason."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot import cli
from models.training import compare, unsloth
from models.training.compare_tables import Options

pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing.*:FutureWarning")


def test_random_bases_of_all_families_are_measured_and_a_missing_one_says_why(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    names = ["random:llama", "random:neox", "random:gemma2", "gemma-2-2b-it"]
    compare.compare(names, Options(ranks=(2, 4), rows=4, epochs=1, prompts=2, unsloth=True))
    out = capsys.readouterr().out
    printed = json.loads(out.splitlines()[-1])
    *measured, missing = printed["models"]
    assert [model["family"] for model in measured] == ["Llama", "GPT-NeoX", "Gemma-2"]
    for model in measured:
        assert [tuning["rank"] for tuning in model["tuned"]] == [2, 4]
        assert all(tuning["seconds"] > 0 and tuning["peak_memory_mb"] > 0 for tuning in model["tuned"])
        assert model["asked"]["seconds"] > 0
        assert {"empty", "repeated", "foreign"} <= set(model["asked"])
        assert not model["missing"]
    assert (missing["licence"], missing["parameters"], missing["tuned"]) == ("gemma", 2_610_000_000, [])
    assert "https://ai.google.dev/gemma/terms" in missing["missing"]
    assert f"not run: gemma-2-2b-it: {missing['missing']}" in out
    assert unsloth.missing() == printed["unsloth"]


@pytest.mark.parametrize(
    ("arguments", "ranks"),
    [
        (["--ranks", "16", "32", "64"], (16, 32, 64)),
        (["--ranks", "8"], (8,)),
        (["--ranks", "4,8"], (4, 8)),
        ([], (16, 32, 64)),
    ],
)
def test_ranks_are_read_as_people_write_them(
    arguments: list[str], ranks: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(compare, "compare", lambda *args: asked.extend(args))
    result = CliRunner().invoke(cli.app, ["models", "compare", "bundled", "random:llama", *arguments])
    assert result.exit_code == 0, result.output
    assert asked == [["bundled", "random:llama"], Options(ranks=ranks)]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("안녕! 나는 오로라야", False),
        ("LLM은 거대 언어 모델이야", False),
        ("ㅋㅋㅋ OK", False),
        ("Hello, my name is Aurora", True),
        ("こんにちは", True),
        ("😊", False),
    ],
)
def test_a_foreign_answer_is_one_in_another_language(answer: str, expected: bool) -> None:
    assert compare.foreign(answer) is expected
