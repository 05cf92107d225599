"""Routes of interactions: the first answer, and the webhook behind the token for everything after it."""

import time

from . import payloads
from .people import People
from .permissions import EPHEMERAL, LOADING
from .rest import ApiError, Call, Json, Rest, Route
from .things import Interaction, Message
from .words import Words

WEBHOOK = "/webhooks/{webhook_id}/{webhook_token}"
ORIGINAL = WEBHOOK + "/messages/@original"
MESSAGE = WEBHOOK + "/messages/{message_id}"
ANSWER, DEFER, DEFER_UPDATE, UPDATE, COMPLETE, FORM = 4, 5, 6, 7, 8, 9


class Interactions:
    """Answers to commands, buttons and forms."""

    def __init__(self, world: People, rest: Rest) -> None:
        self._world = world
        self._words = Words(world, rest)

    def routes(self) -> list[Route]:
        """Method, template, handler."""
        by_message = {"GET": self._get, "PATCH": self._edit, "DELETE": self._delete}
        return [
            ("POST", "/interactions/{interaction_id}/{interaction_token}/callback", self._callback),
            ("POST", WEBHOOK, self._follow_up),
            *((method, path, work) for path in (ORIGINAL, MESSAGE) for method, work in by_message.items()),
        ]

    async def _callback(self, call: Call) -> Json | None:
        one = self._world.interactions.get(call.values["interaction_token"])
        now = time.monotonic()
        if one is None or one.id != call.id("interaction_id"):
            raise ApiError(404, 10062, "Unknown interaction")
        if one.acknowledged_at is not None:
            raise ApiError(400, 40060, "Interaction has already been acknowledged.")
        if now - one.at > self._world.settings.ack_window_s:
            raise ApiError(404, 10062, "Unknown interaction")
        self._apply(call, one, call.payload["type"], call.payload.get("data") or {})
        one.acknowledged_at, one.callback = now, call.payload["type"]
        self._world.changed()
        return self._shown(one) if call.query.get("with_response") in ("1", "true") else None

    def _apply(self, call: Call, one: Interaction, kind: int, data: Json) -> None:
        if kind in (ANSWER, DEFER):
            message = self._message(one)
            if kind == DEFER:
                message.flags = LOADING | (data.get("flags") or 0) & EPHEMERAL
            else:
                self._words.fill(call, data, message)
            one.original = self._world.add(message)
        elif kind == UPDATE and one.message is not None:
            one.original = self._world.rewrite(one.message, **self._words.changes(call, data, one.message))
        elif kind == DEFER_UPDATE and one.message is not None:
            one.original = one.message
        elif kind == FORM and one.kind != 5:
            one.modal = data
        elif kind == COMPLETE:
            one.choices = data.get("choices") or []
        else:
            raise ApiError(400, 50035, f"Invalid Form Body: type {kind} does not answer this interaction")

    def _message(self, one: Interaction) -> Message:
        return Message(self._world.snowflakes.next(), one.channel, self._world.bot, interaction=one)

    def _shown(self, one: Interaction) -> Json:
        interaction: Json = {"id": str(one.id), "type": one.kind}
        if one.original is None:
            return {"interaction": interaction}
        interaction |= {
            "response_message_id": str(one.original.id), "response_message_loading": one.original.loading,
            "response_message_ephemeral": one.original.ephemeral,
        }  # fmt: skip
        return {
            "interaction": interaction,
            "resource": {"type": one.callback, "message": payloads.message(one.original, self._world)},
        }

    async def _follow_up(self, call: Call) -> Json:
        one = self._interaction(call)
        if one.acknowledged_at is None:
            raise ApiError(404, 10015, "Unknown Webhook")
        said: Json = call.payload or {}
        if one.original is not None and one.thinking:
            # The first follow-up takes the place of "is thinking", and who sees it was settled then.
            return self._settle(call, one.original, said)
        message = self._words.fill(call, said, self._message(one))
        message.reference = one.original
        return payloads.message(self._world.add(message), self._world)

    async def _get(self, call: Call) -> Json:
        return payloads.message(self._target(call), self._world)

    async def _edit(self, call: Call) -> Json:
        return self._settle(call, self._target(call), call.payload or {})

    async def _delete(self, call: Call) -> None:
        self._world.remove(self._target(call))

    def _settle(self, call: Call, message: Message, said: Json) -> Json:
        changes = self._words.changes(call, said, message)
        self._world.rewrite(message, **changes, flags=message.flags & ~LOADING)
        return payloads.message(message, self._world)

    def _target(self, call: Call) -> Message:
        one = self._interaction(call)
        if "message_id" in call.values:
            wanted = call.id("message_id")
            own = [message for message in (one.original, *one.responses) if message is not None]
            found = next((message for message in own if message.id == wanted), None)
        else:
            found = one.original
        if found is None or found.deleted:
            raise ApiError(404, 10008, "Unknown Message")
        return found

    def _interaction(self, call: Call) -> Interaction:
        one = self._world.interactions.get(call.values["webhook_token"])
        if one is None or call.id("webhook_id") != self._world.bot.id:
            raise ApiError(404, 10015, "Unknown Webhook")
        if time.monotonic() - one.at > self._world.settings.interaction_ttl_s:
            raise ApiError(401, 50027, "Invalid Webhook Token")
        return one
