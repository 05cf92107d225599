"""The control API over HTTP, for tests whose bot and whose Telegram run in other processes."""

from collections.abc import Iterator
from typing import Any

from aiohttp import web

from .objects import Chat, Message
from .server import TelegramServer
from .updates import Update

SWITCHES = ("allow_parse_mode", "refuse_photos", "refuse_documents")
PACE = ("scale", "jitter", "answers", "gap_in_groups")


class Control:
    """Routes under /control/ of a server; every body and answer is JSON."""

    def __init__(self, server: TelegramServer) -> None:
        self._server = server
        routes = {
            "users": self._users, "groups": self._groups, "say": self._say, "press": self._press,
            "faults": self._faults, "settings": self._settings, "repeat": self._repeat, "wait": self._wait,
        }  # fmt: skip
        server.app.router.add_routes([web.post(f"/control/{name}", handler) for name, handler in routes.items()])
        reads = {"state": self._state, "replies": self._replies, "messages": self._messages}
        reads["confirmations"] = self._confirmations
        server.app.router.add_routes([web.get(f"/control/{name}", handler) for name, handler in reads.items()])

    async def _users(self, request: web.Request) -> web.Response:
        """{"count": 200, "started": true, "language_code": "ko"} → {"users": [ids]}; each has a private chat."""
        asked = await request.json()
        users = [
            self._server.user(f"사람{place}", language_code=asked.get("language_code", "ko"))
            for place in range(asked.get("count", 1))
        ]
        for user in users:
            self._server.private(user, started=asked.get("started", True))
        return web.json_response({"users": [user.id for user in users]})

    async def _groups(self, request: web.Request) -> web.Response:
        """World.group's parameters with ids, and "topics": [names] → {"chat": id, "topics": [ids]}."""
        asked = await request.json()
        people = {role: [self._server.users[one] for one in asked.pop(role, ())] for role in ("members", "admins")}
        topics = asked.pop("topics", ())
        chat = self._server.group(**asked, members=people["members"], admins=people["admins"])
        return web.json_response({"chat": chat.id, "topics": [chat.topic(name).id for name in topics]})

    async def _say(self, request: web.Request) -> web.Response:
        """[{"user": id, "text": …, "chat"?, "topic"?, "reply_to"?}, …] → [{"chat", "message", "update"}, …]."""
        said = []
        for one in await request.json():
            chat = self._server.chats[one.get("chat", one["user"])]
            message = await self._server.say(
                self._server.users[one["user"]],
                chat,
                one["text"],
                topic=chat.topics.get(one.get("topic")),
                reply_to=chat.find(one.get("reply_to")),
            )
            update = message.update.id if message.update else None
            said.append({"chat": chat.id, "message": message.id, "update": update})
        return web.json_response(said)

    async def _press(self, request: web.Request) -> web.Response:
        """{"user": id, "chat": id, "message": id, "button": text or data} → {"callback": id}."""
        asked = await request.json()
        message = self._server.chats[asked["chat"]].find(asked["message"])
        if message is None:
            raise web.HTTPNotFound
        callback = await self._server.press(self._server.users[asked["user"]], message, asked["button"])
        return web.json_response({"callback": callback.id})

    async def _faults(self, request: web.Request) -> web.Response:
        """Fault's own fields → {"fault": place}, by which `state` lists its hits."""
        self._server.fault(**await request.json())
        return web.json_response({"fault": len(self._server.faults) - 1})

    async def _settings(self, request: web.Request) -> web.Response:
        """Any of SWITCHES, of Pace's settings, and "shuffle"."""
        for name, value in (await request.json()).items():
            if name == "shuffle":
                self._server.shuffle(value)
            elif name in SWITCHES or name in PACE:
                setattr(self._server if name in SWITCHES else self._server.pace, name, value)
            else:
                raise web.HTTPBadRequest(text=name)
        return web.json_response({})

    async def _repeat(self, request: web.Request) -> web.Response:
        """{"update": id}."""
        number = (await request.json())["update"]
        self._server.repeat(next(update for update in self._server.updates.history if update.id == number))
        return web.json_response({})

    async def _wait(self, request: web.Request) -> web.Response:
        """{"sent"?: n, "confirmed"?: n, "hits"?: [fault, n], "polling"?: true, "timeout"?: seconds} → {"met": bool}."""
        asked = await request.json()
        place, hits = asked.get("hits", (0, 0))

        def met() -> bool:
            return (
                self._server.counts["sent"] >= asked.get("sent", 0)
                and sum(update.confirmed is not None for update in self._server.updates.history)
                >= asked.get("confirmed", 0)
                and (not hits or self._server.faults[place].hits >= hits)
                and (not asked.get("polling") or self._server.polling.is_set())
            )

        try:
            await self._server.until(met, asked.get("timeout", 10))
        except TimeoutError:
            return web.json_response({"met": False})
        return web.json_response({"met": True})

    async def _state(self, _: web.Request) -> web.Response:
        server = self._server
        return web.json_response(
            {
                "violations": server.violations,
                "pacing_breaks": server.pacing_breaks,
                "sent": server.counts["sent"],
                "calls": server.counts,
                "pending": len(server.updates.pending),
                "polling": server.polling.is_set(),
                "faults": [
                    {"method": fault.method, "hits": fault.hits, "left": fault.times} for fault in server.faults
                ],
            }
        )

    async def _replies(self, request: web.Request) -> web.Response:
        """?chat=id for one chat → per message the bot heard: its replies in order, with their latency from delivery."""
        return web.json_response([row for chat in self._chats(request) for row in replies_in(chat)])

    async def _messages(self, request: web.Request) -> web.Response:
        """?chat=id → every message as the Bot API writes it, with "deleted", "edits", "at", "shown_at" (last edit)."""
        return web.json_response(
            [
                message.json()
                | {
                    "deleted": message.deleted,
                    "edits": len(message.edits),
                    "at": message.at,
                    "shown_at": _shown(message),
                }
                for chat in self._chats(request)
                for message in chat.messages
            ]
        )

    async def _confirmations(self, _: web.Request) -> web.Response:
        """Update id → when it was made, delivered and confirmed, on this process's monotonic clock."""
        return web.json_response(
            {
                update.id: {"created": update.created, "delivered": update.delivered, "confirmed": update.confirmed}
                for update in self._server.updates.history
            }
        )

    def _chats(self, request: web.Request) -> list[Chat]:
        named = request.query.get("chat")
        return [self._server.chats[int(named)]] if named else list(self._server.chats.values())


def replies_in(chat: Chat) -> Iterator[dict[str, Any]]:
    """Who was answered by what. A send that replies to nobody answers the oldest message without an answer."""
    heard = [message for message in chat.messages if message.update is not None]
    answers: dict[Message, list[Message]] = {message: [] for message in heard}
    open_ones, last = list(heard), None
    for sent in chat.replies:
        earlier = next((one for one in open_ones if one.id < sent.id), None)
        last = sent.reply_to if sent.reply_to in answers else earlier or last
        if last is not None:
            answers[last].append(sent)
            open_ones = [one for one in open_ones if one is not last]
    for message in heard:
        yield {
            "chat": chat.id,
            "message": message.id,
            "user": message.sender.id if message.sender else None,
            "text": message.text,
            "topic": message.thread,
            "replies": [_reply(message.update, sent) for sent in answers[message]],
        }


def _shown(message: Message) -> float:
    return message.edits[-1][0] if message.edits else message.at


def _reply(update: Update | None, sent: Message) -> dict[str, Any]:
    latency = (sent.at - update.delivered) * 1000 if update and update.delivered else None
    photo = sent.photo.file_id if sent.photo else None
    return {"message": sent.id, "text": sent.words, "photo": photo, "at": sent.at, "latency_ms": latency}
