"""Talking in a terminal, or through a pipe: one private chat with one person."""

import asyncio
import contextlib
import sys
import threading
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.text import Text
from rich_pixels import Pixels

from bot.adapters.base import Begin, Host
from bot.adapters.desk import Asked, Command, Rows
from core import texts
from core.errors import DeliveryError, DeliveryRefused
from core.messages import ChatKey, IncomingMessage, Notice, PersonKey, Reply

PLATFORM = "console"
_PICTURE = (48, 48)  # pixels; two of them share a character cell


class ConsoleAdapter:
    """bot.adapters.base.Adapter over standard input and output."""

    platform = PLATFORM
    recognises_for = timedelta(0)
    connected = True

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._person = PersonKey(PLATFORM, "local")
        self._chat = ChatKey(PLATFORM, "local", private=True)
        self._shown: Path | None = None
        self._posted: dict[str, asyncio.Event] = {}  # message id → its reply is shown

    async def open(self, host: Host) -> None:
        """Nobody has to be asked."""
        self._host = host

    async def run(self) -> None:
        """Read lines until /quit or the end of the input; each message's reply is shown before the next prompt."""
        self._say("help")
        async for line in self._lines():
            words = line.strip()
            if words == "/quit":
                break
            if words.startswith("/"):
                await self._command(words)
            else:
                await self._hand_in(self._message(line))
        self._say("bye")

    async def close(self) -> None:
        """The terminal stays."""

    async def _command(self, words: str) -> None:
        name, _, argument = words[1:].partition(" ")
        asked = Asked(self._person, self._chat, Command(name, argument.strip()), self._host.language, manager=True)
        answer = await self._host.commands.run(asked)
        self._print(Text("\n".join(filter(None, (answer.text or self._unknown(), answer.instead)))))
        for file in answer.files:
            self._print(Text(file.content.decode(errors="replace") if file.readable else file.name))

    async def _hand_in(self, message: IncomingMessage) -> None:
        """Until the reply is shown; the bookkeeping behind it goes on while the person types."""
        posted = self._posted[message.message_id] = asyncio.Event()
        turn = await self._host.messages.receive(message)
        turn.add_done_callback(lambda _: posted.set())
        await posted.wait()
        del self._posted[message.message_id]

    async def post(self, reply: Reply, begin: Begin) -> None:
        """Print her face, her answer with the tag of her expression, and notices."""
        if not reply.empty:
            await begin()
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
            if (posted := self._posted.get(reply.to.message_id)) is not None:  # not one from before a restart
                posted.set()

    async def hold(self, message: IncomingMessage, notice: Notice) -> None:
        """Nobody else is in this line: the spinner says enough."""

    @contextlib.asynccontextmanager
    async def typing(self, chat: ChatKey) -> AsyncIterator[None]:
        """A spinner; nothing where the output is no terminal."""
        del chat
        if not self._console.is_terminal:
            yield
            return
        with self._console.status(texts.text(self._host.language, "console", "typing")):
            yield

    async def tell(self, person: PersonKey, text: str) -> None:
        """There is nobody else."""
        del person
        self._print(Text(f"※ {text}", style="yellow"))

    async def write(self, chat_id: str, text: str, buttons: Rows = (), message_id: str = "") -> str:
        """No chat is here but the person's own."""
        raise DeliveryRefused(f"a terminal has no chat {chat_id!r}")

    async def _show_face(self, reply: Reply) -> None:
        """Draw the face when it changed and the output is a terminal; its tag is printed in any case."""
        if not self._console.is_terminal:
            return
        path = await self._host.faces.of(reply)
        if path is not None and path != self._shown:
            self._console.print(await asyncio.to_thread(Pixels.from_image_path, path, resize=_PICTURE))
            self._shown = path

    def _unknown(self) -> str:
        language = self._host.language
        return texts.text(language, "console", "unknown_command", help=texts.text(language, "console", "help"))

    def _message(self, line: str) -> IncomingMessage:
        return IncomingMessage(
            self._person, self._chat, uuid.uuid4().hex, line.rstrip("\r\n"), self._host.clock.now(), self._host.language
        )

    def _print(self, text: Text) -> None:
        """Wrapped at words in a terminal; whole lines for a program that reads them."""
        self._console.print(text, soft_wrap=not self._console.is_terminal)

    def _say(self, name: str) -> None:
        if self._console.is_terminal:
            self._console.print(Text(texts.text(self._host.language, "console", name), style="dim"))

    async def _lines(self) -> AsyncIterator[str]:
        """Lines of standard input, read by a daemon thread so that Ctrl-C never waits for Enter."""
        loop = asyncio.get_running_loop()
        lines: asyncio.Queue[str | None] = asyncio.Queue()
        wanted = threading.Semaphore(0)

        def read() -> None:
            interactive = sys.stdin.isatty()
            label = f"{texts.text(self._host.language, 'console', 'you')}> "
            while wanted.acquire():
                try:
                    line: str | None = input(label) if interactive else sys.stdin.readline() or None
                except (EOFError, OSError):
                    line = None
                try:
                    loop.call_soon_threadsafe(lines.put_nowait, line)
                except RuntimeError:  # nobody listens any more
                    return
                if line is None:
                    return

        threading.Thread(target=read, name="console-input", daemon=True).start()
        while True:
            wanted.release()
            line = await lines.get()
            if line is None:
                return
            yield line
