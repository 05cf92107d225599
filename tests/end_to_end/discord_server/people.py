"""What people do: they say, edit, delete, use commands, press buttons, fill in forms."""

import secrets
import time
from collections.abc import Sequence
from typing import Any

from . import payloads
from .commands import Commands
from .gateway import LateHeartbeat
from .multipart import File
from .permissions import Intent
from .settings import Settings
from .things import DEFAULT, REPLY, Channel, Guild, Interaction, Message, User
from .world import World

COMMAND, COMPONENT, MODAL = 2, 3, 5


class People(World):
    """A world with people in it."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.commands = Commands(self.snowflakes, self.bot)

    async def say(
        self, user: User, channel: Channel, text: str = "", *, reply_to: Message | None = None, ping: bool = True,
        webhook: bool = False, system: int | None = None, forward_of: Message | None = None,
        files: Sequence[tuple[str, bytes]] = (),
    ) -> Message:  # fmt: skip
        """A person's message, or a webhook's, or a system message of type `system`; `files` are (name, bytes)."""
        kind = system if system is not None else DEFAULT if reply_to is None else REPLY
        message = Message(
            self.snowflakes.next(), channel, user, text, kind, nonce=None if webhook else str(self.snowflakes.next()),
            reference=reply_to, pings_replied=ping, forward_of=forward_of, webhook=webhook,
        )  # fmt: skip
        message.attachments = [self.store(channel, File(name, memoryview(data)), name, None) for name, data in files]
        self._join(user, channel.guild)
        return self.add(message)

    async def edit(self, message: Message, text: str) -> Message:
        """The person changes what they wrote."""
        return self.rewrite(message, content=text)

    async def unfurl(self, message: Message) -> None:
        """Discord adds a link's preview: MESSAGE_UPDATE though nobody edited."""
        message.embeds.append({"type": "link", "url": "https://example.org/", "title": "example"})
        self.announce(message, "MESSAGE_UPDATE")

    async def delete(self, *messages: Message) -> None:
        """Messages of one channel go; several are one MESSAGE_DELETE_BULK."""
        self.remove(*messages)

    def repeat(self, message: Message) -> None:
        """The same MESSAGE_CREATE once more."""
        self.announce(message, "MESSAGE_CREATE")

    async def slash(
        self, user: User, channel: Channel, name: str, *, subcommand: str | None = None,
        options: dict[str, Any] | None = None, locale: str = "ko",
    ) -> Interaction:  # fmt: skip
        """A slash command. NotOffered where Discord would not let this person send it so."""
        self._join(user, channel.guild)
        data = self.commands.call(user, channel, name, subcommand, options or {})
        if channel.guild is not None and "users" in data.get("resolved", {}):
            data["resolved"]["members"] = {
                id: payloads.member(channel.guild, self.users[int(id)], bot=self.bot)
                for id in data["resolved"]["users"]
            }
        return self._interact(COMMAND, user, channel, data, locale)

    async def press(
        self, user: User, message: Message, custom_id: str, *, values: Sequence[str] = (), locale: str = "ko"
    ) -> Interaction:
        """A button pressed or a choice made. LookupError where the message has no such component or hides it."""
        component = _component(message.components, custom_id)
        if component is None or component.get("disabled") or not message.visible_to(user):
            raise LookupError(custom_id)
        data: dict[str, Any] = {
            "custom_id": custom_id,
            "component_type": component["type"],
            "id": component.get("id", 1),
        }
        if component["type"] != 2:
            data["values"] = list(values)
        return self._interact(COMPONENT, user, message.channel, data, locale, message)

    async def submit(self, form: Interaction, values: dict[str, str]) -> Interaction:
        """The person fills in the form that `form` was answered with; `values` by custom_id."""
        if form.modal is None:
            raise LookupError("no form was shown")
        data = {"custom_id": form.modal["custom_id"], "components": _filled(form.modal["components"], values)}
        return self._interact(MODAL, form.user, form.channel, data, form.locale, form.message)

    def hand_in_again(self, used: Interaction) -> None:
        """The same INTERACTION_CREATE once more: the same id, token and rights."""
        self.gateway.dispatch("INTERACTION_CREATE", used.payload, Intent.NONE)

    def unacknowledged(self) -> list[Interaction]:
        """The interactions that were not acknowledged in time."""
        latest = time.monotonic() - self.settings.ack_window_s
        return [one for one in self.interactions.values() if one.acknowledged_at is None and one.at < latest]

    def late_heartbeats(self) -> list[LateHeartbeat]:
        """The gaps between heartbeats that were too long."""
        return self.gateway.late_heartbeats()

    def _interact(
        self, kind: int, user: User, channel: Channel, data: dict[str, Any], locale: str, message: Message | None = None
    ) -> Interaction:
        token = secrets.token_urlsafe(48)
        interaction = Interaction(self.snowflakes.next(), token, kind, user, channel, data, locale, message)
        self.interactions[token] = interaction
        interaction.payload = payloads.interaction(interaction, self.bot, self)
        self.gateway.dispatch("INTERACTION_CREATE", interaction.payload, Intent.NONE)
        return interaction

    @staticmethod
    def _join(user: User, guild: Guild | None) -> None:
        if guild is not None:
            guild.members.setdefault(user.id, user)


def _component(components: list[dict[str, Any]], custom_id: str) -> dict[str, Any] | None:
    for one in components:
        inner = [*(one.get("components") or []), *([one["accessory"]] if one.get("accessory") else [])]
        found = one if one.get("custom_id") == custom_id else _component(inner, custom_id)
        if found is not None:
            return found
    return None


def _filled(components: list[dict[str, Any]], values: dict[str, str]) -> list[dict[str, Any]]:
    """A form's rows and labels with what was typed into them."""
    filled = []
    for one in components:
        if "components" in one:
            filled.append({"type": one["type"], "id": 1, "components": _filled(one["components"], values)})
        elif "component" in one:
            filled.append({"type": one["type"], "id": 1, "component": _filled([one["component"]], values)[0]})
        elif one["type"] == 4:
            typed = values.get(one["custom_id"], one.get("value") or "")
            filled.append({"type": 4, "id": 1, "custom_id": one["custom_id"], "value": typed})
        elif "custom_id" in one:
            filled.append(
                {"type": one["type"], "id": 1, "custom_id": one["custom_id"], "values": [values[one["custom_id"]]]}
            )
    return filled
