"""A reply's text in pieces that a platform takes: none too long, none empty, nothing lost between them."""

from dataclasses import dataclass

import regex

# Without any of these a platform shows nothing: Discord and Telegram refuse such a message as empty.
_VISIBLE = regex.compile(r"[^\s\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800\ufffc]")
_CONTROL = regex.compile(r"[^\P{Cc}\n\t]")

# From the best kind of break to the worst; of a kind the last one counts, hence the reverse search. Words end at white
# space: Unicode's word boundaries would tear links, `<@mentions>` and a question from its mark.
_BREAKS = (
    regex.compile(r"(?r)(?<=\S)\s*\n"),
    regex.compile(r"(?r)(?<=[\p{SB=STerm}\p{SB=ATerm}…]\p{SB=Close}*)\s"),
    regex.compile(r"(?r)(?<=\S)\s"),
)
_INSEPARABLE = regex.compile(r"`{3,}|~{3,}|\X")

_RUN = regex.compile(r"`{3,}|~{3,}")
_LANGUAGE = r"(?:\h*(?P<language>[A-Za-z0-9_+#.-]{1,32})(?!\S))?"
# Tildes also stretch Korean words: a line with more than a language after them is no fence.
_OPENING = regex.compile(rf"\h*(?:(?P<marker>`{{3,}}+){_LANGUAGE}[^`]*|(?P<marker>~{{3,}}+){_LANGUAGE})")
_BLANK_LINES = regex.compile(r"\A(?:\h*\n)+")
_SHORTEST_FENCE = 3


@dataclass(frozen=True, slots=True)
class _Fence:
    """An open code fence; its line starts at `start` and what it holds at `body` of the text it was read from."""

    marker: str
    language: str
    start: int
    body: int


@dataclass(frozen=True, slots=True)
class _Cut:
    """Where a piece ends and the fence that is open there; `at` 0: the fence is to be opened first."""

    at: int
    fence: _Fence | None


def units(text: str) -> int:
    """The length of a text in UTF-16 code units, as Telegram counts it; never less than its characters."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def pieces(text: str, limit: int, first: int | None = None, *, fences: bool = False) -> list[str]:
    """The text in pieces of at most `limit` UTF-16 units, the first of at most `first` (a caption); [] if none shows.

    They end at line ends, else sentence ends, else words, else whole characters as people see them. With `fences` a
    Markdown code fence is closed where a piece ends inside it and opened again in the next. Control characters and
    lone surrogates are left out. Raises ValueError for a limit below 2, which no emoji fits.
    """
    smallest = limit if first is None else min(limit, first)
    if smallest < 2:
        raise ValueError(f"a piece needs room for 2 units, not {smallest}")
    rest = _sendable(text).strip()
    # A wider fence would leave little room for what it holds; it is text like any other.
    widest = smallest // 6 if fences else 0
    found: list[str] = []
    fence: _Fence | None = None
    while _VISIBLE.search(rest):
        opening = f"{fence.marker}{fence.language}\n" if fence else ""
        room = limit if found or first is None else first
        cut = _cut(rest, room - units(opening), fence, widest)
        if cut.fence and cut.at == 0:
            fence, rest = cut.fence, rest[cut.fence.body :]
        else:
            head, fence = rest[: cut.at].rstrip(), cut.fence
            closing = f"\n{fence.marker}" if fence else ""
            if _VISIBLE.search(head):
                found.append(opening + head + closing)
            rest, fence = _after_own_closing(rest[cut.at :], fence)
        rest = _BLANK_LINES.sub("", rest) if fence else rest.lstrip()
    return found


def _sendable(text: str) -> str:
    """Without what cannot be encoded or is refused; the halves of one surrogate pair are joined."""
    joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
    return str(_CONTROL.sub("", joined.replace("\r\n", "\n").replace("\r", "\n")))


def _cut(text: str, room: int, fence: _Fence | None, widest: int) -> _Cut:
    """The longest good beginning of a text inside `fence`, with room left for closing what is open after it."""
    if len(text) <= room and units(text) <= room and _open_fence(text, fence, widest) is None:
        return _Cut(len(text), None)
    at = _break(text, room - _closing_room(text[:room], fence, widest))
    after = _open_fence(text[:at], fence, widest)
    if after and after is not fence and not text[after.body : at].strip() and _VISIBLE.search(text, at):
        # a fence that opens at the very end belongs to the next piece
        return _Cut(after.start, None if after.start else after)
    return _Cut(at, after)


def _break(text: str, room: int) -> int:
    """Where the best break of a text lies whose beginning fits in `room` units, in characters."""
    end = len(text[:room].encode("utf-16-le")[: 2 * room].decode("utf-16-le", "ignore"))
    if end == len(text):
        return end
    for kind in _BREAKS:
        if match := kind.search(text[: end + 1]):
            return int(match.start())
    whole = 0
    for match in _INSEPARABLE.finditer(text):
        if match.end() > end:
            break
        whole = match.end()
    return whole or end


def _closing_room(text: str, fence: _Fence | None, widest: int) -> int:
    """The units that closing any fence of a text can take."""
    if widest < _SHORTEST_FENCE:
        return 0
    runs = [*_RUN.findall(text), fence.marker if fence else ""]
    longest = max(map(len, runs))
    return min(longest, widest) + 1 if longest else 0


def _open_fence(text: str, fence: _Fence | None, widest: int) -> _Fence | None:
    """The fence that is open after a text which begins inside `fence`."""
    start = 0
    for line in text.split("\n") if widest >= _SHORTEST_FENCE else ():
        if fence is None:
            fence = _opening(line, start, widest)
        elif _closes(line, fence.marker):
            fence = None
        start += len(line) + 1
    return fence


def _opening(line: str, start: int, widest: int) -> _Fence | None:
    match = _OPENING.fullmatch(line.rstrip())
    if match is None or len(match["marker"]) > widest:
        return None
    language = match["language"] or ""
    if not language or len(language) > 2 * widest:
        return _Fence(match["marker"], "", start, start + match.end("marker"))
    return _Fence(match["marker"], language, start, start + match.end("language"))


def _closes(line: str, marker: str) -> bool:
    # Discord ends a block at backticks after code too; tildes there are only a stretched word
    shown = line.strip()
    return shown.endswith(marker) and (marker[0] == "`" or not shown.strip("~"))


def _after_own_closing(text: str, fence: _Fence | None) -> tuple[str, _Fence | None]:
    """A piece that was closed just before the text's own closing line has used that line up."""
    own = regex.match(rf"\s*{fence.marker}\h*(?:\n|$)", text) if fence else None
    return (text[own.end() :], None) if own else (text, fence)
