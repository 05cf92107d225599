"""Our own rows follow the rules of models/datasets/README.md, and `ohlora data check` has nothing to say about them."""

import re
from collections import Counter, defaultdict

import pytest

from models.datasets.schema import ROOT, HeldOutQuestion, Template, persona_rows, read_rows
from models.registry import BUNDLED, Profile
from models.training.data_check import check
from models.training.data_files import files_in

PERSONA = persona_rows()
TEMPLATES = list(read_rows(ROOT / "templates.jsonl", Template))

EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf\u2b50]")
FIRM = re.compile(
    r"하지 마|말자|편견|말아 줘|막말|예쁜 말|그만해|그만\.|존중할 때|존중하자|존중하면서|존중하는 대화|존중받|존중해"
    r"|혐오|(?<!의)욕은|안 할래|도와줄 수 없|선을 넘|안 돼[,.]"
)
COMFORT = re.compile("힘들|우울|외로|속상|고생|괜찮|혼자|아팠|아프|ㅠ")
# the first that fits decides: what the answer says, or the emoji it ends on
FACES = (
    (re.compile("미안(?:[,.! ]|해|하지만)|부담스러"), "", ("작게", "보통", "많이")),
    (FIRM, "-", ("보통", "크게", "많이")),
    (re.compile("몰라|모르겠|알 수 없"), "", ("보통", "보통", "보통")),
    (None, "🥺😢😭", ("작게", "보통", "보통")),
    (None, "😅🤔", ("보통", "보통", "보통")),
    (None, "🎉😮🔥😍", ("아주 크게", "아주 크게", "없음")),
    (None, "😆", ("작게", "크게", "없음")),
    (None, "😎", ("보통", "크게", "보통")),
    (re.compile("!"), "", ("크게", "크게", "없음")),
    (COMFORT, "", ("작게", "보통", "보통")),
    (None, "📚🤖👍🌙💤😴☕☔💜", ("보통", "보통", "없음")),
    (EMOJI, "", ("크게", "크게", "없음")),
    (re.compile("ㅋㅋ|ㅎㅎ"), "", ("작게", "크게", "없음")),
)


def face_of(answer: str) -> tuple[str, str, str]:
    emoji = EMOJI.findall(answer)
    for said, ends_on, face in FACES:
        if said is None:
            if emoji and emoji[-1] in ends_on:
                return face
        elif said.search(answer) and not (ends_on and set(emoji) - set("🔥🙏")):
            return face
    return "보통", "보통", "없음"


def test_ohlora_data_check_finds_nothing_wrong_with_all_our_data() -> None:
    tokenizer = Profile(BUNDLED).tokenizer()
    found = check(files_in([ROOT]), lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids))
    assert list(map(str, found.problems)) == []


def test_there_are_4600_persona_rows_in_420_intents_or_more() -> None:
    splits = Counter(row.data_type for row in PERSONA)
    assert splits.total() >= 4600
    assert len({row.intent for row in PERSONA}) >= 420
    assert splits["valid"] >= splits.total() / 10


def test_25_intents_or_more_are_never_trained() -> None:
    splits = defaultdict(set)
    for row in PERSONA:
        splits[row.intent].add(row.data_type)
    assert sum(seen == {"valid"} for seen in splits.values()) >= 25


def test_the_face_of_every_answer_follows_the_rules() -> None:
    said = [(row.output_message, row) for row in PERSONA] + [(row.output, row) for row in TEMPLATES]
    assert [text for text, row in said if (row.eyes, row.mouth, row.pose) != face_of(text)] == []


def test_what_is_remembered_stands_in_the_prompt() -> None:
    for row in PERSONA:
        key, _, value = row.memory.strip("[]").partition(": ")
        if row.memory and key != "상태":
            words = value.split()
            copied = words[:-1] if words[-1].endswith("기") else words  # a plan that is but a verb: 머리 자르기
            assert [word for word in copied if word not in row.input_data] == [], row.input_data


def test_a_state_is_named_by_one_word_an_intent() -> None:
    states = defaultdict(Counter)
    for row in PERSONA:
        if row.memory.startswith("[상태: "):
            states[row.intent][row.memory] += 1
    usual = sum(counted.most_common(1)[0][1] for counted in states.values())
    assert usual >= 0.95 * sum(counted.total() for counted in states.values())


@pytest.mark.parametrize("topic", ["love_", "politics_"])
def test_love_and_politics_are_declined_with_a_word_that_ethics_recognises(topic: str) -> None:
    rows = [row for row in PERSONA if row.intent.startswith(topic)]
    assert len(rows) >= 30
    assert [row.output_message for row in rows if not re.search("미안|부담", row.output_message)] == []


def test_every_weekday_and_part_of_the_day_is_talked_about() -> None:
    marks = Counter(re.findall(r"\(지금은 (.요일 ..)\)", " ".join(row.input_data for row in PERSONA)))
    assert len(marks) == 21
    assert min(marks.values()) >= 5


def test_a_weekday_is_named_rightly() -> None:
    days = "월화수목금토일"
    for row in PERSONA:
        if mark := re.search(r"\(지금은 (.)요일", row.input_data):
            for word, later in (("오늘은", 0), ("내일은", 1)):
                for day in re.findall(rf"{word} ([{days}])요일", row.output_message):
                    assert days.index(day) == (days.index(mark[1]) + later) % 7, row.input_data


def test_200_held_out_questions_ask_for_facts_about_her() -> None:
    assert len(list(read_rows(ROOT / "persona_heldout.jsonl", HeldOutQuestion))) >= 200


def test_an_answer_is_one_or_two_short_sentences() -> None:
    lengths = sorted(len(row.output_message) for row in PERSONA)
    assert lengths[len(lengths) * 9 // 10] <= 40
    assert lengths[-1] <= 50
