"""Who calls her by name."""

import pytest

from bot.adapters.calls import calls_her


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("로라야", True),
        ("로라야 뭐해?", True),
        ("오로라야, 안녕", True),
        ("  로라야!", True),
        ("\u200b로\u200b라야 안녕", True),
        ("ㄹㅗㄹㅏㅇㅑ 안녕", True),
        ("ㅗㄹㅗㄹㅏ 안녕", False),
        ("안녕 로라야", False),
        ("로라", False),
        ("로라 야", False),
        ("오로라가 좋아", False),
        ("이오로라야", False),
        ("", False),
        ("lora야", False),
        ("\ud800로라야", True),
    ],
    ids=ascii,
)
def test_a_message_that_begins_with_her_name_calls_her(text: str, calls: bool) -> None:
    assert calls_her(text) == calls
