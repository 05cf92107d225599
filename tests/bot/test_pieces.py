"""A long reply arrives whole, in pieces that every platform takes."""

import re
import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.adapters.pieces import pieces, units

FAMILY = "👨‍👩‍👧‍👦"
ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
SPREAD_HAN = "\u1112\u1161\u11ab"
CLUSTERS = [FAMILY, ENGLAND, SPREAD_HAN, "👍🏽", "🇰🇷", "❤️", "1️⃣", "e\u0301"]
WORDS = [
    "안녕",
    "나는 오로라야. ",
    "뭐 해?! ",
    "ㅋㅋㅋ",
    "좋아~~~",
    "@everyone",
    "https://a.kr/b?c=d",
    "<@123>",
    "א\u200f",
]
SPACES = [" ", "\n", "\n\n", "\r\n", "\t", "  ", "\u3000"]
REFUSED = ["\x00", "\x1b", "\ud83d", "\u200b", "\u3164", "\u2800"]
FENCES = ["```", "```python\n", "\n```\n", "~~~", "\n~~~rust\n", "````", "`" * 50, "\n    x = 1\n"]
INVISIBLE = "\u115f\u1160\u3164\uffa0\u034f\ufe0f\u2800\ufffc"

SOUP = st.builds(
    lambda parts, times: "".join(parts) * times,
    st.lists(st.sampled_from(CLUSTERS + WORDS + SPACES + REFUSED + FENCES), max_size=80),
    st.sampled_from([1, 1, 1, 7, 30]),
)
LIMITS = st.sampled_from([20, 41, 100, 1024, 2000, 4096])
many = settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])

Content = list[tuple[str, str]]


def shown(text: str) -> str:
    """The characters a reader sees, for comparing."""
    return "".join(
        char for char in text if unicodedata.category(char)[0] not in "CZ" and char not in INVISIBLE and char.strip()
    )


def is_in_order_within(few: str, all_of_them: str) -> bool:
    remaining = iter(all_of_them)
    return all(char in remaining for char in few)


def read(text: str) -> tuple[Content, str]:
    """Every visible character with the fence line it stands under, and the marker that is left open."""
    found: Content = []
    line_above = marker = ""
    for line in text.split("\n"):
        fence = re.fullmatch(r"(`{3,}|~{3,})\w*", line.strip())
        if fence and not marker:
            line_above, marker = line.strip(), fence[1]
        elif marker and line.strip().startswith(marker) and not line.strip().strip(marker[0]):
            line_above = marker = ""
        else:
            found.extend((line_above, char) for char in shown(line))
    return found, marker


@many
@given(SOUP, LIMITS, st.sampled_from([None, 24, 1024]), st.booleans())
def test_every_piece_is_one_that_a_platform_takes(text: str, limit: int, first: int | None, fences: bool) -> None:
    cut = pieces(text, limit, first, fences=fences)
    for number, piece in enumerate(cut):
        assert len(piece.encode("utf-16-le")) // 2 <= (first if first is not None and number == 0 else limit)
        assert shown(piece)
        assert piece == piece.strip()
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", piece)


@many
@given(SOUP, LIMITS, st.sampled_from([None, 24, 1024]))
def test_nothing_is_lost_added_or_moved(text: str, limit: int, first: int | None) -> None:
    assert "".join(map(shown, pieces(text, limit, first))) == shown(text)


@many
@given(SOUP, LIMITS)
def test_with_fences_only_closing_and_opening_lines_are_added(text: str, limit: int) -> None:
    together = "".join(map(shown, pieces(text, limit, fences=True)))
    assert is_in_order_within(shown(text), together)
    without = re.compile(r"[`~pythonrust]")
    assert without.sub("", together) == without.sub("", shown(text))


@many
@given(SOUP, LIMITS)
def test_a_piece_is_a_whole_message_that_needs_no_further_closing(text: str, limit: int) -> None:
    for piece in pieces(text, limit, fences=True):
        assert pieces(piece, limit, fences=True) == [piece]


@many
@given(st.lists(st.sampled_from([*CLUSTERS, "가", " ", "\n", ". "]), max_size=120), st.integers(16, 60))
def test_an_emoji_a_flag_or_a_spread_syllable_is_never_torn(parts: list[str], limit: int) -> None:
    text = "".join(parts)
    cut = pieces(text, limit)
    for cluster in CLUSTERS:
        assert sum(piece.count(cluster) for piece in cut) == text.count(cluster)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Paragraphs and code blocks, some of them never closed, some lines longer than a piece."""
    line = st.sampled_from(["짧은 줄", "    return 1", "", "긴 줄 " * 30, "x" * 150, FAMILY * 20, "끝~~~"])
    lines: list[str] = []
    for _ in range(draw(st.integers(1, 8))):
        lines += draw(st.lists(line, max_size=6))
        marker = draw(st.sampled_from(["```", "````", "~~~"]))
        lines.append(marker + draw(st.sampled_from(["", "python", "c"])))
        lines += draw(st.lists(line, max_size=12))
        lines += draw(st.sampled_from([[marker], [marker], [marker], []]))
    return "\n".join(lines)


@many
@given(documents(), st.integers(60, 200))
def test_code_stays_code_of_its_language_and_every_fence_is_closed(text: str, limit: int) -> None:
    parts = [read(piece) for piece in pieces(text, limit, fences=True)]
    assert [marker for _, marker in parts if marker] == []
    assert [pair for content, _ in parts for pair in content] == read(text)[0]


@pytest.mark.parametrize(
    ("text", "limit", "cut"),
    [
        ("안녕!", 3, ["안녕!"]),
        ("  안녕  거기 \n", 9, ["안녕  거기"]),
        ("한 줄. 또\n둘째 줄", 9, ["한 줄. 또", "둘째 줄"]),
        ("그래. 정말? 나도 좋아해", 10, ["그래. 정말?", "나도 좋아해"]),
        ('그는 "그래." 하고 웃었어', 12, ['그는 "그래."', "하고 웃었어"]),
        ("나는 3.5점을 받았거든", 10, ["나는 3.5점을", "받았거든"]),
        ("봐 https://a.kr/b?c=d 여기", 20, ["봐 https://a.kr/b?c=d", "여기"]),
        ("가나다라마", 2, ["가나", "다라", "마"]),
        ("😀😀😀", 5, ["😀😀", "😀"]),
        (FAMILY + "가", 11, [FAMILY, "가"]),
        ("a" + "\u0301" * 5, 3, ["a\u0301\u0301", "\u0301\u0301\u0301"]),
        ("가" + " " * 50 + "나", 5, ["가", "나"]),
        ("a\x00b\x1b\ud83dc\r\nd\te\rf", 20, ["abc\nd\te\nf"]),
        ("\ud83d\ude00", 2, ["😀"]),
        ("가나다라 " + "\u200b" * 9 + " 마바사아", 4, ["가나다라", "마바사아"]),
    ],
)
def test_a_text_breaks_at_its_best_place(text: str, limit: int, cut: list[str]) -> None:
    assert pieces(text, limit) == cut


@pytest.mark.parametrize(
    "text", ["", " \n\t", "\u200b\u200d\ufeff", "\u3164", "\u2800 \uffa0", "\x00\x07", "\udc00\ud83d", "\ufe0f"]
)
def test_a_text_that_shows_nothing_has_no_pieces(text: str) -> None:
    assert pieces(text, 100, fences=True) == []


@pytest.mark.parametrize(
    ("text", "limit", "cut"),
    [
        ("```py\na = 1\nb = 2\n```", 20, ["```py\na = 1\n```", "```py\nb = 2\n```"]),
        ("```py\na = 1\nb = 2\n```", 21, ["```py\na = 1\nb = 2\n```"]),
        ("~~~rust\nlet a;\n    let b;\n~~~", 26, ["~~~rust\nlet a;\n~~~", "~~~rust\n    let b;\n~~~"]),
        ("~~~\n```\na b\n~~~", 15, ["~~~\n```\na b\n~~~"]),
        ("여기 봐:\n```py\na = 1\nb = 2\n```", 18, ["여기 봐:", "```py\na = 1\n```", "```py\nb = 2\n```"]),
        ("```py\na = 1```\n그리고 이어지는 긴 말이야", 20, ["```py\na = 1```", "그리고 이어지는 긴 말이야"]),
        ("```py\n" + "x" * 20 + "\n```", 24, ["```py\n" + "x" * 14 + "\n```", "```py\n" + "x" * 6 + "\n```"]),
        ("```" + "x" * 40 + "\n1\n```", 30, ["```" + "x" * 23 + "\n```", "```\n" + "x" * 17 + "\n1\n```"]),
        ("```\n" + "x" * 10 + "\n```\n나머지 말", 18, ["```\n" + "x" * 10 + "\n```", "나머지 말"]),
        ("```\n" + "x" * 15 + "```\n그리고 말", 24, ["```\n" + "x" * 15 + "\n```", "그리고 말"]),
        ("~~~\u2028\n가\n~~~\u2028\n" + "나" * 18, 24, ["~~~\u2028\n가\n~~~", "나" * 18]),
        ("```py\na = 1", 30, ["```py\na = 1\n```"]),
        ("```", 30, ["```\n```"]),
        ("```\n" * 8, 30, ["```\n" * 5 + "```", "```\n```"]),
        ("좋아~~~\n~~~ 정말 ~~~\n응 그래 그래", 20, ["좋아~~~\n~~~ 정말 ~~~", "응 그래 그래"]),
        ("~~~\n좋아~~~\n정말\n~~~", 40, ["~~~\n좋아~~~\n정말\n~~~"]),
        ("`a` ```b``` 그래서 나는", 18, ["`a` ```b``` 그래서 나는"]),
    ],
)
def test_a_fence_survives_the_cut(text: str, limit: int, cut: list[str]) -> None:
    assert pieces(text, limit, fences=True) == cut


def test_thousands_of_backticks_are_text() -> None:
    cut = pieces("`" * 5000, 2000, fences=True)
    assert "".join(cut) == "`" * 5000
    assert max(map(units, cut)) <= 2000


def test_a_caption_takes_what_fits_and_messages_take_the_rest() -> None:
    text = "한 문장이야. " * 1000
    caption, *rest = pieces(text, 4096, 1024)
    assert units(caption) <= 1024 < units(rest[0])
    assert all(piece.endswith("이야.") for piece in [caption, *rest])


def test_without_fences_a_backtick_is_a_letter() -> None:
    assert pieces("```py\na = 1\nb = 2\n```", 15) == ["```py\na = 1", "b = 2\n```"]


@pytest.mark.parametrize(("text", "expected"), [("", 0), ("가a", 2), ("😀", 2), (FAMILY, 11), ("\ud83d", 1)])
def test_length_is_counted_as_the_platforms_do(text: str, expected: int) -> None:
    assert units(text) == expected


@pytest.mark.parametrize(("limit", "first"), [(1, None), (0, None), (2000, 0)])
def test_a_limit_that_no_emoji_fits_is_refused(limit: int, first: int | None) -> None:
    with pytest.raises(ValueError, match="room for 2 units"):
        pieces("안녕", limit, first)
