"""The quality gates, over a table of completions, and the prompts, letter by letter."""

import pytest

from core import tasks
from core.expression import ALL, Expression
from core.tasks import REJECTED


@pytest.mark.parametrize(
    ("completion", "ended", "result"),
    [
        ("안녕! 반가워 😊 ", True, "안녕! 반가워 😊"),
        ("안녕", False, REJECTED),
        ("", True, REJECTED),
        (" \u200b\xa0 ", True, REJECTED),
        ("안\u200b녕\xa0!", True, "안녕!"),
        ("https://a.b 봐", True, REJECTED),
        ("http 몰라", True, REJECTED),
        ("응 답변 종료 응", True, REJECTED),
        ("응 (답변 시작) 응", True, REJECTED),
        ("응 (사용자 질문) 뭐", True, REJECTED),
        ("(오로라 답변 요약) 응", True, REJECTED),
        ("오로라 답변 요약) 응", True, REJECTED),
        ("응 (요약 시작)", True, REJECTED),
        ("응 (요약 종료)", True, REJECTED),
        ("(제공된 정보) 응", True, REJECTED),
        ("(지금은 월요일 오전) 응", True, REJECTED),
        ("응 (표정 출력 시작)", True, REJECTED),
        ("질문 → 답", True, REJECTED),
        ("오\ufffd로라", True, REJECTED),
        ("오늘는 쉬고 내일는 놀자", True, "오늘은 쉬고 내일은 놀자"),
        ("3. 음악 감상!", True, "음악 감상!"),
        ("3.음악 감상!", True, "음악 감상!"),
        ("12) 음악", True, "음악"),
        ("1. 2. 음악", True, "음악"),
        ("- 음악", True, "음악"),
        ("3.", True, REJECTED),
        ("3.5점이야", True, "3.5점이야"),
        ("10월 11일이야", True, "10월 11일이야"),
        ("2003년이야", True, "2003년이야"),
        ("22!", True, "22!"),
        ("요약하면 좋아", True, "요약하면 좋아"),
    ],
)
def test_an_answer_passes_the_gate_or_is_written_again(completion: str, ended: bool, result: object) -> None:
    assert tasks.parse_answer(completion, ended) == result


@pytest.mark.parametrize(
    ("completion", "ended", "result"),
    [
        (" 반갑다고 함 ", True, "반갑다고 함"),
        ("응해", True, "응해"),
        ("응", True, REJECTED),
        ("", True, REJECTED),
        ("반갑다고 함", False, REJECTED),
        ("반갑다 (사용자", True, REJECTED),
        ("오로라 답변 요약) 함", True, REJECTED),
        ("http://", True, REJECTED),
        ("반\u200b갑\xa0다", True, "반갑다"),
    ],
)
def test_a_summary_passes_the_gate_or_is_written_again(completion: str, ended: bool, result: object) -> None:
    assert tasks.parse_summary(completion, ended) == result


@pytest.mark.parametrize(
    ("completion", "ended", "result"),
    [
        ("[좋아하는 가수: 에스파]", True, ("좋아하는 가수", "에스파")),
        (" [좋아하는 가수 : 에스파] ", True, ("좋아하는 가수", "에스파")),
        ("(취미: 노래)", True, ("취미", "노래")),
        ("{취미 : 노래}", True, ("취미", "노래")),
        ("(취미: 노래]", True, ("취미", "노래")),
        ("[취미:노래]", True, ("취미", "노래")),
        ("[약속: 10:30 카페]", True, ("약속", "10:30 카페")),
        ("[  취미  :  노래  ]", True, ("취미", "노래")),
        ("", True, None),
        (" \u200b ", True, None),
        ("", False, REJECTED),
        ("[취미: 노래]", False, REJECTED),
        ("[취미: 노래", True, REJECTED),
        ("취미: 노래", True, REJECTED),
        ("[취미]", True, REJECTED),
        ("[: 노래]", True, REJECTED),
        ("[ : 노래]", True, REJECTED),
        ("[취미:]", True, REJECTED),
        ("[취미: ]", True, REJECTED),
        ("[취미:  ]", True, REJECTED),
        ("[취미: 노래] [나이: 20]", True, REJECTED),
        ("[취미: 노래] 응", True, REJECTED),
        ("응 [취미: 노래]", True, REJECTED),
        ("[취미: [노래]]", True, REJECTED),
        ("[취미: 노\ufffd]", True, REJECTED),
        ("[취미:     노래]", True, REJECTED),
        ("[취미:    노래]", True, ("취미", "노래")),
        ("[주소: http://a]", True, REJECTED),
    ],
)
def test_a_memory_is_one_item_or_nothing_or_written_again(completion: str, ended: bool, result: object) -> None:
    assert tasks.parse_memory(completion, ended) == result


@pytest.mark.parametrize(
    ("completion", "ended", "result"),
    [
        ("(눈 크게, 입 보통, 고개 돌림 없음)", True, Expression("크게", "보통", "없음")),
        ("눈 아주 크게, 입 아주 크게, 고개 돌림 많이 ", True, Expression("아주 크게", "아주 크게", "많이")),
        ("(눈 작게,입 크게,고개돌림 보통)", True, Expression("작게", "크게", "보통")),
        ("(눈 크게, 입 보통, 고개 돌림 없음)", False, REJECTED),
        ("(눈 크게, 입 작게, 고개 돌림 없음)", True, REJECTED),
        ("(눈 이상, 입 보통, 고개 돌림 없음)", True, REJECTED),
        ("(눈 크게, 입 보통, 고개 돌림 조금)", True, REJECTED),
        ("(눈 크게, 입 보통)", True, REJECTED),
        ("", True, REJECTED),
    ],
)
def test_a_face_has_three_known_labels_or_is_written_again(completion: str, ended: bool, result: object) -> None:
    assert tasks.parse_expression(completion, ended) == result


@pytest.mark.parametrize("expression", ALL, ids=lambda one: one.tag)
def test_every_face_is_read_back_from_its_text(expression: Expression) -> None:
    assert tasks.parse_expression(f"{tasks.face_text(expression)} ", True) == expression


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        (tasks.answer_prompt("안녕"), "안녕 (답변 시작)"),
        (tasks.memory_prompt("안녕"), "안녕 (요약 시작)"),
        (tasks.summary_prompt("안녕", "응!"), "안녕 (오로라 답변) 응! (요약 시작)"),
        (tasks.expression_prompt("응!"), "응! (표정 출력 시작)"),
        (tasks.with_summary("인사함", "안녕"), "(오로라 답변 요약) 인사함 (사용자 질문) 안녕"),
        (tasks.with_recall("이름?", "로라", "안녕"), "(제공된 정보) 이름? → 로라 (사용자 질문) 안녕"),
    ],
)
def test_prompts_are_written_as_in_training(prompt: str, text: str) -> None:
    assert prompt == text


@pytest.mark.parametrize(
    ("task", "stop", "limit", "temperature", "attempts", "fallback", "fewer_than"),
    [
        (tasks.OUTPUT_MESSAGE, "(답변 종료)", None, 0.6, 5, "(읽씹)", None),
        (tasks.SUMMARY, "(요약 종료)", 64, 0.6, 3, None, 60),
        (tasks.MEMORY, "(요약 종료)", 24, 0.6, 5, None, 24),
        (tasks.EYES_MOUTH_POSE, "(표정 출력 종료)", 36, 1.0, 5, Expression("보통", "보통", "없음"), None),
    ],
)
def test_the_tasks_have_the_numbers_of_the_reference(
    task, stop, limit, temperature, attempts, fallback, fewer_than
) -> None:
    assert (task.stop, task.max_new_tokens, task.temperature) == (stop, limit, temperature)
    assert (task.attempts, task.fallback, task.fewer_than) == (attempts, fallback, fewer_than)
