"""The methods that ask and set up: who am I, who is there, commands, updates."""

from collections.abc import Mapping
from typing import Any

from .faults import bad
from .files import Files
from .people import ADMINISTRATORS, Member
from .rules import SECRET, RuleBroken, check_commands
from .sending import Arguments, Sending
from .world import World

GIFTS = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")
MOST_UPDATES = 100


def scope_name(scope: Mapping[str, Any] | None) -> str:
    """A scope as one word, such as "default", "chat:-100" or "chat_member:-100:7"."""
    scope = scope or {"type": "default"}
    return ":".join(str(scope[name]) for name in ("type", "chat_id", "user_id") if name in scope)


class Asking:
    """getMe, getChat…, getFile, the command lists, getUpdates and the webhook."""

    def __init__(self, world: World, files: Files, sending: Sending) -> None:
        self.commands: dict[tuple[str, str], dict[str, str]] = {}
        self._world = world
        self._files = files
        self._sending = sending

    def me(self, _: Arguments) -> dict[str, Any]:
        """getMe."""
        able = {"can_join_groups": True, "can_read_all_group_messages": not self._world.privacy}
        return {**self._world.me.json(), **able, "supports_inline_queries": False}

    def chat(self, arguments: Arguments) -> dict[str, Any]:
        """getChat."""
        chat = self._sending.open_chat(arguments)
        more: dict[str, Any] = {"linked_chat_id": chat.linked.id} if chat.linked else {}
        full = {"accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": dict.fromkeys(GIFTS, False)}
        return {**chat.json(), **full, **more}

    def member(self, arguments: Arguments) -> dict[str, Any]:
        """getChatMember."""
        chat = self._sending.open_chat(arguments)
        found = chat.members.get(arguments["user_id"])
        if found is not None:
            return found.json()
        user = self._world.users.get(arguments["user_id"])
        if user is None:
            raise bad("user not found")
        return Member(user, "left").json()

    def administrators(self, arguments: Arguments) -> list[dict[str, Any]]:
        """getChatAdministrators; other bots are not among them."""
        chat = self._sending.open_chat(arguments)
        if chat.private:
            raise bad("there are no administrators in the private chat")
        admins = [one for one in chat.members.values() if one.status in ADMINISTRATORS]
        return [one.json() for one in admins if not one.user.is_bot or one.user == self._world.me]

    def file(self, arguments: Arguments) -> dict[str, Any]:
        """getFile; there is nothing to download behind it."""
        media = self._files.get(arguments["file_id"])
        return {"file_id": media.file_id, "file_unique_id": media.file_unique_id, "file_size": media.size}

    def set_commands(self, arguments: Arguments) -> bool:
        """setMyCommands."""
        language = arguments.get("language_code") or ""
        check_commands(arguments["commands"], language)
        commands = {command["command"]: command["description"] for command in arguments["commands"]}
        self.commands[self._scope(arguments), language] = commands
        return True

    def get_commands(self, arguments: Arguments) -> list[dict[str, str]]:
        """getMyCommands."""
        found = self.commands.get((self._scope(arguments), arguments.get("language_code") or ""), {})
        return [{"command": name, "description": description} for name, description in found.items()]

    def delete_commands(self, arguments: Arguments) -> bool:
        """deleteMyCommands."""
        self.commands.pop((self._scope(arguments), arguments.get("language_code") or ""), None)
        return True

    async def get_updates(self, arguments: Arguments) -> list[dict[str, Any]]:
        """getUpdates."""
        updates = self._world.updates
        updates.allow(arguments.get("allowed_updates"))
        limit = min(max(arguments.get("limit", MOST_UPDATES), 1), MOST_UPDATES)
        batch = await updates.poll(arguments.get("offset", 0), limit, arguments.get("timeout", 0))
        return [update.json() for update in batch]

    def set_webhook(self, arguments: Arguments) -> bool:
        """setWebhook; plain http is fine here."""
        secret = arguments.get("secret_token")
        if secret is not None and not SECRET.fullmatch(secret):
            raise RuleBroken("secret token contains unallowed characters")
        if not arguments["url"].startswith(("http://", "https://")) and arguments["url"]:
            raise bad("bad webhook: An HTTPS URL must be provided for webhook")
        self._world.updates.allow(arguments.get("allowed_updates"))
        self._end(arguments)
        self._world.updates.set_webhook(arguments["url"], secret)
        return True

    def delete_webhook(self, arguments: Arguments) -> bool:
        """deleteWebhook."""
        self._end(arguments)
        if self._world.updates.webhook is not None:
            self._world.updates.set_webhook("", None)
        return True

    def webhook_info(self, _: Arguments) -> dict[str, Any]:
        """getWebhookInfo."""
        updates = self._world.updates
        info: dict[str, Any] = {
            "url": "",
            "has_custom_certificate": False,
            "pending_update_count": len(updates.pending),
        }
        if updates.allowed:
            info["allowed_updates"] = sorted(updates.allowed)
        if updates.webhook is not None:
            info["url"] = updates.webhook.url
            if updates.webhook.last_error:
                info["last_error_message"] = updates.webhook.last_error
                info["last_error_date"] = updates.webhook.last_error_date
        return info

    def _end(self, arguments: Arguments) -> None:
        if arguments.get("drop_pending_updates"):
            self._world.updates.drop()

    def _scope(self, arguments: Arguments) -> str:
        scope = arguments.get("scope")
        if scope and "chat_id" in scope:
            self._sending.open_chat(scope)
        return scope_name(scope)
