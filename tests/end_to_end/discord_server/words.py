"""What a bot's payload says becomes a message, or changes one."""

from collections.abc import Iterator
from typing import Any

from .people import People
from .rest import ApiError, Call, Json, Rest
from .things import Attachment, Message

SHOWN = ("content", "embeds", "components", "attachments")


class Words:
    """Reads payloads that describe messages."""

    def __init__(self, world: People, rest: Rest) -> None:
        self._world = world
        self._rest = rest

    def fill(self, call: Call, said: Json, message: Message) -> Message:
        """Give a message that stands nowhere yet what `said` says."""
        for name, value in self.changes(call, said, message).items():
            setattr(message, name, value)
        message.flags |= said.get("flags") or 0
        return message

    def changes(self, call: Call, said: Json, message: Message) -> dict[str, Any]:
        """The attributes that `said` sets. ApiError 50006 where nothing would be left to see."""
        changes: dict[str, Any] = {name: said[name] or [] for name in ("embeds", "components") if name in said}
        if "content" in said:
            changes["content"] = (said["content"] or "").strip()
        if said.get("allowed_mentions") is not None:
            changes["allowed_mentions"] = said["allowed_mentions"]
        if "attachments" in said or call.files:
            changes["attachments"] = list(self._attachments(call, said, message))
        if not any(changes.get(name, getattr(message, name)) for name in SHOWN):
            self._rest.violate(call, "an empty message")
            raise ApiError(400, 50006, "Cannot send an empty message")
        return changes

    def _attachments(self, call: Call, said: Json, message: Message) -> Iterator[Attachment]:
        listed = {str(one["id"]): one for one in said.get("attachments") or []}
        yield from (one for one in message.attachments if "attachments" not in said or str(one.id) in listed)
        for number, file in call.files.items():
            described = listed.get(str(number), {})
            name = described.get("filename") or file.filename
            yield self._world.store(message.channel, file, name, described.get("description"))
