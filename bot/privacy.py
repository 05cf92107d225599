"""What people and hosts are shown when they ask for everything that is kept about somebody, or want to be rid of it."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.adapters.desk import Answer, Button, Command
from core import texts

EXPORT_NAME = "aurora-export.json"
_NO = "no"


def export(kept: Mapping[str, Any], now: datetime) -> bytes:
    """Everything kept about a person as the content of a file, which says when it was made."""
    # what is no Unicode becomes an escape, which JSON reads back
    written = json.dumps({"made_at": now.isoformat(), **kept}, ensure_ascii=False, indent=1)
    return written.encode(errors="backslashreplace")


def confirmed(argument: str) -> bool:
    """Whether the last word says that what cannot be undone shall happen."""
    word = argument.rpartition(" ")[2].casefold()
    return word in {texts.text(language, "confirm", "word") for language in texts.LANGUAGES}


def question(text: str, section: str, to_do: Command, instead: Command, language: str) -> Answer:
    """Asks before `to_do`, which then comes with the word that confirms it.

    `section`: of core.texts, with the labels of both buttons.
    """
    sure = Command(to_do.name, f"{to_do.argument} {texts.text(language, 'confirm', 'word')}".strip())
    typed = texts.text(language, "confirm", "typed", command=f"/{sure.name} {sure.argument}")
    yes, no = (Button(texts.text(language, section, label), to) for label, to in (("yes", sure), ("no", instead)))
    return Answer(text, ((yes, no),), instead=typed)


def forget_me_page(command: Command, language: str) -> Answer:
    """What goes, what stays, and why; nothing is done yet."""
    if command.argument == _NO:
        return Answer(texts.text(language, "forget_me", "kept"))
    text = texts.text(language, "forget_me", "sure")
    return question(text, "forget_me", Command(command.name), Command(command.name, _NO), language)


def forgot_me(numbers: Sequence[int], language: str) -> Answer:
    """It is done; `numbers` of the cases that stay."""
    said = texts.text(language, "forget_me", "deleted")
    if numbers:
        said += "\n" + texts.text(language, "forget_me", "cases", numbers=", ".join(map(str, numbers)))
    return Answer(said)
