"""What the service says beside her answer, or instead of it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from core import texts
from core.messages import Notice, NoticeKind, Reply
from core.sanctions import Sanction, block_period


def notice(language: str, kind: NoticeKind, **values: object) -> Notice:
    """The sentence of a kind, its gaps filled."""
    return Notice(kind, texts.text(language, "notice", kind.value, **values))


def sanction_notices(language: str, issued: Iterable[Sanction]) -> tuple[Notice, ...]:
    """One warning or one block for all sanctions of a turn that the person notices."""
    felt = [sanction for sanction in issued if sanction.felt]
    if not felt:
        return ()
    total = block_period(sanction.period for sanction in felt)
    category = texts.categories(language, [sanction.category for sanction in felt])
    kind = NoticeKind.BLOCK if total else NoticeKind.WARNING
    return (notice(language, kind, category=category, period=texts.period(language, total)),)


def numbered(reply: Reply, numbers: Sequence[int]) -> Reply:
    """The reply, whose warning or block names the cases it is about, so that the person can appeal."""
    if not numbers:
        return reply
    cases = texts.text(reply.to.language, "case", "numbers", numbers=", ".join(map(str, numbers)))
    told = (NoticeKind.WARNING, NoticeKind.BLOCK)
    notices = (replace(said, text=f"{said.text} {cases}") if said.kind in told else said for said in reply.notices)
    return replace(reply, notices=tuple(notices))
