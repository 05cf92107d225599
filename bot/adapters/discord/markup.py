"""Plain text as Discord shows it: nothing in it is markup or a link but `<#id>` and `<@id>`, which ping nobody."""

import re
from bisect import bisect_right

from bot.adapters.pieces import pieces, units

LONGEST = 2000
# escaping makes a text twice as long at most
_SURE = LONGEST // 2

# discord.utils.escape_markdown takes everything from one "[" to the last ")" of a line as one mark, and leaves what
# stands between them as it is
_MARK = re.compile(r"[\\*_~`|]")
_LINE_MARK = re.compile(r"^([ \t]*)(?=>|-|#{1,3}\s)", re.MULTILINE)
# Discord makes a link of any scheme, and shows an invitation even without one
_LINK = re.compile(r"(?:(?<=:/)|(?<=\.gg)|(?<=\.com)|(?<=\.gift))(?=/)", re.IGNORECASE)
_SEVERED = "\u200b"


def plain(text: str) -> str:
    """As one writes it so that it is shown as it is."""
    return _LINE_MARK.sub(r"\1\\", _MARK.sub(r"\\\g<0>", _LINK.sub(_SEVERED, text)))


def messages(text: str) -> list[str]:
    """Plain text as messages that Discord takes; none when nothing of it shows."""
    whole = plain(text)
    if units(whole) <= LONGEST:
        return pieces(whole, LONGEST)
    # cut before it is escaped, so that no backslash loses what it stands before
    return [plain(piece) for piece in pieces(text, _SURE)]


def one_message(text: str) -> str:
    """Plain text as one message; what finds no room is left out."""
    if units(whole := plain(text)) <= LONGEST:
        return whole
    fits = bisect_right(range(1, len(text)), LONGEST - 1, key=lambda end: units(plain(text[:end])))
    return f"{plain(text[:fits])}…"
