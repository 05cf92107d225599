"""People, and how Telegram reads what they write."""

import re
from dataclasses import dataclass
from typing import Any

COMMAND_OR_MENTION = re.compile(r"(?<![\w/@])(?:/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?\b|@[A-Za-z0-9_]{4,32}\b)")
PRESENT = ("creator", "administrator", "member", "restricted")
ADMINISTRATORS = ("creator", "administrator")
RIGHTS = (
    "can_be_edited", "can_manage_chat", "can_delete_messages", "can_manage_video_chats", "can_restrict_members",
    "can_promote_members", "can_change_info", "can_invite_users", "can_post_stories", "can_edit_stories",
    "can_delete_stories",
)  # fmt: skip


def units(text: str) -> int:
    """Length as Telegram counts it, in UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def entities_of(text: str) -> list[dict[str, Any]]:
    """The commands and @mentions that Telegram marks by itself."""
    return [
        {
            "type": "bot_command" if found[0].startswith("/") else "mention",
            "offset": units(text[: found.start()]),
            "length": units(found[0]),
        }
        for found in COMMAND_OR_MENTION.finditer(text)
    ]


@dataclass(frozen=True)
class User:
    """A person or a bot."""

    id: int
    first_name: str
    username: str | None = None
    language_code: str | None = None
    is_bot: bool = False

    def json(self) -> dict[str, Any]:
        """User."""
        more = {"username": self.username, "language_code": self.language_code}
        written = {key: value for key, value in more.items() if value}
        return {"id": self.id, "is_bot": self.is_bot, "first_name": self.first_name, **written}


@dataclass
class Member:
    """Somebody's place in a chat. `rights` are an administrator's."""

    user: User
    status: str = "member"
    anonymous: bool = False
    rights: frozenset[str] = frozenset(RIGHTS)

    @property
    def present(self) -> bool:
        """Whether messages of the chat reach them."""
        return self.status in PRESENT

    def json(self) -> dict[str, Any]:
        """ChatMember…"""
        written: dict[str, Any] = {"status": self.status, "user": self.user.json()}
        if self.status in ADMINISTRATORS:
            written["is_anonymous"] = self.anonymous
        if self.status == "administrator":
            written |= {right: right in self.rights for right in RIGHTS}
        if self.status == "kicked":
            written["until_date"] = 0
        return written
