"""Answers said in other words: synonyms swapped, with the particle that then follows (behaviour.md §8)."""

import random
import re
from collections.abc import Sequence

GROUPS: tuple[tuple[str, ...], ...] = (
    ("나는", "난"),
    ("인공지능", "AI"),
    ("오!", "우와!", "와우!"),
    ("ㅠㅠ", "ㅜㅜ", "ㅠ"),
    ("ENTJ", "엔티제"),
    ("LLM", "거대 언어 모델", "대형 언어 모델"),
    ("음악", "노래"),
    ("축하해", "축하축하", "ㅊㅋㅊㅋ"),
)
_NOUNS = frozenset({"인공지능", "AI", "ENTJ", "엔티제", "LLM", "거대 언어 모델", "대형 언어 모델", "음악", "노래"})
# (after a consonant, after a vowel); those that never change stand twice
_PARTICLES = (
    ("은", "는"), ("이", "가"), ("을", "를"), ("과", "와"), ("이야", "야"), ("이랑", "랑"), ("이나", "나"),
    ("이라", "라"), ("이라서", "라서"), ("이라고", "라고"), ("이니까", "니까"), ("으로", "로"),
    *((same, same) for same in ("에", "에서", "의", "도", "만", "까지", "부터")),
)  # fmt: skip
# how Latin letters end when they are read aloud; ㄹ takes 로 and not 으로
_CODA = {"AI": "", "ENTJ": "", "LLM": "ㅁ"}
_ANY_PARTICLE = "|".join(sorted({form for pair in _PARTICLES for form in pair}, key=lambda form: -len(form)))


def _pattern(word: str) -> str:
    if word in _NOUNS:
        # one sings a 노래 but not a 음악
        sung = r"(?! ?(?:불|부르))" if word == "노래" else ""
        return rf"(?<![가-힣A-Za-z]){re.escape(word)}{sung}(?:{_ANY_PARTICLE})?(?![가-힣A-Za-z])"
    if word[0] in "ㅠㅜ":
        return rf"(?<![ㅠㅜ]){word}(?![ㅠㅜ])"
    return rf"(?<![가-힣ㄱ-ㅎ]){re.escape(word)}(?![가-힣ㄱ-ㅎ])"


_WORDS = {word: group for group in GROUPS for word in group}
_FOUND = re.compile("|".join(_pattern(word) for word in sorted(_WORDS, key=len, reverse=True)))


def varied(text: str, rng: random.Random) -> str:
    """`text` with every word of a group exchanged for one of its group, which may be itself."""
    return _FOUND.sub(lambda found: _exchanged(found[0], rng), text)


def _exchanged(found: str, rng: random.Random) -> str:
    word = max((word for word in _WORDS if found.startswith(word)), key=len)
    chosen = rng.choice(_WORDS[word])
    particle = found.removeprefix(word)
    return chosen + (_particle(particle, word, chosen) if particle else "")


def _particle(particle: str, before: str, now: str) -> str:
    """The form of `particle`, which stood after `before`, after the word that stands there now."""
    fitting: Sequence[str] = next(
        (pair for pair in _PARTICLES if pair[_takes_second(before, pair[1])] == particle), (particle, particle)
    )
    return fitting[_takes_second(now, fitting[1])]


def _takes_second(word: str, second: str) -> bool:
    coda = _CODA[word] if word in _CODA else _coda(word[-1])
    return not coda or (coda == "ㄹ" and second == "로")


def _coda(syllable: str) -> str:
    """ "" for an open syllable, else a letter; only ㄹ needs its own name."""
    tail = (ord(syllable) - 0xAC00) % 28
    return "" if tail == 0 else "ㄹ" if tail == 8 else "ㅁ"
