"""What Telegram shows of ids, for which it has no names, and of buttons."""

import pytest

from bot.adapters.desk import Button, Command
from bot.adapters.telegram.answers import keyboard, plain, readable
from core.messages import ChatKey

GROUP = ChatKey("telegram", "-100", private=False, place_id="-100")
TOPIC = ChatKey("telegram", "-100:7", private=False, place_id="-100")
PRIVATE = ChatKey("telegram", "5", private=True, place_id="5")


@pytest.mark.parametrize(
    ("text", "chat", "shown"),
    [
        ("<#-100>", GROUP, "여기"),
        ("<#-100:7>", TOPIC, "여기"),
        ("<#-100>", TOPIC, "기본 대화방"),
        ("<#-100:7>, <#-100>", GROUP, "주제 7번, 여기"),
        ("<#-100:7>", PRIVATE, "-100:7"),
        ("<#-200>", GROUP, "-200"),
        ("<@5> 님이", GROUP, "5 님이"),
        ("<\u200b@5> <\u200b#-100> <b> <@x> <#1", GROUP, "<\u200b@5> <\u200b#-100> <b> <@x> <#1"),
    ],
)
def test_ids_become_words_where_they_are_of_this_place_and_numbers_elsewhere(
    text: str, chat: ChatKey, shown: str
) -> None:
    assert readable(text, chat, "ko") == shown


def test_in_the_queue_ids_are_numbers() -> None:
    assert plain("<#-100:7> <@5> <\u200b@5>") == "-100:7 5 <\u200b@5>"


def test_buttons_carry_their_data_as_it_is() -> None:
    assert keyboard(()) is None
    rows = keyboard(((Button("유지", Command("mod"), data="case:1:0:uphold"),),))
    assert rows is not None
    assert [[(one.text, one.callback_data) for one in row] for row in rows.inline_keyboard] == [
        [("유지", "case:1:0:uphold")]
    ]
