"""The tables. A change here needs a new file in migrations/versions; a test compares the two.

inbox 1─1 turns 1─1 outbox          what was said, what came of it, what goes back
              1─n cases             sanctions, of a turn or by hand;  1─n case_events, the append-only log
                                                                      1─n case_messages, where moderators see them
              1─1 memories          at most one item per turn: it cannot be stored twice
summaries                           the last one per person and chat
people, places                      what is known of them beside what was said
buttons                             what pressing one does, and who may
notes                               small facts that adapters keep, and which record this is (storage.incarnation)
fences                              who may write a turn: the highest token of each right
"""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    true,
)

from storage.columns import AnyText, Period, UtcTime, Vector
from storage.dialect import ID, NEVER_REUSE_IDS

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# states; an inbox entry, a delivery and a turn's bookkeeping each move once, from the first word of their line
WAITING, ANSWERED, DISCARDED = "waiting", "answered", "discarded"
# given up; and given up, as the person knows
DEAD, TOLD = "dead", "told"
DELIVERED, UNKNOWN, REFUSED = "delivered", "unknown", "refused"
DUE, DONE, NONE = "due", "done", "none"

inbox = Table(
    "inbox",
    metadata,
    Column("id", ID, primary_key=True),
    Column("platform", AnyText, nullable=False),
    Column("chat_id", AnyText, nullable=False),
    Column("message_id", AnyText, nullable=False),
    Column("user_id", AnyText, nullable=False),
    Column("private", Boolean, nullable=False),
    Column("place_id", AnyText, nullable=False, server_default=""),
    Column("text", AnyText, nullable=False),
    Column("sent_at", UtcTime, nullable=False),
    Column("language", AnyText, nullable=False),
    Column("via", AnyText, nullable=False, server_default=""),
    Column("state", String(16), nullable=False),
    Column("learn", Boolean, nullable=False, server_default=true()),  # False: everything was forgotten since it came
    Column("reason", AnyText, nullable=False, server_default=""),  # why it is dead
    UniqueConstraint("platform", "chat_id", "message_id"),
    Index(None, "state", "id"),
    Index(None, "platform", "sent_at"),
    # not led by the platform, which a new table's statistics take for a good way to one message
    Index(None, "user_id", "platform", "id"),
    **NEVER_REUSE_IDS,
)

turns = Table(
    "turns",
    metadata,
    Column("id", ID, primary_key=True),
    Column("inbox_id", ID, ForeignKey("inbox.id"), nullable=False, unique=True),
    Column("final_input", AnyText, nullable=False),
    Column("ethics_scores", JSON, nullable=False),
    Column("bookkeeping", String(16), nullable=False),
    Index(None, "bookkeeping", "id"),
    **NEVER_REUSE_IDS,
)

outbox = Table(
    "outbox",
    metadata,
    Column("turn_id", ID, ForeignKey("turns.id"), primary_key=True, autoincrement=False),
    Column("text", AnyText, nullable=False),
    Column("eyes", String(16)),
    Column("mouth", String(16)),
    Column("pose", String(16)),
    Column("notices", JSON, nullable=False),
    Column("state", String(16), nullable=False),
    Column("begun_at", UtcTime),
    Index(None, "state", "turn_id"),
)

# all that figures are made of, so that they come from an index alone
_COUNTED = ("week", "category", "mode", "state", "answered", "waited_us", "longest_us")

cases = Table(
    "cases",
    metadata,
    Column("number", ID, primary_key=True),
    Column("turn_id", ID, ForeignKey("turns.id")),
    Column("platform", AnyText, nullable=False),
    Column("user_id", AnyText, nullable=False),
    Column("chat_id", AnyText, nullable=False),
    Column("place_id", AnyText, nullable=False),  # the chat's own id where it belongs to no server or group
    Column("private", Boolean, nullable=False),
    Column("language", AnyText, nullable=False),
    Column("everywhere", Boolean, nullable=False),
    Column("category", AnyText, nullable=False),
    Column("step", Integer, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("period_us", Period, nullable=False),
    Column("mode", String(16), nullable=False),
    Column("prompt", AnyText, nullable=False),
    Column("answer", AnyText, nullable=False),
    Column("blanked", Boolean, nullable=False),
    Column("scores", JSON, nullable=False),
    Column("thresholds", JSON, nullable=False),
    Column("encoder", AnyText, nullable=False),
    # these follow from what stands above and from the events; written with them, so that a list needs no event
    Column("week", Date, nullable=False),
    Column("state", String(16), nullable=False),
    Column("ends_at", UtcTime, nullable=False),
    Column("answered", Integer, nullable=False),  # appeals, and how long they waited together, and the longest
    Column("waited_us", Period, nullable=False),
    Column("longest_us", Period, nullable=False),
    UniqueConstraint("turn_id", "category"),
    Index(None, "platform", "user_id", "mode", "number"),
    Index(None, "platform", "place_id", "number"),
    Index(None, "platform", "place_id", "state", "number"),
    Index(None, "platform", "place_id", "category", "number"),
    Index("ix_cases_stats_of_place", "platform", "place_id", *_COUNTED),
    Index("ix_cases_stats", *_COUNTED),
    Index(None, "state", "number"),
    Index(None, "category", "number"),
    Index(None, "at", "number"),
    Index(None, "blanked", "ends_at"),
    **NEVER_REUSE_IDS,
)

case_events = Table(
    "case_events",
    metadata,
    Column("number", ID, ForeignKey("cases.number"), primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("by_platform", AnyText),
    Column("by_user_id", AnyText),
    Column("text", AnyText, nullable=False),
    Column("period_us", Period),
    Index(None, "by_platform", "by_user_id", "number"),
)

case_messages = Table(
    "case_messages",
    metadata,
    Column("number", ID, ForeignKey("cases.number"), primary_key=True, autoincrement=False),
    Column("appeal", Integer, primary_key=True, autoincrement=False),
    Column("chat_id", AnyText, primary_key=True),
    Column("message_id", AnyText, nullable=False),
)

memories = Table(
    "memories",
    metadata,
    Column("id", ID, primary_key=True),
    Column("turn_id", ID, ForeignKey("turns.id"), nullable=False, unique=True),
    Column("platform", AnyText, nullable=False),
    Column("user_id", AnyText, nullable=False),
    Column("scope", AnyText, nullable=False),
    Column("key", AnyText, nullable=False),
    Column("value", AnyText, nullable=False),
    Column("learned_at", UtcTime, nullable=False),
    Column("vector", Vector, nullable=False),
    Column("aged_vector", Vector),
    Index(None, "platform", "user_id", "learned_at", "id"),
    **NEVER_REUSE_IDS,
)

summaries = Table(
    "summaries",
    metadata,
    Column("platform", AnyText, primary_key=True),
    Column("user_id", AnyText, primary_key=True),
    Column("chat_id", AnyText, primary_key=True),
    Column("text", AnyText, nullable=False),
    Column("vector", Vector, nullable=False),
    # of which turn: bookkeeping that was late must not put an older summary back
    Column("turn_id", ID, nullable=False, server_default="0"),
)

people = Table(
    "people",
    metadata,
    Column("platform", AnyText, primary_key=True),
    Column("user_id", AnyText, primary_key=True),
    Column("introduced", Boolean, nullable=False),
    Column("paused", Boolean, nullable=False),
    Column("revision", ID, nullable=False, server_default="0"),  # storage.revisions
)

places = Table(
    "places",
    metadata,
    Column("platform", AnyText, primary_key=True),
    Column("place_id", AnyText, primary_key=True),
    Column("settings", JSON, nullable=False),
)

buttons = Table(
    "buttons",
    metadata,
    Column("id", ID, primary_key=True),
    Column("platform", AnyText, nullable=False),
    Column("user_id", AnyText, nullable=False),
    Column("command", AnyText, nullable=False),
    Column("argument", AnyText, nullable=False),
    Column("made_at", UtcTime, nullable=False),
    Index(None, "platform", "user_id", "made_at"),
    **NEVER_REUSE_IDS,
)

notes = Table(
    "notes",
    metadata,
    Column("name", AnyText, primary_key=True),
    Column("value", AnyText, nullable=False),
)

fences = Table(
    "fences",
    metadata,
    Column("name", AnyText, primary_key=True),
    Column("token", ID, nullable=False),
)
