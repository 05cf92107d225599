"""The wires: requests in, answers out, faults in between, and a note of everything."""

import asyncio
import inspect
import math
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Any, Self

from aiohttp import web

from . import schema
from .asking import Asking
from .faults import ApiError, Fault, bad, flood
from .files import Files
from .objects import Message
from .pace import Pace, PacingBreak
from .records import Action, Call, Violation
from .rules import RuleBroken, check_parse_mode
from .schema import Mismatch
from .sending import SENDS, Arguments, Sending
from .wire import guessed, parameters, response
from .world import World

TOKEN = "7000000001:AAE-stand-in-token-of-a-telegram-bot"
LARGEST_REQUEST = 60 * 1024 * 1024
KEPT = 20_000
SHUTDOWN_SECONDS = 0.2


class TelegramServer(World):
    """A Telegram of one's own: `base_url(f"{server.url}/bot")`. See World for what people can do in it.

    `time_scale` 10 judges pacing by limits ten times as fast. Every broken rule lands in `violations`, is answered with
    400, and should make a test fail; sends faster than allowed land in `pacing_breaks`.
    """

    def __init__(
        self,
        *,
        token: str = TOKEN,
        username: str = "ohlora_bot",
        privacy: bool = True,
        time_scale: float = 1.0,
        port: int = 0,
    ) -> None:
        super().__init__(bot_id=int(token.split(":")[0]), username=username, privacy=privacy)
        self.token = token
        self.port = port
        self.pace = Pace(time_scale)
        self.violations: list[Violation] = []
        self.calls: deque[Call] = deque(maxlen=KEPT)
        self.actions: deque[Action] = deque(maxlen=KEPT)
        self.sent: deque[Message] = deque(maxlen=KEPT)
        self.counts: Counter[str] = Counter()  # of calls by method and status, as "sendMessage 200", and of "sent"
        self.faults: list[Fault] = []
        self.files = Files()
        self.allow_parse_mode = False
        self.refuse_photos = False
        self.refuse_documents = False
        self.app = web.Application(client_max_size=LARGEST_REQUEST)
        self.app.router.add_route("*", "/bot{token:[^/]+}/{method}", self._serve)
        self._schema = schema.load()
        self._sending = Sending(self, self.files, self)
        self._asking = Asking(self, self.files, self._sending)
        self._methods = self._table()
        self._floods: dict[tuple[str, Any], float] = {}
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def polling(self) -> asyncio.Event:
        """Set while a bot polls; cleared when its connection goes away."""
        return self.updates.polling

    @property
    def commands(self) -> dict[tuple[str, str], dict[str, str]]:
        """Command → description, by scope (see scope_name) and language."""
        return self._asking.commands

    @property
    def pacing_breaks(self) -> list[PacingBreak]:
        """Sends that came too early."""
        return self.pace.breaks

    async def start(self) -> None:
        """Listen; after a stop, on the same port and with everything still there."""
        self._runner = web.AppRunner(
            self.app, access_log=None, handler_cancellation=True, shutdown_timeout=SHUTDOWN_SECONDS
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self._runner.addresses[0][1]
        self.updates.open()

    async def stop(self) -> None:
        """Close every connection; nothing answers until the next start."""
        await self.updates.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def fault(self, method: str = ".*", **how: Any) -> Fault:
        """Make the next calls fail; see Fault for how."""
        fault = Fault(method, **how)
        self.faults.append(fault)
        return fault

    def replies_to(self, message: Message) -> list[Message]:
        """What the bot wrote as a reply to a message."""
        return [reply for reply in message.chat.replies if reply.reply_to is message]

    def describe(self) -> str:
        """What happened last."""
        last = [f"{call.method}→{call.status}" for call in list(self.calls)[-8:]]
        return f"{super().describe()}; last calls {last}; violations {self.violations[-3:]}"

    async def _serve(self, request: web.Request) -> web.Response:
        at, method = time.monotonic(), request.match_info["method"]
        if request.match_info["token"] != self.token:
            return self._answered(method, {}, at, ApiError(401, "Unauthorized"))
        raw = await parameters(request)
        arguments, objection = self._judged(method, raw, at)
        chat_id = arguments.get("chat_id")
        fault = next((fault for fault in self.faults if fault.meets(method, chat_id)), None)
        done: Any = fault.error() if fault else None
        if done is None and not (fault and fault.cut == "before"):
            done = objection or await self._done(method, arguments, at)
        if isinstance(done, ApiError) and done.status == 429:
            self._floods[_lane(method, chat_id)] = time.monotonic() + done.parameters["retry_after"]
        self.changed()
        if fault is None:
            return self._answered(method, arguments, at, done)
        return await self._failed(request, fault, Call(method, arguments, 0, at), done)

    def _judged(self, method: str, raw: dict[str, Any], at: float) -> tuple[dict[str, Any], ApiError | None]:
        """The decoded arguments, and what Telegram has against the call."""
        if method not in self._methods:
            self.violations.append(Violation(method, "no such method here"))
            return raw, ApiError(404, "Not Found")
        try:
            arguments = self._schema.arguments(method, raw) if self._schema else guessed(raw)
        except Mismatch as error:
            self.violations.append(Violation(method, str(error)))
            return raw, bad(str(error))
        return arguments, self._too_early(method, arguments.get("chat_id"), at)

    def _too_early(self, method: str, chat_id: Any, at: float) -> ApiError | None:
        lane = _lane(method, chat_id)
        left = self._floods.get(lane, at) - at
        if left <= 0:
            self._floods.pop(lane, None)
            return None
        self.violations.append(Violation(method, f"{left:.3f} s before retry_after had passed, chat {chat_id}"))
        return flood(math.ceil(left))

    async def _done(self, method: str, arguments: dict[str, Any], at: float) -> Any:
        try:
            if not self.allow_parse_mode:
                check_parse_mode(arguments)
            result = self._methods[method](arguments)
            return await result if inspect.isawaitable(result) else result
        except RuleBroken as error:
            self.violations.append(Violation(method, error.reason))
            return error
        except ApiError as error:
            return error

    async def _failed(self, request: web.Request, fault: Fault, call: Call, done: Any) -> web.Response:
        await asyncio.sleep(fault.delay)
        if fault.cut is not None:
            self._record(call)
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        answer = self._answered(call.method, call.arguments, call.at, done)
        if fault.broken and isinstance(answer.body, bytes):
            answer.body = answer.body[: len(answer.body) // 2]
        return answer

    def _answered(self, method: str, arguments: dict[str, Any], at: float, done: Any) -> web.Response:
        status = done.status if isinstance(done, ApiError) else 200
        self._record(Call(method, arguments, status, at))
        return response(done)

    def _record(self, call: Call) -> None:
        self.calls.append(call)
        self.counts[f"{call.method} {call.status}"] += 1
        self.changed()

    def _table(self) -> dict[str, Callable[[dict[str, Any]], Any]]:
        sending, asking = self._sending, self._asking
        edits = {
            "editMessageText": sending.edit_text,
            "editMessageCaption": sending.edit_caption,
            "editMessageMedia": sending.edit_media,
            "editMessageReplyMarkup": sending.edit_markup,
        }
        return {
            **{method: self._sender(kind) for method, kind in SENDS.items()},
            **{method: _written(edit) for method, edit in edits.items()},
            "deleteMessage": sending.delete,
            "sendChatAction": self._act,
            "answerCallbackQuery": sending.answer_callback,
            "getMe": asking.me,
            "getChat": asking.chat,
            "getChatMember": asking.member,
            "getChatAdministrators": asking.administrators,
            "getFile": asking.file,
            "setMyCommands": asking.set_commands,
            "getMyCommands": asking.get_commands,
            "deleteMyCommands": asking.delete_commands,
            "getUpdates": asking.get_updates,
            "setWebhook": asking.set_webhook,
            "deleteWebhook": asking.delete_webhook,
            "getWebhookInfo": asking.webhook_info,
        }

    def _sender(self, kind: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
        def send(arguments: dict[str, Any]) -> dict[str, Any]:
            chat = self._sending.open_chat(arguments)
            now = time.monotonic()
            early = self.pace.early(chat.id, now)
            if seconds := self.pace.refusal(early):
                raise flood(seconds)
            message = self._sending.send(kind, arguments)
            self.pace.accept(chat.id, now, early)
            self.sent.append(message)
            self.counts["sent"] += 1
            return message.json()

        return send

    def _act(self, arguments: dict[str, Any]) -> bool:
        self.actions.append(Action(*self._sending.action(arguments), time.monotonic()))
        return True


def _written(edit: Callable[[Arguments], Message]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda arguments: edit(arguments).json()


def _lane(method: str, chat_id: Any) -> tuple[str, Any]:
    """What a retry_after holds back: sends into that chat together, every other method by itself."""
    return ("send" if method in SENDS else method, chat_id)
