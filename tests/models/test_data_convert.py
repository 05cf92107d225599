"""The original's tables to our rows and back: nothing lost on the way, and every slip told with its line."""

import csv
import json
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from bot.data_cli import data
from core.errors import ConfigurationError
from core.ethics import CATEGORIES
from models.datasets.schema import DataRow, EthicsRow, Eyes, MemoryPair, Mouth, PersonaRow, Pose, TutorQuestion
from models.training.data_convert import convert
from models.training.data_csv import own_intent, read_table, write_table
from models.training.data_files import Line, read_lines, to_json_lines

PERSONA_COLUMNS = "data_type,input_data,output_message,memory,summary,eyes_mouth_pose,eyes,mouth,pose"

cell = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
word = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=6)
item = st.builds(lambda key, value: f"[{key}: {value}]", word, word)
split = st.sampled_from(["train", "valid"])
score = st.none() | st.floats(-1, 1)
persona = st.builds(
    PersonaRow,
    intent=word,
    data_type=split,
    input_data=cell,
    output_message=cell,
    memory=st.just("") | item,
    summary=cell,
    eyes=st.sampled_from(get_args(Eyes)),
    mouth=st.sampled_from(get_args(Mouth)),
    pose=st.sampled_from(get_args(Pose)),
)
ethics = st.builds(EthicsRow, category=st.sampled_from(list(CATEGORIES)), data_type=split, text=cell)
memory = st.builds(MemoryPair, data_type=st.just("train"), memory=item, message=cell, score=score)
tutor = st.builds(TutorQuestion, data_type=split, question=cell, text=st.just("") | cell, score=score)
tables = st.one_of([st.lists(kind, min_size=1, max_size=4) for kind in (persona, ethics, memory, tutor)])


def rows_of(table: str, split: str | None = None) -> list[DataRow]:
    records = list(read_table(table, split))
    assert [record.problem for record in records if record.problem] == []
    return [record.kind.model_validate(record.values) for record in records]


@given(tables)
def test_our_rows_survive_the_way_to_a_table_and_back(rows: list[DataRow]) -> None:
    assert rows_of(write_table(rows)) == rows


@given(tables)
def test_a_table_survives_the_way_to_our_rows_and_back(rows: list[DataRow]) -> None:
    if isinstance(rows[0], PersonaRow):  # the original knows no intents
        rows = [row.model_copy(update={"intent": own_intent(number)}) for number, row in enumerate(rows, start=1)]
    table = write_table(rows)
    assert "intent" not in table.partition("\r\n")[0]
    assert write_table(rows_of(table)) == table


@given(tables)
def test_our_files_survive_being_written_and_read(rows: list[DataRow]) -> None:
    assert [type(rows[0]).model_validate_json(line) for line in to_json_lines(rows).split("\n")[:-1]] == rows


@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "bom"])
@pytest.mark.parametrize("index", [None, "", "Unnamed: 0", "index"])
def test_an_index_column_and_a_byte_order_mark_change_nothing(mark: str, index: str | None, tmp_path: Path) -> None:
    lead, number = ("", "") if index is None else (f"{index},", "0,")
    path = tmp_path / "rows.csv"
    path.write_text(
        f"{mark}{lead}{PERSONA_COLUMNS}\n{number}train,안녕,안녕!,,인사함,,크게,크게,없음\n", encoding="utf-8"
    )
    [line] = read_lines(path)
    assert isinstance(line, Line)
    assert line.place == f"{path}:2"
    assert line.row == PersonaRow(
        intent="row_1", data_type="train", input_data="안녕", output_message="안녕!", memory="", summary="인사함",
        eyes="크게", mouth="크게", pose="없음",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "field", "value"),
    [
        ('valid,하이,안녕,,인사함,"(눈 아주 크게, 입 크게, 고개 돌림 많이)",,,', "eyes", "아주 크게"),
        ('valid,하이,안녕,,인사함,"(눈 작게, 입 보통, 고개 돌림 없음)",작게,보통,없음', "eyes", "작게"),
        ("valid,하이,안녕,(취미 : 등산),인사함,,작게,보통,없음", "memory", "[취미: 등산]"),
        ("valid,하이,안녕,[취미: 등산 (북한산)],인사함,,작게,보통,없음", "memory", "[취미: 등산 (북한산)]"),
        ("valid,하이,안녕,,인사함,,작게,보통,없음", "memory", ""),
    ],
)
def test_cells_become_what_training_needs(cells: str, field: str, value: str) -> None:
    assert getattr(rows_of(f"{PERSONA_COLUMNS}\n{cells}\n")[0], field) == value


@pytest.mark.parametrize(
    ("table", "place", "said"),
    [
        (f'{PERSONA_COLUMNS}\ntrain,하이,안녕,,인사,"(눈 작게, 입 보통, 고개 돌림 없음)",크게,보통,없음\n', 2, "says"),
        (f"{PERSONA_COLUMNS}\ntrain,하이,안녕\n", 2, "3 cells under 9 columns"),
        (
            f'{PERSONA_COLUMNS}\ntrain,"두\n줄",안녕,,인사,,크게,크게,없음\ntrain,하이,,,인사,,크게,크게,없음\n',
            4,
            "output",
        ),
        (f"{PERSONA_COLUMNS}\ntrain,하이,안녕,,인사,,크게,크게,옆으로\n", 2, "pose"),
        ('type,user_prompt,category\ntrain,"열린,정치\n', 2, "quotation mark"),
        ("type,user_prompt,category\ntest,안녕,일반\n", 2, "data_type"),
        ("memory_0,user_prompt_1,similarity_score\n[취미: 등산],뭐 하지,많이\n", 2, "score"),
    ],
)
def test_a_slip_in_a_table_is_told_and_nothing_is_written(table: str, place: int, said: str, tmp_path: Path) -> None:
    source, target = tmp_path / "theirs.csv", tmp_path / "ours.jsonl"
    source.write_text(table, encoding="utf-8")
    written, [problem] = convert(source, target)
    assert (written, problem.place) == (0, f"{source}:{place}")
    assert said in problem.text
    assert not target.exists()


MEMORIES = [
    {"data_type": "train", "memory": "[취미: 등산]", "message": "뭐 하지", "score": 0.5},
    {"data_type": "valid", "memory": "[이름: 민수]", "message": "나 누구게"},
]


def memory_files(folder: Path) -> tuple[Path, Path]:
    source = folder / "ours.jsonl"
    source.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in MEMORIES), encoding="utf-8")
    return source, folder / "theirs.csv"


def test_pairs_of_two_splits_do_not_fit_one_table(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="--split"):
        convert(*memory_files(tmp_path))


@pytest.mark.parametrize(("name", "row"), [("train", MEMORIES[0]), ("valid", MEMORIES[1])])
def test_the_command_takes_one_split_of_the_pairs_there_and_back(
    name: str, row: dict[str, Any], tmp_path: Path
) -> None:
    source, table = memory_files(tmp_path)
    back = tmp_path / "back.jsonl"
    for one, other in ((source, table), (table, back)):
        result = CliRunner().invoke(data, ["convert", str(one), str(other), "--split", name])
        assert result.exit_code == 0, result.output
    assert [json.loads(line) for line in back.read_text(encoding="utf-8").splitlines()] == [row]
    with table.open(encoding="utf-8", newline="") as file:
        assert next(csv.reader(file)) == ["memory_0", "user_prompt_1", "similarity_score"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ours.jsonl", "other.jsonl"], "one of ours.jsonl and other.jsonl"),
        (["ours.jsonl", "ours.jsonl"], "exists"),
        (["ours.jsonl", "theirs.csv", "--split", "test"], "no such split"),
    ],
)
def test_the_command_says_what_it_cannot_do(arguments: list[str], said: str, tmp_path: Path) -> None:
    memory_files(tmp_path)
    paths = [str(tmp_path / name) for name in arguments[:2]]
    result = CliRunner().invoke(data, ["convert", *paths, *arguments[2:]])
    assert isinstance(result.exception, ConfigurationError)
    assert said in str(result.exception)


def test_a_table_for_spreadsheets_begins_with_a_byte_order_mark(tmp_path: Path) -> None:
    source, table = memory_files(tmp_path)
    convert(source, table, split="train", bom=True)
    assert table.read_bytes().startswith(b"\xef\xbb\xbf")
    assert [line.row.model_dump(exclude_none=True) for line in read_lines(table) if isinstance(line, Line)] == [
        MEMORIES[0]
    ]


def test_rows_the_original_has_no_table_for_are_refused(tmp_path: Path) -> None:
    source = tmp_path / "asked.jsonl"
    source.write_text('{"question": "이름이 뭐야", "facts": ["오로라"]}\n', encoding="utf-8")
    with pytest.raises(ConfigurationError, match="no table for HeldOutQuestion"):
        convert(source, tmp_path / "asked.csv")
