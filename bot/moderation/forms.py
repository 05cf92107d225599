"""What a button asks for before it counts as pressed. Pure: who may press it is looked up when the words are there."""

import re
from collections.abc import Sequence

from bot.adapters.desk import Field, Form
from bot.adapters.menu import WORDS_FOLLOW
from bot.moderation.review_pages import FORMS, case_button
from core import texts
from core.moderation import TEXT_LENGTH

_PERIOD_LENGTH = 20
# a button of one person's: its id, then what it asks for, and of which case
_PERSONAL = re.compile(r"(\d{1,19})(?:\?(shorten|comment)\.(\d{1,15}))?", re.ASCII)


def personal_id(data: str) -> int:
    """The id of a button of one person's; 0, which no button has, for anything else."""
    found = _PERSONAL.fullmatch(data)
    return 0 if found is None else int(found[1])


def personal_data(button_id: int, form: str) -> str:
    """As such a button travels."""
    return f"{button_id}?{form}" if form else str(button_id)


def form_of(data: str, language: str) -> Form | None:
    """The form of a button; None where it has none."""
    button = case_button(data)
    if button is not None:
        return _form(button.verb, button.number, language) if button.verb in FORMS else None
    found = _PERSONAL.fullmatch(data)
    return None if found is None or found[2] is None else _form(found[2], int(found[3]), language)


def filled(verb: str, values: Sequence[str]) -> str:
    """What was written into a form, as the end of a command."""
    if verb == "shorten" and len(values) > 1:
        period, *reason = values
        return f"{''.join(period.split())} {WORDS_FOLLOW} {' '.join(reason)}"
    words = " ".join(values) if verb in FORMS else ""
    return f"{WORDS_FOLLOW} {words}" if verb == "comment" else words


def _form(verb: str, number: int, language: str) -> Form:
    def say(name: str, **values: object) -> str:
        return texts.text(language, "form", name, **values)

    words = Field(say("comment" if verb == "comment" else "reason"), TEXT_LENGTH, long=True, needed=verb == "comment")
    fields = (words,) if verb == "comment" else (Field(say("period"), _PERIOD_LENGTH), words)
    return Form(say(f"{verb}_title", n=number), fields, f"/mod {verb} {number} {say(f'{verb}_example')}")
