"""What a person can ask for beside talking, the same on every platform: what each command does and says."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace

from bot import privacy
from bot.adapters.desk import Answer, Asked, Command, File, Form, Press
from bot.memory_pages import forget_question, memory_page
from bot.moderation.desk import Desk
from bot.moderation.forms import filled, form_of, personal_data, personal_id
from bot.moderation.review_pages import case_button
from bot.place_settings import changed, settings_page
from bot.places import Places
from bot.standing_page import standing_page
from core import Policy, memory, texts
from core.errors import RecordError
from core.messages import PersonKey
from core.ports import ButtonStore, Clock, Record

log = logging.getLogger(__name__)

_LOOKS_WAIT_S = 2.0

Settled = Callable[[PersonKey], AbstractAsyncContextManager[None]]


class Commands:
    """bot.adapters.base.CommandDesk. `settled`: of Turns, so that who looks sees what the last turn learned."""

    def __init__(
        self,
        record: Record,
        buttons: ButtonStore,
        places: Places,
        desk: Desk,
        clock: Clock,
        policy: Policy,
        settled: Settled,
    ) -> None:
        self._record = record
        self._buttons = buttons
        self._places = places
        self._desk = desk
        self._clock = clock
        self._policy = policy
        self._settled_turns = settled

    async def run(self, asked: Asked) -> Answer:
        """What to show to the person; an honest sentence when the record fails."""
        try:
            return await self._with_ids(asked, await self._answer(asked))
        except RecordError:
            log.exception("no answer to /%s", asked.command.name)
            return Answer(texts.text(asked.language, "notice", "fault"))

    async def pressed(self, asked: Asked, press: Press) -> Answer:
        """The answer to the command behind a button: of the review queue, or made for this very person."""
        try:
            if (button := case_button(press.data)) is not None:
                return await self._with_ids(asked, await self._desk.pressed(asked, button, press))
            meant = await self._buttons.pressed(asked.person, personal_id(press.data))
        except RecordError:
            log.exception("a button was not found out")
            return Answer(texts.text(asked.language, "notice", "fault"))
        if meant is None:
            person = asked.person
            log.warning("refused: %s:%s pressed a button that is not theirs, or gone", person.platform, person.user_id)
            return Answer(texts.text(asked.language, "button", "gone"), aside=True)
        name, argument = meant
        if press.filled:
            argument = f"{argument} {filled(argument.partition(' ')[0], press.filled)}"
        return await self.run(replace(asked, command=Command(name, argument)))

    def form(self, data: str, language: str) -> Form | None:
        """What a button asks for first."""
        return form_of(data, language)

    async def _with_ids(self, asked: Asked, answer: Answer) -> Answer:
        wanted = [(button.command.name, button.command.argument) for row in answer.buttons for button in row]
        if not wanted:
            return answer
        ids = iter(await self._buttons.make(asked.person, wanted, self._clock.now()))
        rows = tuple(
            tuple(replace(button, data=personal_data(next(ids), button.form)) for button in row)
            for row in answer.buttons
        )
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
            case "forget-me" | "forget_me":  # Telegram's commands have no hyphens
                return await self._forget_me(asked)
            case "mod" | "appeal":
                return await self._desk.run(asked)
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
        everything = argument.split(" ")[0].rstrip("?") == "all"
        if everything and not privacy.confirmed(argument):
            return forget_question(len(await self._record.memories.items(asked.person)), language)
        if not everything and not _is_number(argument):
            return Answer(texts.text(language, "memory", "forget_usage"))
        forgotten = await self._record.memories.forget(asked.person, None if everything else int(argument))
        said = "forgot" if forgotten or everything else "forgot_none"
        return Answer(texts.text(language, "memory", said, n=forgotten))

    async def _pause(self, asked: Asked) -> Answer:
        paused = not (await self._record.people.of(asked.person)).paused
        await self._record.people.pause(asked.person, paused)
        return Answer(texts.text(asked.language, "memory", "now_paused" if paused else "now_resumed"))

    async def _export(self, asked: Asked) -> Answer:
        content = privacy.export(await self._record.people.export(asked.person), self._clock.now())
        return Answer(texts.text(asked.language, "memory", "exported"), files=(File(privacy.EXPORT_NAME, content),))

    async def _forget_me(self, asked: Asked) -> Answer:
        if not privacy.confirmed(asked.command.argument):
            return privacy.forget_me_page(asked.command, asked.language)
        person, chat = asked.person, asked.chat
        numbers = await self._record.erase(person, chat.chat_id if chat.private else "")
        self._places.read_again()  # the settings of their private chat are among what is gone
        self._desk.look_at(numbers, person.platform)
        log.info("%s: everything kept about a person was deleted at their request", person.platform)
        return privacy.forgot_me(numbers, asked.language)

    async def _standing(self, asked: Asked) -> str:
        theirs = await self._record.cases.of(asked.person)
        return standing_page(theirs, asked.chat.place, self._clock.now(), self._policy.zone, asked.language)

    async def _settings(self, asked: Asked) -> Answer:
        if not asked.manager:
            return Answer(texts.text(asked.language, "settings", "managers_only"))
        settings = await self._places.chosen(asked.chat.place)
        for change in asked.command.argument.split():
            name, _, value = change.partition("=")
            try:
                settings = changed(settings, name, value)
            except ValueError:
                return Answer(texts.text(asked.language, "settings", "usage"))
        if asked.command.argument:
            await self._places.change(asked.chat.place, settings)
        return settings_page(settings, asked.chat, settings.language or asked.language)

    @asynccontextmanager
    async def _settled(self, person: PersonKey) -> AsyncIterator[None]:
        """When the person's last turn is over, or after a while: who only looks does not wait for a busy device."""
        async with AsyncExitStack() as stack:
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOKS_WAIT_S):
                    await stack.enter_async_context(self._settled_turns(person))
            yield


def _is_number(argument: str) -> bool:
    return argument.isascii() and argument.isdigit() and len(argument) < 16
