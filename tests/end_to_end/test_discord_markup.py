"""Plain text in Discord is shown as it is, whole, and in messages that Discord takes."""

import pytest

from bot.adapters.discord.markup import LONGEST, messages, one_message, plain
from bot.adapters.pieces import units


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("안녕! 1 + 1 = 2 (정말) #12 [귤] a-b", "안녕! 1 + 1 = 2 (정말) #12 [귤] a-b"),
        ("*a* _b_ ~c~ |d| `e` \\", r"\*a\* \_b\_ \~c\~ \|d\| \`e\` \\"),
        ("# a\n  ### b\n> c\n-# d\n - e\n#f", "\\# a\n  \\### b\n\\> c\n\\-# d\n \\- e\n#f"),
        ("[a](b) **사이** [c](d)", r"[a](b) \*\*사이\*\* [c](d)"),
        ("[a](https://b.example/c)", "[a](https:/\u200b/b.example/c)"),
        ("discord.gg/a DISCORD.COM/b x.gift/c", "discord.gg\u200b/a DISCORD.COM\u200b/b x.gift\u200b/c"),
        ("<@12> <#34> 3/4 /mod 쪽 1/2", "<@12> <#34> 3/4 /mod 쪽 1/2"),
    ],
)
def test_what_would_be_markup_or_a_link_is_shown_as_it_is(text: str, written: str) -> None:
    assert plain(text) == written


@pytest.mark.parametrize("text", ["가 " * 3000, "*" * 5000, "😀_" * 1700, "https://a.example/ " * 300])
def test_a_long_text_becomes_messages_that_lose_nothing(text: str) -> None:
    parts = messages(text)
    assert max(map(units, parts)) <= LONGEST
    assert "".join("".join(parts).split()) == "".join(plain(text).split())
    assert not any(part.endswith("\\") for part in parts)


@pytest.mark.parametrize("text", ["", " \n", "\u200b"])
def test_nothing_to_see_becomes_no_message(text: str) -> None:
    assert messages(text) == []


@pytest.mark.parametrize("text", ["가" * 1500, "*" * 1500, "가" * 999 + "*" * 501, "😀_" * 750])
def test_one_message_is_as_much_as_fits(text: str) -> None:
    message = one_message(text)
    if units(plain(text)) <= LONGEST:
        assert message == plain(text)
    else:
        assert message.endswith("…")
        assert LONGEST - 3 <= units(message) <= LONGEST
        assert plain(text).startswith(message[:-1])
