"""What a person can ask for beside talking, the same on every platform: what each command does and says."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace

from bot.adapters.base import Answer, Asked, Command, File
from bot.memory_pages import forget_question, memory_page
from bot.place_settings import changed, settings_page
from bot.places import Places
from core import Policy, memory, sanctions, texts
from core.errors import RecordError
from core.messages import PersonKey
from core.ports import ButtonStore, Clock, Record

log = logging.getLogger(__name__)

_LOOKS_WAIT_S = 2.0

Exclusive = Callable[[PersonKey], AbstractAsyncContextManager[None]]


class Commands:
    """bot.adapters.base.CommandDesk. `exclusive`: Conversation's, so that what a turn still learns is deleted too."""

    def __init__(
        self, record: Record, buttons: ButtonStore, places: Places, clock: Clock, policy: Policy, exclusive: Exclusive
    ) -> None:
        self._record = record
        self._buttons = buttons
        self._places = places
        self._clock = clock
        self._policy = policy
        self._exclusive = exclusive

    async def run(self, asked: Asked) -> Answer:
        """What to show to the person; an honest sentence when the record fails."""
        try:
            return await self._with_ids(asked, await self._answer(asked))
        except RecordError:
            log.exception("no answer to /%s", asked.command.name)
            return Answer(texts.text(asked.language, "notice", "fault"))

    async def pressed(self, asked: Asked, button_id: int) -> Answer:
        """The answer to the command behind a button, for the person it was made for."""
        try:
            meant = await self._buttons.pressed(asked.person, button_id)
        except RecordError:
            log.exception("button %d was not found out", button_id)
            return Answer(texts.text(asked.language, "notice", "fault"))
        if meant is None:
            return Answer(texts.text(asked.language, "button", "gone"), refused=True)
        return await self.run(replace(asked, command=Command(*meant)))

    async def _with_ids(self, asked: Asked, answer: Answer) -> Answer:
        wanted = [(button.command.name, button.command.argument) for row in answer.buttons for button in row]
        if not wanted:
            return answer
        ids = iter(await self._buttons.make(asked.person, wanted, self._clock.now()))
        rows = tuple(tuple(replace(button, button_id=next(ids)) for button in row) for row in answer.buttons)
        return replace(answer, buttons=rows)

    async def _answer(self, asked: Asked) -> Answer:
        match asked.command.name:
            case "memory":
                return await self._memory(asked)
            case "standing":
                return Answer(await self._standing(asked))
            case "about":
                return Answer(texts.text(asked.language, "about", "text"))
            case "start":
                await self._record.people.introduce(asked.person)
                return Answer(texts.text(asked.language, "about", "text"))
            case "settings":
                return await self._settings(asked)
        return Answer("")

    async def _memory(self, asked: Asked) -> Answer:
        verb, _, argument = asked.command.argument.partition(" ")
        match verb:
            case "" | "list":
                return await self._memory_list(asked, int(argument) if _is_number(argument) else 1)
            case "forget":
                return await self._forget(asked, argument.strip())
            case "pause":
                return await self._pause(asked)
            case "export":
                return await self._export(asked)
        return Answer(texts.text(asked.language, "memory", "forget_usage"))

    async def _memory_list(self, asked: Asked, page: int) -> Answer:
        async with self._settled(asked.person):
            person = await self._record.people.of(asked.person)
            stored = await self._record.memories.items(asked.person)
        items = memory.usable(stored, asked.chat.scope, self._clock.now(), self._policy.zone)
        return memory_page(items, page, person, asked.language)

    async def _forget(self, asked: Asked, argument: str) -> Answer:
        language = asked.language
        if argument == "all?":
            return forget_question(len(await self._record.memories.items(asked.person)), language)
        if argument != "all" and not _is_number(argument):
            return Answer(texts.text(language, "memory", "forget_usage"))
        async with self._exclusive(asked.person):
            forgotten = await self._record.memories.forget(asked.person, None if argument == "all" else int(argument))
        said = "forgot" if forgotten or argument == "all" else "forgot_none"
        return Answer(texts.text(language, "memory", said, n=forgotten))

    async def _pause(self, asked: Asked) -> Answer:
        async with self._exclusive(asked.person):
            paused = not (await self._record.people.of(asked.person)).paused
            await self._record.people.pause(asked.person, paused)
        return Answer(texts.text(asked.language, "memory", "now_paused" if paused else "now_resumed"))

    async def _export(self, asked: Asked) -> Answer:
        kept = await self._record.people.export(asked.person)
        # what is no Unicode becomes an escape, which JSON reads back
        content = json.dumps(kept, ensure_ascii=False, indent=1).encode(errors="backslashreplace")
        return Answer(texts.text(asked.language, "memory", "exported"), file=File("aurora-export.json", content))

    async def _standing(self, asked: Asked) -> str:
        language = asked.language
        current = sanctions.standing(await self._record.sanctions.of(asked.person), self._clock.now())
        if not current.counts:
            return texts.text(language, "standing", "clean")
        lines = [
            texts.text(language, "standing", "row", category=texts.categories(language, [name]), n=count)
            for name, count in current.counts.items()
        ]
        if current.blocked_until is not None:
            until = texts.moment(language, current.blocked_until, self._policy.zone)
            category = texts.categories(language, current.reasons)
            lines.append(texts.text(language, "standing", "blocked", until=until, category=category))
        return "\n".join(lines)

    async def _settings(self, asked: Asked) -> Answer:
        if not asked.manager:
            return Answer(texts.text(asked.language, "settings", "managers_only"))
        settings = await self._places.chosen(asked.chat)
        for change in asked.command.argument.split():
            name, _, value = change.partition("=")
            try:
                settings = changed(settings, name, value)
            except ValueError:
                return Answer(texts.text(asked.language, "settings", "usage"))
        if asked.command.argument:
            await self._places.change(asked.chat, settings)
        return settings_page(settings, asked.chat, settings.language or asked.language)

    @asynccontextmanager
    async def _settled(self, person: PersonKey) -> AsyncIterator[None]:
        """When the person's last turn is over, or after a while: who only looks does not wait for a busy device."""
        async with AsyncExitStack() as stack:
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOKS_WAIT_S):
                    await stack.enter_async_context(self._exclusive(person))
            yield


def _is_number(argument: str) -> bool:
    return argument.isascii() and argument.isdigit() and len(argument) < 16
