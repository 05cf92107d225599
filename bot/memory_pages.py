"""What /memory shows: items in pages, with a button to forget each."""

from collections.abc import Sequence

from bot.adapters.desk import Answer, Button, Command
from bot.privacy import question
from core import texts
from core.memory import MemoryItem
from core.people import Person

PAGE = 10
ROW = 5


def memory_page(items: Sequence[MemoryItem], page: int, person: Person, language: str) -> Answer:
    """The newest items first, `PAGE` of them; `page` counts from 1."""
    pages = max(-(-len(items) // PAGE), 1)
    page = min(max(page, 1), pages)
    shown = items[::-1][(page - 1) * PAGE : page * PAGE]
    title = texts.text(language, "memory", "title", n=len(items)) if items else texts.text(language, "memory", "none")
    lines = [title, *(f"{item.item_id}. {item.text}" for item in shown)]
    if pages > 1:
        lines.append(texts.text(language, "memory", "page", page=page, pages=pages))
    if person.paused:
        lines.append(texts.text(language, "memory", "paused"))
    forget = [
        Button(texts.text(language, "memory", "forget", n=item.item_id), Command("memory", f"forget {item.item_id}"))
        for item in shown
    ]
    turn = [
        Button(texts.text(language, "memory", name), Command("memory", f"list {other}"))
        for name, other in (("back", page - 1), ("next", page + 1))
        if 1 <= other <= pages
    ]
    pause = Button(texts.text(language, "memory", "resume" if person.paused else "pause"), Command("memory", "pause"))
    export = Button(texts.text(language, "memory", "export"), Command("memory", "export"))
    everything = Button(texts.text(language, "memory", "forget_all"), Command("memory", "forget all"))
    rows = (*_rows(forget), tuple(turn), (pause, export, *([everything] if items else [])))
    return Answer("\n".join(lines), tuple(row for row in rows if row))


def forget_question(count: int, language: str) -> Answer:
    """Asks before everything goes."""
    text = texts.text(language, "memory", "forget_sure", n=count)
    return question(text, "memory", Command("memory", "forget all"), Command("memory", "list"), language)


def _rows(buttons: Sequence[Button]) -> tuple[tuple[Button, ...], ...]:
    return tuple(tuple(buttons[start : start + ROW]) for start in range(0, len(buttons), ROW))
