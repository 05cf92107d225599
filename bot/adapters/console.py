"""Talking in a terminal, or through a pipe: one private chat with one person."""

import asyncio
import contextlib
import sys
import threading
import uuid
from collections.abc import AsyncIterator

from rich.console import Console
from rich.text import Text
from rich_pixels import Pixels

from bot.adapters.base import Command, Handlers
from core import texts
from core.errors import DeliveryError
from core.messages import ChatKey, IncomingMessage, PersonKey, Reply
from core.ports import Clock

PLATFORM = "console"
_PICTURE = (48, 48)  # pixels; two of them share a character cell


class ConsoleAdapter:
    """bot.adapters.base.Adapter over standard input and output."""

    platform = PLATFORM
    recognises_repetition = False

    def __init__(self, clock: Clock, language: str, console: Console | None = None) -> None:
        self._clock = clock
        self._language = language
        self._console = console or Console(highlight=False)
        self._person = PersonKey(PLATFORM, "local")
        self._chat = ChatKey(PLATFORM, "local", private=True)
        self._handlers: Handlers | None = None
        self._shown: str | None = None
        self._turns: set[asyncio.Task[None]] = set()
        self._posted = asyncio.Event()

    async def run(self, handlers: Handlers) -> None:
        """Read lines until /quit or the end of the input; each message's reply is shown before the next prompt."""
        self._handlers = handlers
        self._say("hello")
        self._say("help")
        async for line in self._lines():
            words = line.strip()
            if words == "/quit":
                break
            if words.startswith("/"):
                name, _, argument = words[1:].partition(" ")
                answer = await handlers.command(self._person, Command(name, argument.strip()), self._language)
                self._print(Text(answer))
            else:
                await self._hand_in(handlers, self._message(line))
        await asyncio.gather(*self._turns)
        self._say("bye")

    async def _hand_in(self, handlers: Handlers, message: IncomingMessage) -> None:
        """Until the reply is shown; the bookkeeping behind it goes on while the person types."""
        self._posted.clear()
        turn = asyncio.create_task(handlers.message(message))
        self._turns.add(turn)
        turn.add_done_callback(self._turns.discard)
        turn.add_done_callback(lambda _: self._posted.set())
        await self._posted.wait()

    async def post(self, reply: Reply) -> None:
        """Print her face, her answer with the tag of her expression, and notices."""
        try:
            if reply.expression is not None:
                await self._show_face(reply)
            if reply.text:
                tag = f"  [{reply.expression.tag}]" if reply.expression else ""
                self._print(Text.assemble(("오로라 ", "bold magenta"), reply.text, (tag, "dim")))
            for notice in reply.notices:
                self._print(Text(f"※ {notice.text}", style="yellow"))
        except OSError as error:
            raise DeliveryError(f"the terminal did not take the reply: {error}") from error
        finally:
            self._posted.set()

    @contextlib.asynccontextmanager
    async def typing(self, chat: ChatKey) -> AsyncIterator[None]:
        """A spinner; nothing where the output is no terminal."""
        del chat
        if not self._console.is_terminal:
            yield
            return
        with self._console.status(texts.text(self._language, "console", "typing")):
            yield

    async def _show_face(self, reply: Reply) -> None:
        """Draw the face when it changed and the output is a terminal; its tag is printed in any case."""
        if not self._console.is_terminal or self._handlers is None or reply.expression is None:
            return
        if reply.expression.tag != self._shown:
            path = await self._handlers.picture(reply.expression)
            if path is None:
                return
            self._console.print(await asyncio.to_thread(Pixels.from_image_path, path, resize=_PICTURE))
            self._shown = reply.expression.tag

    def _message(self, line: str) -> IncomingMessage:
        return IncomingMessage(
            self._person, self._chat, uuid.uuid4().hex, line.rstrip("\r\n"), self._clock.now(), self._language
        )

    def _print(self, text: Text) -> None:
        """Wrapped at words in a terminal; whole lines for a program that reads them."""
        self._console.print(text, soft_wrap=not self._console.is_terminal)

    def _say(self, name: str) -> None:
        if self._console.is_terminal:
            self._console.print(Text(texts.text(self._language, "console", name), style="dim"))

    async def _lines(self) -> AsyncIterator[str]:
        """Lines of standard input, read by a daemon thread so that Ctrl-C never waits for Enter."""
        loop = asyncio.get_running_loop()
        lines: asyncio.Queue[str | None] = asyncio.Queue()
        wanted = threading.Semaphore(0)

        def read() -> None:
            interactive = sys.stdin.isatty()
            label = f"{texts.text(self._language, 'console', 'you')}> "
            while wanted.acquire():
                try:
                    line: str | None = input(label) if interactive else sys.stdin.readline() or None
                except (EOFError, OSError):
                    line = None
                loop.call_soon_threadsafe(lines.put_nowait, line)
                if line is None:
                    return

        threading.Thread(target=read, name="console-input", daemon=True).start()
        while True:
            wanted.release()
            line = await lines.get()
            if line is None:
                return
            yield line
