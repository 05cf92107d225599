"""How people write to slip past a classifier; for training against it and for measuring it."""

import random
import unicodedata
from collections.abc import Callable, Mapping

_LEADS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_TAILS: tuple[str, ...] = ("", *"ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ")
_ZERO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff"


def zero_width(text: str, rng: random.Random) -> str:
    """An invisible character after every letter."""
    return "".join(char + rng.choice(_ZERO_WIDTH) for char in text)


def spread_jamo(text: str, rng: random.Random) -> str:
    """Every syllable spelled letter by letter: 시 → ㅅㅣ."""
    del rng

    def spread(char: str) -> str:
        code = ord(char) - 0xAC00
        if not 0 <= code < 11172:
            return char
        return _LEADS[code // 588] + _VOWELS[code // 28 % 21] + _TAILS[code % 28]

    return "".join(spread(char) for char in text)


def full_width(text: str, rng: random.Random) -> str:
    """ASCII as full-width forms, syllables decomposed into conjoining jamo."""
    del rng
    wide = "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)
    return unicodedata.normalize("NFD", wide)


def spaced(text: str, rng: random.Random) -> str:
    """A space between all syllables."""
    del rng
    return " ".join(text.replace(" ", ""))


def repeated(text: str, rng: random.Random) -> str:
    """Some syllables three or four times, others prolonged by their vowel."""
    return "".join(char * rng.randint(3, 4) if char.isalpha() and rng.random() < 0.3 else char for char in text)


DISGUISES: Mapping[str, Callable[[str, random.Random], str]] = {
    "zero_width": zero_width,
    "spread_jamo": spread_jamo,
    "full_width": full_width,
    "spaced": spaced,
    "repeated": repeated,
}


def unspaced(text: str, rng: random.Random) -> str:
    """What remains of a text whose syllables were pulled apart: the spaces between its words are lost."""
    del rng
    return text.replace(" ", "")


def disguised(text: str, rng: random.Random) -> str:
    """One of the disguises whose traces survive normalisation."""
    return rng.choice((unspaced, repeated, spaced))(text, rng)
