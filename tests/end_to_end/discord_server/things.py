"""What the service holds: people, guilds, channels, messages, interactions. Nothing here does input or output."""

import time
from dataclasses import dataclass, field
from typing import Any, Protocol

from .permissions import ALL, EPHEMERAL, LOADING, Permission

TEXT, DM, PUBLIC_THREAD = 0, 1, 11
DEFAULT, REPLY = 0, 19


class Keeper(Protocol):
    """Who makes channels and tells the bot of changes."""

    def open_channel(self, guild: "Guild", name: str) -> "Channel": ...

    def open_thread(self, parent: "Channel", name: str) -> "Channel": ...

    def channel_changed(self, channel: "Channel") -> None: ...

    def close_channel(self, channel: "Channel") -> None: ...

    def new_role(self, guild: "Guild", name: str, permissions: Permission) -> "Role": ...


@dataclass(eq=False)
class User:
    """A person, a bot or a webhook; `dms_closed` refuses direct messages with 50007."""

    id: int
    name: str
    bot: bool = False
    dms_closed: bool = False

    @property
    def mention(self) -> str:
        return f"<@{self.id}>"


@dataclass(frozen=True)
class Attachment:
    """A file as stored; `data` is None where only its measures are kept, `dimensions` is (width, height) of a PNG."""

    id: int
    filename: str
    description: str | None
    size: int
    sha256: str
    content_type: str | None
    dimensions: tuple[int, int] | None
    url: str
    data: bytes | None


@dataclass(eq=False)
class Message:
    """A stored message; `history` are its earlier contents, `replies` those that reference it; times are monotonic."""

    id: int
    channel: "Channel"
    author: User
    content: str = ""
    kind: int = DEFAULT
    nonce: str | None = None
    reference: "Message | None" = None
    pings_replied: bool = True
    forward_of: "Message | None" = None
    attachments: list[Attachment] = field(default_factory=list)
    embeds: list[dict[str, Any]] = field(default_factory=list)
    components: list[dict[str, Any]] = field(default_factory=list)
    flags: int = 0
    allowed_mentions: dict[str, Any] | None = None
    webhook: bool = False
    interaction: "Interaction | None" = None
    at: float = field(default_factory=time.monotonic)
    edited_at: float | None = None
    edited: str | None = None
    history: list[str] = field(default_factory=list)
    replies: list["Message"] = field(default_factory=list)
    deleted: bool = False

    @property
    def ephemeral(self) -> bool:
        return bool(self.flags & EPHEMERAL)

    @property
    def loading(self) -> bool:
        """Whether it still reads "… is thinking"."""
        return bool(self.flags & LOADING)

    def visible_to(self, user: User) -> bool:
        """Whether `user` could read it, as a member of its channel."""
        return not self.ephemeral or (self.interaction is not None and self.interaction.user is user)


@dataclass(eq=False)
class Channel:
    """A text channel, thread or direct chat.

    `denied` (to the bot) and `given` (to a person, by id) are overwrites; `refused` only the REST side knows.
    """

    keeper: Keeper
    id: int
    kind: int
    name: str = ""
    guild: "Guild | None" = None
    parent: "Channel | None" = None
    recipient: User | None = None
    denied: Permission = Permission.NONE
    given: dict[int, Permission] = field(default_factory=dict)
    refused: Permission = Permission.NONE
    stored: dict[int, Message] = field(default_factory=dict)
    deleted: list[Message] = field(default_factory=list)
    last_id: int | None = None

    @property
    def messages(self) -> list[Message]:
        """What stands in it now, oldest first, with what only one person sees."""
        return list(self.stored.values())

    def thread(self, name: str) -> "Channel":
        """A new public thread in it."""
        return self.keeper.open_thread(self, name)

    def deny(self, taken: Permission) -> None:
        """Take permissions from the bot, which is told; threads follow their channel."""
        self._change(self.denied | taken)

    def grant(self, given: Permission) -> None:
        """Give back what was denied; the bot is told."""
        self._change(self.denied & ~given)

    def give(self, user: User, given: Permission) -> None:
        """Whoever manages the channel gives somebody permissions in it; the bot is told."""
        self.given[user.id] = given
        self.keeper.channel_changed(self)

    def permissions_of(self, user: User) -> Permission:
        """A person's in this channel, as Discord puts them into an interaction."""
        given = self._base.given.get(user.id, Permission.NONE)
        return ALL if self.guild is None else self.guild.permissions_of(user) | given

    def close(self) -> None:
        """Somebody deletes it; the bot is told."""
        self.keeper.close_channel(self)

    def refuse(self, taken: Permission) -> None:
        """From now on REST refuses just this, though the bot's cache allows it; NONE ends that."""
        self._base.refused = taken

    def _change(self, denied: Permission) -> None:
        self._base.denied = denied
        self.keeper.channel_changed(self._base)

    def allows(self, wanted: Permission) -> bool:
        """Whether the bot may do `wanted` here, the silent refusals included."""
        return wanted in self.permissions & ~self._base.refused

    @property
    def permissions(self) -> Permission:
        """The bot's permissions as its own cache computes them."""
        return ALL if self.guild is None else self.guild.permissions & ~self._base.denied

    @property
    def _base(self) -> "Channel":
        return self.parent or self


@dataclass(eq=False)
class Role:
    """A role that people have; `members` are their ids."""

    id: int
    name: str
    permissions: Permission
    members: set[int] = field(default_factory=set)


@dataclass(eq=False)
class Guild:
    """A server: its channels and threads, its members, and what the bot's own role and @everyone may do."""

    keeper: Keeper
    id: int
    name: str
    owner: User
    locale: str
    bot_role_id: int
    manager_role_id: int
    everyone: Permission
    bot_role: Permission
    channels: list[Channel] = field(default_factory=list)
    members: dict[int, User] = field(default_factory=dict)
    managers: set[int] = field(default_factory=set)
    roles: list[Role] = field(default_factory=list)
    system_channel: Channel | None = None
    updates_channel: Channel | None = None

    def channel(self, name: str) -> Channel:
        """A new text channel in it."""
        return self.keeper.open_channel(self, name)

    def role(self, name: str, permissions: Permission = Permission.NONE) -> Role:
        """A new role that nobody has yet; the bot is told of the role, and never of who has it."""
        return self.keeper.new_role(self, name, permissions)

    def roles_of(self, user: User) -> list[Role]:
        """Those a person has beside @everyone and the managers'."""
        return [role for role in self.roles if user.id in role.members]

    @property
    def permissions(self) -> Permission:
        """The bot's permissions in the guild as a whole."""
        both = self.everyone | self.bot_role
        return ALL if Permission.ADMINISTRATOR in both else both

    def permissions_of(self, user: User) -> Permission:
        """A person's: all for the owner, MANAGE_GUILD more for a manager, and what their roles give."""
        if user is self.owner:
            return ALL
        may = self.everyone | (Permission.MANAGE_GUILD if user.id in self.managers else Permission.NONE)
        for role in self.roles_of(user):
            may |= role.permissions
        return ALL if Permission.ADMINISTRATOR in may else may


@dataclass(eq=False)
class Interaction:
    """A command, press or form, and what came back for it; times are monotonic seconds."""

    id: int
    token: str
    kind: int
    user: User
    channel: Channel
    data: dict[str, Any]
    locale: str
    message: Message | None = None
    at: float = field(default_factory=time.monotonic)
    acknowledged_at: float | None = None
    callback: int | None = None
    modal: dict[str, Any] | None = None
    choices: list[dict[str, Any]] | None = None
    original: Message | None = None
    responses: list[Message] = field(default_factory=list)
    payload: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def thinking(self) -> bool:
        """Deferred, and neither edited nor followed up yet."""
        return self.original is not None and self.original.loading and not self.original.deleted

    @property
    def texts(self) -> list[str]:
        """What the person was shown, in order, without what is still thinking or was deleted."""
        return [message.content for message in self.responses if not message.loading and not message.deleted]
