"""What people type, made canonical first and harmless second.

The order is the law of this file: marks are looked for only after normalisation, so that one written full-width,
with zero-width characters inside or with its jamo spread apart is found like the plain one.
"""

import re
import unicodedata

# Hangul compatibility jamo (U+3131…U+3163) in the order of the conjoining blocks they stand for.
_LEADS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_TAILS = "ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"

# A syllable spelled letter by letter; its last letter must not begin the next syllable.
_SPREAD_SYLLABLE = re.compile(f"([{_LEADS}])([{_VOWELS}])(?:([{_TAILS}])(?![{_VOWELS}]))?")
_SPACES = re.compile(r"\s+")
# Invisible although Unicode files them under letters or marks: Hangul fillers, grapheme joiner, Khmer inherent vowels,
# Mongolian variation selectors.
_INVISIBLE = frozenset("\u115f\u1160\u3164\uffa0\u034f\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800")
_DROPPED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})

_NOT_JAMO = re.compile("[^ㄱ-ㆎ]+")
_HALF_WIDTH_JAMO = {
    code: int(unicodedata.decomposition(chr(code)).split()[-1], 16)
    for code in range(0xFFA1, 0xFFDD)
    if unicodedata.decomposition(chr(code))
}
_STANDALONE_JAMO = {ord(unicodedata.normalize("NFKC", jamo)): jamo for jamo in _LEADS + _VOWELS}
_STANDALONE_JAMO |= {
    ord(unicodedata.normalize("NFD", chr(0xAC00 + index + 1))[-1]): jamo for index, jamo in enumerate(_TAILS)
}

_OPEN, _CLOSE = r"[(\[{<〔【《「]", r"[)\]}>〕】》」]"
_MARK_WORDS = (
    r"(?:답변\s*시작|답변\s*종료|요약\s*시작|요약\s*종료|표정\s*출력\s*시작|표정\s*출력\s*종료"
    r"|오로라\s*답변\s*요약|오로라\s*답변|사용자\s*질문|제공된\s*정보)"
)
# Possessive and all brackets at once: hundreds of them in a row must not cost seconds.
_MARK_OPEN = re.compile(rf"(?<!{_OPEN})(?:{_OPEN}\s*)++(?={_MARK_WORDS}|지금은)")
_MARK_CLOSE = re.compile(rf"({_MARK_WORDS})(?:\s*{_CLOSE})+")
_LEADING_ITEM = re.compile(rf"^(?:\s*{_OPEN})++\s*([^:\n]*:[^\n]*?)\s*(?:{_CLOSE}|$)")
_ARROW = re.compile("[→⇒➔➜⟶]")

_SINGLE_SYLLABLES = re.compile(r"(?<!\S)[가-힣ㄱ-ㅣ](?: [가-힣ㄱ-ㅣ]){2,}(?!\S)")
_ALL_SINGLE = re.compile(r"\S(?: \S)+")
_REPEATED_SYLLABLE = re.compile(r"([가-힣])\1{2,}")
_REPEATED = re.compile(r"([^가-힣])\1{2,}")


def normalise(text: str) -> str:
    """One canonical form: visible characters only, width folded, jamo composed, white space single.

    NFKC alone neither recomposes compatibility jamo (`ㅅㅣㅂㅏㄹ`) nor drops zero-width characters, and it would turn
    `ㅋㅋ` into conjoining jamo that no tokenizer has seen; so the jamo are kept out of it.
    """
    visible = "".join(char for char in text if _is_visible(char))
    folded = _NOT_JAMO.sub(lambda match: unicodedata.normalize("NFKC", match[0]), visible.translate(_HALF_WIDTH_JAMO))
    composed = _SPREAD_SYLLABLE.sub(_compose, folded.translate(_STANDALONE_JAMO))
    return _SPACES.sub(" ", composed).strip()


def neutralise(text: str) -> str:
    """Take the brackets off everything in a *normalised* text that the prompts use as structure (behaviour.md §4)."""
    while True:
        plain = _MARK_CLOSE.sub(r"\1", _MARK_OPEN.sub("", text))
        plain = _SPACES.sub(" ", _ARROW.sub("->", _LEADING_ITEM.sub(r"\1 ", plain))).strip()
        if plain == text:
            return plain
        text = plain


def unmask(text: str) -> str:
    """Undo what is done to a *normalised* text to slip past a classifier: pulled-apart words, stretched letters."""
    while True:
        joined = text.replace(" ", "") if _ALL_SINGLE.fullmatch(text) else text
        joined = _SINGLE_SYLLABLES.sub(lambda match: match[0].replace(" ", ""), joined)
        # first the prolonging vowels, while there are still enough of them to be seen: 시이이이발
        plain = _REPEATED.sub(r"\1\1", _REPEATED_SYLLABLE.sub(r"\1", _unstretch(joined)))
        if plain == text:
            return plain
        text = plain


def _is_visible(char: str) -> bool:
    if char.isspace():
        return True
    if char in _INVISIBLE or "\ufe00" <= char <= "\ufe0f" or char >= "\U000e0000":
        return False
    return unicodedata.category(char) not in _DROPPED_CATEGORIES


def _compose(match: re.Match[str]) -> str:
    lead, vowel, tail = match.groups()
    tail_index = _TAILS.index(tail) + 1 if tail else 0
    return chr(0xAC00 + (_LEADS.index(lead) * 21 + _VOWELS.index(vowel)) * 28 + tail_index)


def _unstretch(text: str) -> str:
    """`시이이발` → `시발`: a run of two or more bare vowels that only prolong the syllable before them."""
    kept: list[str] = []
    position = 0
    while position < len(text):
        char = text[position]
        if kept and (echo := _echo(kept[-1])) is not None:
            end = position
            while end < len(text) and text[end] in echo:
                end += 1
            if end - position >= 2 or (end > position and char in _VOWELS):
                position = end
                continue
        kept.append(char)
        position += 1
    return "".join(kept)


def _echo(syllable: str) -> str | None:
    """The two spellings of an open syllable's vowel standing alone (시 → 이, ㅣ); None for anything else."""
    code = ord(syllable) - 0xAC00
    if not 0 <= code < 11172 or code % 28:
        return None
    vowel = code // 28 % 21
    return chr(0xAC00 + (11 * 21 + vowel) * 28) + _VOWELS[vowel]
