"""Guessing what comes next from what is written already: a person's own prompt, and how such texts usually go on.

Answers repeat what was recalled, and end marks always read the same (prompt lookup decoding, Saxena 2023).
"""

from collections.abc import Iterable

# so many tokens have to stand together again before they say anything; more say more
_CONTEXTS = (3, 2)


class Draft:
    """The tokens of one row. What followed its last few tokens when they stood together before is the guess."""

    def __init__(self, tokens: Iterable[int] = ()) -> None:
        self._tokens: list[int] = []
        self._behind: dict[tuple[int, ...], int] = {}  # tokens → the place behind them, the latest
        for token in tokens:
            self.append(token)

    def append(self, token: int) -> None:
        """One more, written or given."""
        place = len(self._tokens)
        for length in _CONTEXTS:
            if place >= length:
                self._behind[tuple(self._tokens[-length:])] = place
        self._tokens.append(token)

    def guess(self, longest: int) -> list[int]:
        """What may come next, at most `longest` tokens; empty where nothing is known."""
        for length in _CONTEXTS:
            if (place := self._behind.get(tuple(self._tokens[-length:]))) is not None:
                return self._tokens[place : place + max(longest, 0)]
        return []
