"""Language tasks: what counts as ended, empty, wrong, repeated, and for which rows."""

from collections.abc import Callable

import pytest

from core.ports import Prompt
from core.tasks import ANSWER_END, SUMMARY_END
from models.fakes import plain_rule
from models.training.evaluation import language
from models.training.evaluation.language import number_prefixed
from models.training.evaluation.writing import moment_of
from tests.models.evaluation_samples import answers, row

TODAY = "(지금은 월요일 오전)"


def in_turn(*completions: str) -> Callable[[Prompt], str]:
    """A rule that writes these, one after the other, and the last one for ever."""
    left = list(completions)
    return lambda prompt: left.pop(0) if len(left) > 1 else left[0]


@pytest.mark.parametrize(
    ("mark", "weekday", "hour"),
    [("(지금은 월요일 오전)", 0, 9), ("(지금은 금요일 저녁)", 4, 20), ("(지금은 일요일 오후)", 6, 14)],
)
def test_a_time_mark_names_a_moment(mark: str, weekday: int, hour: int) -> None:
    moment = moment_of(f"{mark} 오늘 뭐 해?")
    assert moment is not None
    assert (moment.weekday(), moment.hour) == (weekday, hour)


def test_without_a_mark_there_is_no_moment() -> None:
    assert moment_of("오늘 뭐 해?") is None


async def test_a_good_answer_at_once_is_one_attempt() -> None:
    figures = language.figures_of(await answers("output_message", [row("안녕")]))
    assert (figures["answer_attempts"], figures["answer_ended_on_mark"], figures["answer_format_errors"]) == (1, 1, 0)


async def test_what_the_gate_rejects_is_a_format_error_and_written_again() -> None:
    rule = in_turn(f"(사용자 {ANSWER_END}", f"안녕! {ANSWER_END}")
    said = await answers("output_message", [row("안녕")], rule)
    figures = language.figures_of(said)
    assert said.results == ["안녕!"]
    assert (figures["answer_attempts"], figures["answer_format_errors"]) == (2, 0.5)


async def test_an_answer_that_never_ends_is_no_reply() -> None:
    figures = language.figures_of(await answers("output_message", [row("안녕")], lambda prompt: "끝없이"))
    assert (figures["answer_no_reply"], figures["answer_ended_on_mark"], figures["answer_attempts"]) == (1, 0, 5)
    assert figures["answer_format_errors"] == 0


async def test_an_empty_completion_counts_as_empty() -> None:
    figures = language.figures_of(await answers("output_message", [row("안녕")], lambda prompt: ANSWER_END))
    assert figures["answer_empty"] == 1


@pytest.mark.parametrize(
    ("completions", "errors", "said"),
    [
        (("오늘은 주말이야!",), 1, 1),
        (("오늘은 주말이야!", "오늘은 월요일이야!"), 1, 0),
        (("오늘은 월요일이야!",), 0, 0),
    ],
)
async def test_weekday_errors_are_counted_where_a_mark_stands(
    completions: tuple[str, ...], errors: int, said: int
) -> None:
    rule = in_turn(*(f"{text} {ANSWER_END}" for text in completions))
    figures = language.figures_of(await answers("output_message", [row("오늘 뭐 해?", time=TODAY)], rule))
    assert figures["answer_weekday_rows"] == 1
    assert (figures["answer_weekday_errors"], figures["answer_weekday_errors_said"]) == (errors, said)


async def test_without_a_mark_no_weekday_is_wrong() -> None:
    rule = in_turn(f"오늘은 주말이야! {ANSWER_END}")
    figures = language.figures_of(await answers("output_message", [row("뭐 해?")], rule))
    assert (figures["answer_weekday_rows"], figures["answer_weekday_errors"], figures["answer_attempts"]) == (
        0,
        None,
        1,
    )


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("3. 음악 감상!", True),
        ("12) 응", True),
        ("3.5점이야", False),
        ("2003년생이야", False),
        ("응 3. 좋아", False),
        ("", False),
    ],
)
def test_an_answer_that_begins_like_a_list_is_number_prefixed(text: str, is_one: bool) -> None:
    assert number_prefixed(text) is is_one


async def test_a_number_that_the_gate_strips_was_still_written() -> None:
    figures = language.figures_of(await answers("output_message", [row("취미는?")], in_turn(f"3. 음악! {ANSWER_END}")))
    assert (figures["answer_number_prefixed"], figures["answer_number_written"]) == (0, 1)


async def test_extraction_is_measured_apart_for_unseen_phrasings_and_unseen_intents() -> None:
    rows = [
        row("내 이름은 민수야", group="name", memory="[이름: 민수]"),
        row("나 부산 살아", group="home", memory="[사는 곳: 부산]"),
        row("안녕", group="greeting"),
    ]
    training = [row("이름은 민수", group="name"), row("하이", group="greeting")]
    rule = lambda prompt: f"[이름: 민수] {SUMMARY_END}" if "민수" in prompt.text else SUMMARY_END  # noqa: E731
    figures = language.figures_of(await answers("memory", rows, rule, training))
    assert (figures["extraction_f1"], figures["extraction_nothing_right"]) == (0.6667, 1)
    assert (figures["extraction_f1_unseen_phrasings"], figures["extraction_f1_unseen_intents"]) == (1, 0)
    assert figures["extraction_nothing_right_unseen_intents"] is None


async def test_expressions_count_when_all_labels_are_equal_or_each_is_a_step_away() -> None:
    faces = in_turn(
        "(눈 보통, 입 보통, 고개 돌림 없음) (표정 출력 종료)",
        "(눈 크게, 입 크게, 고개 돌림 보통) (표정 출력 종료)",
        "(눈 아주 크게, 입 보통, 고개 돌림 없음) (표정 출력 종료)",
    )
    figures = language.figures_of(await answers("eyes_mouth_pose", [row("1"), row("2"), row("3")], faces))
    assert (figures["expression_all_equal"], figures["expression_within_one"]) == (0.3333, 0.6667)


async def test_answers_are_held_against_all_that_was_written_for_their_intent() -> None:
    training = [row("하이", "만나서 반가워!"), row("누구야", "나는 오로라야", group="name")]
    said = await answers("output_message", [row("안녕")], in_turn(f"만나서 반가워! {ANSWER_END}"), training)
    assert language.figures_of(said)["answer_overlap_unseen_phrasings"] == 1


async def test_two_models_stand_side_by_side() -> None:
    mine, other = (
        await answers("output_message", [row("안녕")]),
        await answers("output_message", [row("안녕")], in_turn(f"하이 {ANSWER_END}")),
    )
    compared, prompts = language.part_of(mine, other).tables
    assert compared.header == ("figure", "scripted", "scripted")
    assert prompts.header == ("prompt", "expected", "scripted", "scripted", "unseen")
    assert prompts.rows[0] == ("안녕", "안녕!", plain_rule_text(), "하이", "intent")


def plain_rule_text() -> str:
    """What the plain rule answers."""
    prompt = Prompt("output_message", "", ANSWER_END, 9, 0.6, None)  # type: ignore[arg-type]
    return plain_rule(prompt).removesuffix(f" {ANSWER_END}")
