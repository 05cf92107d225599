"""A reply as text: what everybody in the chat reads, and what only the person does."""

from collections.abc import Iterable

from core.messages import Notice, Reply


def for_all(reply: Reply) -> str:
    """Her answer and the notices that may be read where the message was said."""
    here = reply.notices if reply.to.chat.private else [notice for notice in reply.notices if not notice.private]
    return _joined(reply.text, here)


def for_one(reply: Reply) -> str:
    """The notices that reach nobody but the person; "" in a private chat, where everything does."""
    return "" if reply.to.chat.private else _joined("", (notice for notice in reply.notices if notice.private))


def _joined(text: str, notices: Iterable[Notice]) -> str:
    return "\n\n".join([*([text] if text else []), *(f"※ {notice.text}" for notice in notices)])
