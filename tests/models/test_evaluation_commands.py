"""`ohlora evaluate …` over models of random weights: every kind of model opens, every report is written."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.cli import app
from core.errors import ConfigurationError
from models.training import evaluate
from models.training.evaluate import Options
from models.training.evaluation import data, opening

ROWS = (
    ("greeting", "train", "안녕", "안녕!", ""),
    ("greeting", "valid", "하이", "하이!", ""),
    ("written_here", "valid", "나 민수", "응!", "[이름: 민수]"),
)
TASKS = ("output_message", "summary", "memory", "eyes_mouth_pose", "tutor", "memory-encoder", "ethics", "tutor-encoder")


def lines(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def persona(tmp_path: Path) -> Path:
    names = ("intent", "data_type", "input_data", "output_message", "memory")
    rest = {"summary": "인사", "eyes": "보통", "mouth": "보통", "pose": "없음"}
    return lines(tmp_path / "persona.jsonl", *({**dict(zip(names, row, strict=True)), **rest} for row in ROWS))


def last_line(output: str) -> dict[str, Any]:
    return dict(json.loads(output.strip().splitlines()[-1]))


@pytest.mark.parametrize("task", [*TASKS, "bundled"])
def test_there_is_a_command_for_everything_that_is_trained(task: str) -> None:
    done = CliRunner().invoke(app, ["evaluate", task, "--help"])
    assert done.exit_code == 0, done.output
    assert "--out" in done.output


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")  # PEFT asks transformers so
def test_a_profile_and_an_adapter_stand_side_by_side(
    tiny_profile: Path, persona: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    adapter = tiny_profile / "adapters" / "summary"
    figures = evaluate.evaluate_language(
        "summary", Options(tiny_profile, persona, against=adapter, out=tmp_path / "report" / "summary")
    )
    assert figures["summary_rows"] == 2
    assert last_line(capsys.readouterr().out) == figures
    stored = json.loads((tmp_path / "report" / "summary.json").read_text(encoding="utf-8"))
    side_by_side = stored["parts"][0]["tables"][-1]
    assert side_by_side["header"] == ["prompt", "expected", "tiny-0", str(adapter), "unseen"]
    assert [row[-1] for row in side_by_side["rows"]] == ["phrasing", "intent"]
    assert (tmp_path / "report" / "summary.html").stat().st_size > 10_000


def test_only_so_many_rows_are_taken_and_always_the_same() -> None:
    assert (
        data.sample(range(100), 3, seed=7) == data.sample(range(100), 3, seed=7) != data.sample(range(100), 3, seed=8)
    )
    assert data.sample([1, 2], 3, seed=7) == [1, 2]


def test_an_ethics_encoder_is_measured_with_the_thresholds_beside_it(tiny_profile: Path, tmp_path: Path) -> None:
    rows = lines(tmp_path / "e.jsonl", {"category": "normal", "text": "안녕"}, {"category": "hate", "text": "꺼져"})
    assert opening.ethics_thresholds(tiny_profile / "ethics_encoder").veto == -1
    figures = evaluate.evaluate_ethics(Options(tiny_profile, rows))
    assert (figures["ethics_rows"], figures["ethics_macro_recall"]) == (2, 0)


def test_a_memory_encoder_is_measured_against_the_untuned_one(tiny_profile: Path, tmp_path: Path) -> None:
    rows = [
        {"data_type": "valid", "memory": f"[{key}: 민수]", "message": f"{key} 뭐야"} for key in ("이름", "취미", "고향")
    ]
    encoder = tiny_profile / "memory_encoder"
    options = Options(encoder, lines(tmp_path / "m.jsonl", *rows), untuned=str(encoder))
    assert evaluate.evaluate_memory_encoder(options)["memory_pairs"] == 9


def test_without_targets_for_the_pairs_the_way_out_is_named(tiny_profile: Path, tmp_path: Path) -> None:
    rows = lines(tmp_path / "m.jsonl", {"data_type": "valid", "memory": "[이름: 민수]", "message": "이름 뭐야"})
    with pytest.raises(ConfigurationError, match="--untuned"):
        evaluate.evaluate_memory_encoder(Options(tiny_profile, rows))


def test_a_tutor_encoder_searches_all_texts(tiny_profile: Path, tmp_path: Path) -> None:
    rows = lines(
        tmp_path / "t.jsonl",
        {"data_type": "train", "question": "재현율?", "text": "Recall"},
        {"data_type": "valid", "question": "에프원?", "text": "F1"},
        {"data_type": "valid", "question": "밥?", "text": ""},
    )
    figures = evaluate.evaluate_tutor_encoder(Options(tiny_profile / "memory_encoder", rows))
    assert (figures["tutor_texts"], figures["tutor_questions"]) == (2, 2)


async def test_a_folder_that_is_no_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="neither a profile nor an adapter"):
        async with opening.language_model(tmp_path, "summary", 7, recall=None):
            pass


def test_a_damaged_row_is_named_with_its_line(tiny_profile: Path, tmp_path: Path) -> None:
    rows = lines(tmp_path / "e.jsonl", {"category": "normal", "text": "안녕"}, {"category": "no such", "text": "안녕"})
    with pytest.raises(ConfigurationError, match=r"e\.jsonl:2"):
        evaluate.evaluate_ethics(Options(tiny_profile, rows))


def test_reports_are_written_where_git_does_not_look() -> None:
    assert "build" in (Path(__file__).parents[2] / ".gitignore").read_text(encoding="utf-8")
