"""`ohlora data check`: what it finds, with the line it stands on."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.data_cli import SHOWN, data
from core.errors import ConfigurationError
from models.training.data_check import Findings, check
from models.training.data_files import files_in

PERSONA = {
    "intent": "hello", "data_type": "train", "input_data": "안녕", "output_message": "안녕! 😊", "memory": "",
    "summary": "인사함", "eyes": "크게", "mouth": "크게", "pose": "없음",
}  # fmt: skip
ETHICS = {"category": "love", "data_type": "train", "text": "사랑해"}
MEMORY = {"data_type": "train", "memory": "[취미: 등산]", "message": "나 뭐 하지"}
TUTOR = {"data_type": "train", "question": "F1이 뭐야", "text": "F1 Score 개념 : Recall 과 Precision 의 조화 평균"}


def lines(path: Path, *rows: dict[str, Any] | str) -> Path:
    text = (row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text("".join(f"{line}\n" for line in text), encoding="utf-8")
    return path


def words(text: str) -> int:
    return len(text.split())


def checked(*paths: Path) -> Findings:
    return check(files_in(paths), words)


@pytest.mark.parametrize(
    ("rows", "place", "said"),
    [
        ([PERSONA, PERSONA | {"eyes": "넓게"}], 2, "eyes: "),
        ([PERSONA, {key: value for key, value in PERSONA.items() if key != "summary"}], 2, "summary: Field required"),
        ([PERSONA, PERSONA | {"mood": "good"}], 2, "mood: Extra inputs"),
        ([PERSONA, PERSONA | {"input_data": "하이", "memory": "등산"}], 2, "memory"),
        ([PERSONA, "{'input_data': 1}"], 2, "not JSON"),
        ([PERSONA, "[1]"], 2, "not an object"),
        ([PERSONA, "", PERSONA], 3, "the same as"),
        ([PERSONA, PERSONA | {"data_type": "valid", "input_data": "로라야 안녕!!"}], 2, "valid, but"),
        (
            [
                PERSONA | {"input_data": "(오로라 답변 요약) 웃음 (사용자 질문) 안녕"},
                PERSONA | {"data_type": "valid"},
            ],
            2,
            "has it in train",
        ),
        ([PERSONA | {"input_data": " ".join("가" * 41)}], 1, "prompt of 41 tokens, the model takes 40"),
        ([PERSONA | {"output_message": " ".join("가" * 130)}], 1, "prompt and answer of"),
        ([PERSONA | {"summary": " ".join("가" * 60)}], 1, "summary of 60 tokens, the model takes 59"),
        ([PERSONA | {"memory": f"[취미: {' '.join('가' * 30)}]"}], 1, "memory of"),
        ([ETHICS, ETHICS], 2, "the same as"),
        ([ETHICS, ETHICS | {"data_type": "valid", "text": "사 랑 해!"}], 2, "valid, but"),
        ([MEMORY, MEMORY | {"data_type": "valid", "memory": "[이름: 민수]"}], 2, "valid, but"),
        ([TUTOR, TUTOR | {"data_type": "valid", "question": "F1이 뭐야?"}], 2, "valid, but"),
        ([TUTOR, TUTOR | {"question": "정확도가 뭐야", "score": 1.5}], 2, "score"),
    ],
)
def test_a_mistake_is_told_with_its_line(
    rows: list[dict[str, Any] | str], place: int, said: str, tmp_path: Path
) -> None:
    path = lines(tmp_path / "rows.jsonl", *rows)
    [problem] = checked(path).problems
    assert problem.place == f"{path}:{place}"
    assert said in problem.text


@pytest.mark.parametrize(
    "rows",
    [
        [
            PERSONA,
            PERSONA | {"input_data": "(오로라 답변 요약) 웃음 (사용자 질문) 왜?"},
            PERSONA | {"input_data": "왜?"},
        ],
        [
            PERSONA | {"input_data": "왜?"},
            PERSONA | {"data_type": "valid", "input_data": "(오로라 답변 요약) 웃음 (사용자 질문) 왜?"},
        ],
        [MEMORY, MEMORY | {"memory": "[이름: 민수]"}],
        [TUTOR, TUTOR | {"text": ""}],
        [PERSONA | {"input_data": "😊"}, PERSONA | {"data_type": "valid", "input_data": "😭"}],
    ],
    ids=["follow-up and alone", "follow-up of another answer", "two items one message", "no text", "emoji"],
)
def test_what_only_looks_like_a_mistake_passes(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    assert checked(lines(tmp_path / "rows.jsonl", *rows)).problems == []


def test_held_out_sentences_are_looked_for_in_the_rows_of_other_files(tmp_path: Path) -> None:
    lines(tmp_path / "rows.jsonl", PERSONA, PERSONA | {"data_type": "valid", "input_data": "반가워"})
    asked = lines(
        tmp_path / "asked.jsonl",
        {"question": "반가워~", "facts": ["오로라"]},
        {"question": "이름이 뭐야", "facts": ["오로라"]},
    )
    [problem] = checked(tmp_path).problems
    assert problem.place == f"{asked}:1"
    assert "held out, but" in problem.text


def test_a_label_that_is_checked_but_never_trained_is_told(tmp_path: Path) -> None:
    path = lines(tmp_path / "rows.jsonl", ETHICS, {"category": "hate", "data_type": "valid", "text": "꺼져"})
    found = checked(path)
    assert [str(problem) for problem in found.problems] == ["ethics: category hate is in no training row"]
    assert found.balance["ethics", "category"]["train"] == {"love": 1}


def test_a_table_of_the_original_is_checked_like_a_file_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "ethics.csv"
    path.write_text("type,user_prompt,category\ntrain,사랑해,사랑 고백/만남\ntrain,메롱,놀림\n", encoding="utf-8")
    assert [problem.place for problem in checked(path).problems] == [f"{path}:3"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("rows.jsonl", b'{"a": 1, "b": 2}\n', "no data of ours has the columns a, b"),
        ("rows.jsonl", "안녕".encode("cp949"), "not UTF-8"),
        ("rows.csv", b"a,b\n1,2\n", "unknown columns: a, b"),
    ],
)
def test_a_file_that_is_no_data_stops_the_check(name: str, content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigurationError, match=said):
        checked(tmp_path)


def test_a_folder_without_data_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no data there"):
        checked(tmp_path)


def test_the_command_exits_with_1_only_where_something_is_wrong(tmp_path: Path) -> None:
    good = lines(tmp_path / "good.jsonl", PERSONA, ETHICS | {"data_type": "valid", "text": "좋아해"})
    bad = lines(tmp_path / "bad.jsonl", ETHICS, ETHICS)
    fine, wrong = (CliRunner().invoke(data, ["check", str(path)]) for path in (lines(good, PERSONA), bad))
    assert fine.exit_code == 0
    assert "Problems: 0" in fine.output
    assert wrong.exit_code == 1
    assert f"{bad}:2: the same as {bad}:1" in wrong.output


def test_a_thousand_mistakes_do_not_flood_the_terminal(tmp_path: Path) -> None:
    path = lines(tmp_path / "rows.jsonl", *[ETHICS] * (SHOWN + 10))
    output = CliRunner().invoke(data, ["check", str(path)]).output
    assert output.count("the same as") == SHOWN
    assert "… and 9 more" in output
