"""The stand-in's levers as JSON under /control/, for load and crash tests in which it is a process of its own.

Everything is named by id; what a command makes is answered with its id. `POST /control/NAME` with its arguments:

| name | arguments | answer |
|---|---|---|
| guild | name, locale?, channels? [name] | {guild, owner, channels} |
| channel, thread | guild or channel, name | {channel} |
| users | names | {users} |
| dm | user | {channel} |
| say | messages [{user, channel, text, reply_to?}], every_s? | {messages} |
| edit, delete, repeat | message, text? | {} |
| slash | user, channel, name, subcommand?, options?, locale? | {interaction} |
| fault | the fields of Fault | {} |
| gateway | command (drop, forget, invalid, resumable, reconnect, close), code? | {} |
| settings | the fields of Settings | {} |
| wait | connected?, replied? [message], messages? (bot's, in all), timeout_s? | {reached} |

`GET /control/messages?channel=` (without it: of all channels) and `GET /control/report` tell what came of it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from aiohttp import web

from .faults import Fault
from .server import DiscordServer
from .things import Message

Json = dict[str, Any]


class Control:
    """The commands, over one server."""

    def __init__(self, server: DiscordServer) -> None:
        self._server = server

    def routes(self) -> list[web.RouteDef]:
        """One POST route per command, two GET routes to look."""
        commands: dict[str, Callable[[Json], Awaitable[Json]]] = {
            "guild": self._guild, "channel": self._channel, "thread": self._thread, "users": self._users,
            "dm": self._dm, "say": self._say, "edit": self._edit, "delete": self._delete, "repeat": self._repeat,
            "slash": self._slash, "fault": self._fault, "gateway": self._gateway, "settings": self._settings,
            "wait": self._wait,
        }  # fmt: skip
        posts = [web.post(f"/control/{name}", _answering(command)) for name, command in commands.items()]
        return [*posts, web.get("/control/messages", self._messages), web.get("/control/report", self._report)]

    async def _guild(self, told: Json) -> Json:
        guild = self._server.guild(told["name"], locale=told.get("locale", "ko"))
        channels = [guild.channel(name).id for name in told.get("channels", [])]
        return {"guild": guild.id, "owner": guild.owner.id, "channels": channels}

    async def _channel(self, told: Json) -> Json:
        return {"channel": self._server.guilds[told["guild"]].channel(told["name"]).id}

    async def _thread(self, told: Json) -> Json:
        return {"channel": self._server.channels[told["channel"]].thread(told["name"]).id}

    async def _users(self, told: Json) -> Json:
        return {"users": [self._server.user(name).id for name in told["names"]]}

    async def _dm(self, told: Json) -> Json:
        return {"channel": self._server.dm(self._server.users[told["user"]]).id}

    async def _say(self, told: Json) -> Json:
        """Messages one after another, `every_s` seconds from the start of one to the start of the next."""
        said, begin = [], time.monotonic()
        for number, one in enumerate(told["messages"]):
            await asyncio.sleep(max(0.0, begin + number * told.get("every_s", 0.0) - time.monotonic()))
            user, channel = self._server.users[one["user"]], self._server.channels[one["channel"]]
            target = self._message(one["reply_to"]) if "reply_to" in one else None
            said.append((await self._server.say(user, channel, one["text"], reply_to=target)).id)
        return {"messages": said}

    async def _edit(self, told: Json) -> Json:
        await self._server.edit(self._message(told["message"]), told["text"])
        return {}

    async def _delete(self, told: Json) -> Json:
        await self._server.delete(self._message(told["message"]))
        return {}

    async def _repeat(self, told: Json) -> Json:
        self._server.repeat(self._message(told["message"]))
        return {}

    async def _slash(self, told: Json) -> Json:
        user, channel = self._server.users[told["user"]], self._server.channels[told["channel"]]
        optional = {name: told[name] for name in ("subcommand", "options", "locale") if name in told}
        return {"interaction": (await self._server.slash(user, channel, told["name"], **optional)).id}

    async def _fault(self, told: Json) -> Json:
        self._server.faults.add(Fault(**told))
        return {}

    async def _gateway(self, told: Json) -> Json:
        gateway = self._server.gateway
        commands: dict[str, Callable[[], None]] = {
            "drop": gateway.drop, "forget": lambda: gateway.drop(forget=True), "reconnect": gateway.reconnect,
            "invalid": lambda: gateway.invalidate(resumable=False),
            "resumable": lambda: gateway.invalidate(resumable=True),
            "close": lambda: gateway.close(told.get("code", 4000)),
        }  # fmt: skip
        commands[told["command"]]()
        return {}

    async def _settings(self, told: Json) -> Json:
        for name, value in told.items():
            setattr(self._server.settings, name, value)
        return {}

    async def _wait(self, told: Json) -> Json:
        server, wanted = self._server, [self._message(id) for id in told.get("replied", [])]
        try:
            async with asyncio.timeout(told.get("timeout_s", 10.0)):
                if told.get("connected"):
                    await server.gateway.connected.wait()
                await server.until(lambda: server.posted >= told.get("messages", 0), timeout=3600)
                for message in wanted:
                    await server.until(lambda message=message: message.replies, timeout=3600)  # type: ignore[misc]
        except TimeoutError:
            return {"reached": False}
        return {"reached": True}

    async def _messages(self, request: web.Request) -> web.Response:
        wanted = request.query.get("channel")
        channels = [one for one in self._server.channels.values() if wanted is None or one.id == int(wanted)]
        return web.json_response([_line(message) for channel in channels for message in channel.messages])

    def _message(self, id: int) -> Message:
        for channel in self._server.channels.values():
            if id in channel.stored:
                return channel.stored[id]
        raise LookupError(id)

    async def _report(self, request: web.Request) -> web.Response:
        server = self._server
        return web.json_response({
            "connected": server.gateway.connected.is_set(), "identified": len(server.gateway.identified),
            "resumed": server.gateway.resumed, "heartbeats": len(server.gateway.heartbeats), "posted": server.posted,
            "late_heartbeats": [asdict(late) for late in server.late_heartbeats()],
            "violations": [asdict(violation) for violation in server.violations],
            "unacknowledged": [str(one.id) for one in server.unacknowledged()],
            "repeated": [one.id for one in server.repeated], "statuses": dict(server.statuses),
            "faults": [fault.hits for fault in server.faults.ordered],
            "overwrites": server.commands.overwrites, "typing": len(server.typing),
        })  # fmt: skip


def _answering(command: Callable[[Json], Awaitable[Json]]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:
        try:
            return web.json_response(await command(await request.json()))
        except (LookupError, TypeError) as error:
            return web.json_response({"error": repr(error)}, status=400)

    return answer


def _line(message: Message) -> Json:
    """A message with its counters; `first_reply_ms` is from its dispatch to the creation of the reply.

    `at` and `shown_at` (its newest content) are monotonic seconds.
    """
    first = message.replies[0].at - message.at if message.replies else None
    return {
        "id": message.id, "channel": message.channel.id, "author": message.author.id, "content": message.content,
        "nonce": message.nonce, "at": message.at, "shown_at": message.edited_at or message.at,
        "reference": None if message.reference is None else message.reference.id, "ephemeral": message.ephemeral,
        "loading": message.loading, "history": message.history, "replies": [reply.id for reply in message.replies],
        "first_reply_ms": None if first is None else round(first * 1000, 3),
        "attachments": [
            {"filename": one.filename, "size": one.size, "sha256": one.sha256, "description": one.description}
            for one in message.attachments
        ],
    }  # fmt: skip
