"""From rows to examples: prefixes taken apart, slots filled, the four task forms."""

import random

import pytest

from core import recall, tasks
from models.datasets.schema import PersonaRow
from models.training.disguise import DISGUISES
from models.training.rows import ExampleMaker, Row, expand_templates, load_rows
from models.training.rows import _with_particle as with_particle


def row(text: str, intent: str = "i", answer: str = "응!", memory: str = "") -> Row:
    source = PersonaRow(
        intent=intent, data_type="train", input_data=text, output_message=answer, memory=memory,
        summary="답함", eyes="보통", mouth="보통", pose="없음",
    )  # fmt: skip
    return Row.parse(intent, source)


@pytest.mark.parametrize(
    ("text", "kind", "context", "time", "prompt"),
    [
        ("뭐 해?", recall.NO_CONTEXT, "", "", "뭐 해?"),
        ("(지금은 토요일 오후) 오늘 뭐 하지", recall.TIME, "", "(지금은 토요일 오후)", "오늘 뭐 하지"),
        ("[이름: 민수] 내 이름 뭐게", recall.MEMORY, "[이름: 민수]", "", "내 이름 뭐게"),
        (
            "[내일 일정: 면접] (지금은 금요일 저녁) 내일 떨려",
            recall.MEMORY, "[내일 일정: 면접]", "(지금은 금요일 저녁)", "내일 떨려",
        ),
        ("(오로라 답변 요약) 떡볶이를 좋아함 (사용자 질문) 왜?", recall.SUMMARY, "떡볶이를 좋아함", "", "왜?"),
    ],
)  # fmt: skip
def test_an_input_is_taken_apart_and_put_together_again(
    text: str, kind: str, context: str, time: str, prompt: str
) -> None:
    parsed = row(text)
    assert (parsed.kind, parsed.context, parsed.time, parsed.prompt) == (kind, context, time, prompt)
    assert parsed.question == text


@pytest.mark.parametrize(
    ("value", "consonant", "vowel", "expected"),
    [
        ("초밥", "을", "를", "초밥을"),
        ("피자", "을", "를", "피자를"),
        ("서울", "으로", "로", "서울로"),
        ("부산", "으로", "로", "부산으로"),
        ("ENTJ", "이야", "야", "ENTJ야"),
    ],
)
def test_the_particle_follows_the_last_letter(value: str, consonant: str, vowel: str, expected: str) -> None:
    assert with_particle(value, consonant, vowel) == expected


def test_every_template_fills_all_its_slots() -> None:
    for filled in expand_templates(1, seed=3):
        assert "{" not in filled.question + filled.answer + filled.memory + filled.summary


def test_the_same_seed_draws_the_same_examples() -> None:
    rows = load_rows("train")[:50]
    assert ExampleMaker(rows, 4).examples() == ExampleMaker(rows, 4).examples()
    assert ExampleMaker(rows, 4).examples() != ExampleMaker(rows, 5).examples()


def test_every_row_gives_one_example_of_each_task_with_its_end_mark() -> None:
    examples = ExampleMaker([row("뭐 해?"), row("뭐 하니?")], 1).examples()
    stops = {task.name: task.stop for task in tasks.TASKS}
    assert sorted(example.task for example in examples) == sorted([*stops, *stops])
    assert all(example.completion.endswith(stops[example.task]) for example in examples)


def test_what_recall_shows_is_mostly_what_she_answers() -> None:
    rows = [row("MBTI 뭐야?", answer="ENTJ야"), row("성격 유형은?", answer="나 엔티제!")]
    copied = []
    for seed in range(100):
        for example in ExampleMaker(rows, seed).examples():
            if example.task == "output_message" and tasks.GIVEN in example.prompt:
                shown = example.prompt.split(tasks.ARROW)[1].split(tasks.QUESTION)[0].strip()
                copied.append(example.completion == f"{shown} {tasks.ANSWER_END}")
    assert 0.8 < sum(copied) / len(copied) < 1  # now and then something unrelated is shown, and must be ignored


@pytest.mark.parametrize("name", DISGUISES)
def test_a_disguise_changes_the_text(name: str) -> None:
    rng = random.Random(1)
    assert any(DISGUISES[name]("시발 진짜 abc", rng) != "시발 진짜 abc" for _ in range(5))
