"""How people call her by name."""

import re

from core.text import normalise

_NAME = re.compile(r"(?:오로라|로라)야")


def calls_her(text: str) -> bool:
    """Whether a message begins with her name as one calls it: "로라야 …"."""
    return _NAME.match(normalise(text)) is not None
