"""Rows and what core calls them: pure, both ways."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, Table, and_, bindparam, select

from core.cases import Case, Event, Kind
from core.expression import Expression
from core.memory import MemoryItem
from core.messages import ChatKey, IncomingMessage, Notice, NoticeKind, PersonKey, Reply, Turn
from core.people import Images, PlaceSettings
from core.sanctions import Evidence, Mode, Sanction
from storage.schema import inbox, outbox, turns

AnyRow = Row[Any]
Values = Mapping[str, object]


def of_message(message: IncomingMessage) -> Values:
    """The inbox row of a message. Raises ValueError when its person and its chat are on different platforms."""
    if message.person.platform != message.chat.platform:
        raise ValueError(f"a person of {message.person.platform!r} cannot write in a chat of {message.chat.platform!r}")
    return {
        "platform": message.chat.platform,
        "chat_id": message.chat.chat_id,
        "message_id": message.message_id,
        "user_id": message.person.user_id,
        "private": message.chat.private,
        "place_id": message.chat.place_id,
        "text": message.text,
        "sent_at": message.sent_at,
        "language": message.language,
        "via": message.via,
    }


def to_message(row: AnyRow) -> IncomingMessage:
    """From a row with inbox's columns; its text is labelled `asked`."""
    return IncomingMessage(
        person=PersonKey(row.platform, row.user_id),
        chat=ChatKey(row.platform, row.chat_id, row.private, row.place_id),
        message_id=row.message_id,
        text=row.asked,
        sent_at=row.sent_at,
        language=row.language,
        via=row.via,
    )


def of_reply(reply: Reply) -> Values:
    """The outbox row of a reply."""
    face = reply.expression
    return {
        "text": reply.text,
        "eyes": face and face.eyes,
        "mouth": face and face.mouth,
        "pose": face and face.pose,
        "notices": [{"kind": notice.kind.value, "text": notice.text} for notice in reply.notices],
    }


def to_reply(row: AnyRow) -> Reply:
    """From a row of select_replies. Raises ValueError for labels that this version does not know."""
    face = None if row.eyes is None else Expression(row.eyes, row.mouth, row.pose)
    notices = tuple(Notice(NoticeKind(notice["kind"]), notice["text"]) for notice in row.notices)
    return Reply(to_message(row), row.text, face, notices)


def to_turn(row: AnyRow, issued: Iterable[Sanction]) -> Turn:
    """From a row of select_replies, and the turn's sanctions in their order."""
    return Turn(to_reply(row), row.final_input, tuple(issued), row.ethics_scores)


def of_person(person: PersonKey) -> Values:
    """The columns that say whose a row is."""
    return {"platform": person.platform, "user_id": person.user_id}


def of_case(case: Case) -> Values:
    """The row of a case; its number is given by the record."""
    sanction, evidence = case.sanction, case.sanction.evidence
    return {
        **of_person(case.person),
        **state_of(case),
        "turn_id": case.turn,
        "chat_id": case.chat.chat_id,
        "place_id": case.place.place_id,
        "private": case.chat.private,
        "language": case.language,
        "everywhere": case.everywhere,
        "category": sanction.category,
        "step": sanction.step,
        "at": sanction.at,
        "period_us": sanction.period,
        "mode": sanction.mode.value,
        "prompt": evidence.prompt,
        "answer": evidence.answer,
        "blanked": case.blanked,
        "scores": evidence.scores,
        "thresholds": evidence.thresholds,
        "encoder": evidence.encoder,
        "week": week_of(sanction.at),
    }


def state_of(case: Case) -> Values:
    """What follows from a case's events, kept in its row so that a query can ask for it."""
    waits = case.waits
    return {
        "state": case.state.value,
        "ends_at": case.end,
        "answered": len(waits),
        "waited_us": sum(waits, timedelta(0)),
        "longest_us": max(waits, default=timedelta(0)),
    }


# columns of cases that hold evidence, as Evidence takes them
EVIDENCE = ("prompt", "answer", "scores", "thresholds", "encoder")


def to_case(row: AnyRow, events: Iterable[Event]) -> Case:
    """From a row of cases, and its events in their order. Raises ValueError for words this version does not know."""
    place_id = "" if row.place_id == row.chat_id else row.place_id
    chat = ChatKey(row.platform, row.chat_id, row.private, place_id)
    return Case(
        row.number,
        PersonKey(row.platform, row.user_id),
        chat,
        to_sanction(row),
        tuple(events),
        turn=row.turn_id,
        everywhere=row.everywhere,
        language=row.language,
        blanked=row.blanked,
    )


def to_sanction(row: AnyRow) -> Sanction:
    """From a row of cases, which may have been read without evidence."""
    evidence = Evidence(*(getattr(row, name) for name in EVIDENCE)) if hasattr(row, EVIDENCE[0]) else Evidence()
    return Sanction(row.category, row.step, row.at, row.period_us, Mode(row.mode), evidence)


def of_event(event: Event) -> Values:
    """The row of an event, without its place in the log."""
    return {
        "kind": event.kind.value,
        "at": event.at,
        "by_platform": event.by and event.by.platform,
        "by_user_id": event.by and event.by.user_id,
        "text": event.text,
        "period_us": event.period,
    }


def to_event(row: AnyRow) -> Event:
    """From a row of case_events."""
    by = None if row.by_user_id is None else PersonKey(row.by_platform, row.by_user_id)
    return Event(Kind(row.kind), row.at, by, row.text, row.period_us)


def week_of(moment: datetime) -> date:
    """The Monday of its week, in UTC."""
    day = moment.astimezone(UTC).date()
    return day - timedelta(days=day.weekday())


def of_item(item: MemoryItem) -> Values:
    """The row of a memory, without its turn and person; its id is given by the record."""
    return {
        "scope": item.scope,
        "key": item.key,
        "value": item.value,
        "learned_at": item.learned_at,
        "vector": item.vector,
        "aged_vector": item.aged_vector,
    }


def to_item(row: AnyRow) -> MemoryItem:
    """From a row of memories."""
    return MemoryItem(row.key, row.value, row.scope, row.learned_at, row.vector, row.aged_vector, row.id)


def of_settings(settings: PlaceSettings) -> Values:
    """The JSON of a place's settings."""
    return {
        "channels": sorted(settings.channels),
        "name_call": settings.name_call,
        "images": settings.images.value,
        "language": settings.language,
        "modes": {category: mode.value for category, mode in settings.modes.items()},
        "thresholds": settings.thresholds,
        "ladders": {name: [step.total_seconds() for step in ladder] for name, ladder in settings.ladders.items()},
        "review_chat": settings.review_chat,
        "moderator_role": settings.moderator_role,
    }


def to_settings(kept: Mapping[str, Any]) -> PlaceSettings:
    """From that JSON, also as it was before places had moderators."""
    ladders = kept.get("ladders", {})
    return PlaceSettings(
        frozenset(kept["channels"]),
        kept["name_call"],
        Images(kept["images"]),
        kept["language"],
        {category: Mode(mode) for category, mode in kept.get("modes", {}).items()},
        kept.get("thresholds", {}),
        {name: tuple(timedelta(seconds=step) for step in ladder) for name, ladder in ladders.items()},
        kept.get("review_chat", ""),
        kept.get("moderator_role", ""),
    )


def select_messages() -> Select[Any]:
    """Inbox rows as to_message reads them."""
    return select(*(c for c in inbox.c if c.name != "text"), inbox.c.text.label("asked"))


def select_replies() -> Select[Any]:
    """Turns with their message and their reply, as to_reply and to_turn read them."""
    of_inbox = (c for c in inbox.c if c.name not in ("id", "text", "state", "learn", "reason"))
    of_outbox = (c for c in outbox.c if c.name != "state")
    columns = (*of_inbox, inbox.c.text.label("asked"), *of_outbox, turns.c.final_input, turns.c.ethics_scores)
    return select(*columns).select_from(turns).join(inbox).join(outbox)


def theirs(table: Table) -> ColumnElement[bool]:
    """Whether a row of `table` is a person's, in a statement made once; executed with the parameters of `whose`."""
    return and_(table.c.platform == bindparam("their_platform"), table.c.user_id == bindparam("their_user_id"))


def whose(person: PersonKey) -> Values:
    """The parameters of `theirs`."""
    return {"their_platform": person.platform, "their_user_id": person.user_id}


# which message an inbox row is, as MessageKey says it
KEY = (inbox.c.platform, inbox.c.chat_id, inbox.c.message_id)


def this_message() -> ColumnElement[bool]:
    """Whether an inbox row is a message's, in a statement made once; executed with the parameters of `which`."""
    here = and_(inbox.c.platform == bindparam("its_platform"), inbox.c.chat_id == bindparam("its_chat_id"))
    return and_(here, inbox.c.message_id == bindparam("its_message_id"))


def which(message: IncomingMessage) -> Values:
    """The parameters of `this_message`."""
    chat = message.chat
    return {"its_platform": chat.platform, "its_chat_id": chat.chat_id, "its_message_id": message.message_id}


def belongs_to(table: Table, person: PersonKey) -> ColumnElement[bool]:
    """Whether a row of `table` is this person's."""
    return and_(table.c.platform == person.platform, table.c.user_id == person.user_id)
