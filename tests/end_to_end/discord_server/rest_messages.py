"""Routes of channels and the messages in them."""

import time
from collections.abc import Iterable

from . import payloads
from .people import People
from .permissions import Permission
from .rest import ApiError, Call, Json, Rest, Route
from .things import PUBLIC_THREAD, REPLY, Channel, Message
from .words import Words

CHANNEL = "/channels/{channel_id}"
MESSAGES = CHANNEL + "/messages"
MESSAGE = MESSAGES + "/{message_id}"


class Messages:
    """Sending, changing and reading messages. `repeated` are those whose nonce came again, `typing` (channel, time)."""

    def __init__(self, world: People, rest: Rest) -> None:
        self._world = world
        self._words = Words(world, rest)
        self._nonces: dict[tuple[int, str], Message] = {}
        self.repeated: list[Message] = []
        self.typing: list[tuple[Channel, float]] = []

    def routes(self) -> list[Route]:
        """Method, template, handler."""
        return [
            ("GET", CHANNEL, self._describe),
            ("GET", MESSAGES, self._list),
            ("POST", MESSAGES, self._send),
            ("GET", MESSAGE, self._get),
            ("PATCH", MESSAGE, self._edit),
            ("DELETE", MESSAGE, self._delete),
            ("POST", CHANNEL + "/typing", self._type),
            ("PUT", CHANNEL + "/thread-members/@me", self._join),
        ]

    async def _describe(self, call: Call) -> Json:
        return payloads.channel(self._channel(call), self._world.bot)

    async def _send(self, call: Call) -> Json:
        channel = self._channel(call)
        self._may_send(channel, call)
        said: Json = call.payload or {}
        nonce = None if said.get("nonce") is None else str(said["nonce"])
        existing = self._nonces.get((channel.id, nonce or ""))
        if said.get("enforce_nonce") and existing is not None and self._recent(existing):
            self.repeated.append(existing)
            self._world.changed()
            return payloads.message(existing, self._world)
        message = Message(self._world.snowflakes.next(), channel, self._world.bot, nonce=nonce)
        message.reference = self._referenced(channel, said.get("message_reference"))
        message.kind = message.kind if message.reference is None else REPLY
        self._words.fill(call, said, message)
        if nonce is not None:
            self._nonces[channel.id, nonce] = message
        return payloads.message(self._world.add(message), self._world)

    def _recent(self, message: Message) -> bool:
        return time.monotonic() - message.at <= self._world.settings.nonce_window_s

    def _referenced(self, channel: Channel, reference: Json | None) -> Message | None:
        if reference is None:
            return None
        if not channel.allows(Permission.READ_MESSAGE_HISTORY):
            raise ApiError(400, 160002, "Cannot reply without permission to read message history")
        found = channel.stored.get(int(reference["message_id"]))
        if found is None and reference.get("fail_if_not_exists", True):
            raise ApiError(400, 50035, "Invalid Form Body: message_reference: Unknown message")
        return found

    async def _edit(self, call: Call) -> Json:
        message = self._message(call)
        if message.author is not self._world.bot:
            raise ApiError(403, 50005, "Cannot edit a message authored by another user")
        if call.files and not message.channel.allows(Permission.ATTACH_FILES):
            raise _missing_permissions()
        self._world.rewrite(message, **self._words.changes(call, call.payload or {}, message))
        return payloads.message(message, self._world)

    async def _delete(self, call: Call) -> None:
        message = self._message(call)
        own = message.author is self._world.bot
        if not own and (message.channel.guild is None or not message.channel.allows(Permission.MANAGE_MESSAGES)):
            raise _missing_permissions()
        self._world.remove(message)

    async def _get(self, call: Call) -> Json:
        message = self._message(call)
        if not message.channel.allows(Permission.READ_MESSAGE_HISTORY):
            raise _missing_permissions()
        return payloads.message(message, self._world)

    async def _list(self, call: Call) -> list[Json]:
        channel = self._channel(call)
        if not channel.allows(Permission.READ_MESSAGE_HISTORY):
            raise _missing_permissions()
        there = [message for message in channel.messages if not message.ephemeral]
        return [payloads.message(message, self._world) for message in reversed(_page(there, call.query))]

    async def _type(self, call: Call) -> None:
        channel = self._channel(call)
        self._may_send(channel, call)
        self.typing.append((channel, time.monotonic()))
        self._world.changed()

    async def _join(self, call: Call) -> None:
        if self._channel(call).kind != PUBLIC_THREAD:
            raise ApiError(400, 50024, "Cannot execute action on this channel type")

    def _channel(self, call: Call) -> Channel:
        channel = self._world.channels.get(call.id("channel_id"))
        if channel is None:
            raise ApiError(404, 10003, "Unknown Channel")
        if not channel.allows(Permission.VIEW_CHANNEL):
            raise ApiError(403, 50001, "Missing Access")
        return channel

    def _message(self, call: Call) -> Message:
        message = self._channel(call).stored.get(call.id("message_id"))
        if message is None or message.ephemeral:
            raise ApiError(404, 10008, "Unknown Message")
        return message

    @staticmethod
    def _may_send(channel: Channel, call: Call) -> None:
        if channel.recipient is not None and channel.recipient.dms_closed:
            raise ApiError(403, 50007, "Cannot send messages to this user")
        needed = Permission.SEND_MESSAGES_IN_THREADS if channel.kind == PUBLIC_THREAD else Permission.SEND_MESSAGES
        needed |= Permission.ATTACH_FILES if call.files else Permission.NONE
        needed |= Permission.EMBED_LINKS if (call.payload or {}).get("embeds") else Permission.NONE
        if not channel.allows(needed):
            raise _missing_permissions()


def _missing_permissions() -> ApiError:
    return ApiError(403, 50013, "Missing Permissions")


def _page(messages: list[Message], query: dict[str, str]) -> list[Message]:
    """The page that `query` asks for, oldest first."""
    limit = int(query.get("limit", 50))
    if "after" in query:
        return _ids(messages, int(query["after"]) + 1, None)[:limit]
    if "around" in query:
        middle = int(query["around"])
        before, rest = _ids(messages, 0, middle), _ids(messages, middle, None)
        return [*before[-(limit // 2) :], *rest[: limit - limit // 2]]
    return _ids(messages, 0, int(query["before"]) if "before" in query else None)[-limit:]


def _ids(messages: Iterable[Message], start: int, end: int | None) -> list[Message]:
    return [message for message in messages if message.id >= start and (end is None or message.id < end)]
