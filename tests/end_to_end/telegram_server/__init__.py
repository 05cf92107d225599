"""A Telegram to test against: the Bot API over real sockets, with every call checked against its description."""

from .faults import Fault
from .files import Media
from .objects import Callback, Chat, Content, Message, Topic
from .pace import PacingBreak
from .people import Member, User, entities_of, units
from .records import Action, Call, Violation
from .server import TOKEN, TelegramServer
from .updates import Update

__all__ = [
    "TOKEN", "Action", "Call", "Callback", "Chat", "Content", "Fault", "Media", "Member", "Message", "PacingBreak",
    "TelegramServer", "Topic", "Update", "User", "Violation", "entities_of", "units",
]  # fmt: skip
