"""A stand-in for Discord, for the real client to talk to over real sockets.

`async with DiscordServer() as server, …` and `aim.aimed_at(server.api_url, server.gateway_url)` for discord.py.
"""

from .commands import NotOffered
from .faults import Fault
from .gateway import LateHeartbeat
from .permissions import ALL, EVERYBODY, Intent, Permission
from .rest import Request
from .server import DiscordServer
from .settings import Settings
from .things import Attachment, Channel, Guild, Interaction, Message, Role, User
from .validation import Violation, would_ping

__all__ = [
    "ALL",
    "EVERYBODY",
    "Attachment",
    "Channel",
    "DiscordServer",
    "Fault",
    "Guild",
    "Intent",
    "Interaction",
    "LateHeartbeat",
    "Message",
    "NotOffered",
    "Permission",
    "Request",
    "Role",
    "Settings",
    "User",
    "Violation",
    "would_ping",
]
