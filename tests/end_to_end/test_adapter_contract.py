"""The contract of adapters, on every platform there is."""

import asyncio
import io
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import cached_property
from itertools import count
from pathlib import Path

import pytest
from rich.console import Console

from bot.adapters.console import ConsoleAdapter
from bot.adapters.discord import DiscordAdapter
from bot.adapters.telegram import TelegramAdapter
from core.messages import ChatKey, IncomingMessage, PersonKey
from models.fakes import FakeLanguageModel
from tests.end_to_end import discord_house, telegram_house
from tests.end_to_end.adapter_contract import AdapterContract, Stage
from tests.end_to_end.serving import Serving, serving

discord = discord_house.house
telegram = telegram_house.house


class Paper(io.StringIO):
    """A terminal's output that tells when something was written, and may be torn."""

    def __init__(self) -> None:
        super().__init__()
        self.torn = False
        self.written = asyncio.Event()

    def write(self, text: str) -> int:
        if self.torn:
            raise OSError("the paper is torn")
        self.written.set()
        return super().write(text)


class ConsoleStage:
    """Standard input is a pipe, standard output a paper."""

    def __init__(self, folder: Path, typed: int) -> None:
        self._folder = folder
        self._typed = typed
        self._paper = Paper()
        self.adapter = ConsoleAdapter(Console(file=self._paper, width=200, force_terminal=False))

    @asynccontextmanager
    async def served(self, language: FakeLanguageModel | None = None) -> AsyncIterator[Serving]:
        async with serving(self._folder, [self.adapter], language) as service:
            await service.record.people.introduce(PersonKey("console", "local"))
            yield service

    async def say(self, text: str) -> None:
        await asyncio.to_thread(os.write, self._typed, f"{text}\n".encode())

    async def shown(self, count: int) -> list[str]:
        while len(messages := self._messages()) < count:
            self._paper.written.clear()
            await asyncio.wait_for(self._paper.written.wait(), 10)
        return messages

    def _messages(self) -> list[str]:
        """Notices belong to the message before them; the tag of a face is no text."""
        messages: list[str] = []
        for line in self._paper.getvalue().splitlines():
            if line.startswith("※"):
                messages[-1] += f"\n\n{line}"
            else:
                messages.append(line.removeprefix("오로라 ").partition("  [")[0])
        return messages

    def message(self) -> IncomingMessage:
        person, chat = PersonKey("console", "local"), ChatKey("console", "local", private=True)
        return IncomingMessage(person, chat, str(id(object())), "안녕", datetime.now(UTC))

    def refuse(self) -> None:
        self._paper.torn = True


class DiscordStage:
    """A private chat with the stand-in's person."""

    def __init__(self, house: discord_house.House) -> None:
        self._house = house
        self._chat = house.server.dm(house.person)

    @cached_property
    def adapter(self) -> DiscordAdapter:
        return self._house.adapter()

    @asynccontextmanager
    async def served(self, language: FakeLanguageModel | None = None) -> AsyncIterator[Serving]:
        async with self._house.served(language, adapter=self.adapter) as service:
            yield service

    async def say(self, text: str) -> None:
        if text.startswith("/"):
            await self._house.server.slash(self._house.person, self._chat, text.removeprefix("/"))
        else:
            await self._house.server.say(self._house.person, self._chat, text)

    async def shown(self, count: int) -> list[str]:
        def hers() -> list[str]:
            return [
                one.content for one in self._chat.messages if one.author is self._house.server.bot and not one.loading
            ]

        await self._house.server.until(lambda: len(hers()) >= count)
        return hers()

    def message(self) -> IncomingMessage:
        chat = ChatKey("discord", str(self._chat.id), private=True)
        number = str(self._house.server.snowflakes.next())
        return IncomingMessage(discord_house.key(self._house.person), chat, number, "안녕", datetime.now(UTC))

    def refuse(self) -> None:
        self._house.person.dms_closed = True


class TelegramStage:
    """A private chat with the stand-in's person."""

    def __init__(self, house: telegram_house.House) -> None:
        self._house = house
        self._numbers = count(1_000_000)
        self.adapter: TelegramAdapter = house.adapter()

    @asynccontextmanager
    async def served(self, language: FakeLanguageModel | None = None) -> AsyncIterator[Serving]:
        async with self._house.served(language, adapter=self.adapter) as service:
            yield service

    async def say(self, text: str) -> None:
        await self._house.server.say(self._house.person, self._house.private, text)

    async def shown(self, count: int) -> list[str]:
        def hers() -> list[str]:
            return [one.words for one in self._house.private.replies if not one.deleted]

        await self._house.server.until(lambda: len(hers()) >= count)
        return hers()

    def message(self) -> IncomingMessage:
        number = str(self._house.private.id)
        chat = ChatKey("telegram", number, private=True, place_id=number)
        return IncomingMessage(
            telegram_house.key(self._house.person), chat, str(next(self._numbers)), "안녕", datetime.now(UTC)
        )

    def refuse(self) -> None:
        self._house.private.deactivated = True


class TestConsole(AdapterContract):
    """In a pipe."""

    @pytest.fixture
    def stage(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
        read, write = os.pipe()
        with os.fdopen(read, encoding="utf-8") as typed:
            monkeypatch.setattr(sys, "stdin", typed)
            yield ConsoleStage(tmp_path / "data", write)
            os.close(write)  # the thread that reads lines ends with the pipe


class TestDiscord(AdapterContract):
    """Against the stand-in."""

    @pytest.fixture
    def stage(self, discord: discord_house.House) -> Stage:
        return DiscordStage(discord)


class TestTelegram(AdapterContract):
    """Against the stand-in."""

    @pytest.fixture
    def stage(self, telegram: telegram_house.House) -> Stage:
        return TelegramStage(telegram)
