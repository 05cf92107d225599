"""What a person can ask about themselves, the same on every platform: /memory, /forget, /standing."""

import logging

from bot.adapters.base import Command
from core import Policy, memory, sanctions, texts
from core.errors import RecordError
from core.messages import PersonKey
from core.ports import Clock, Record

log = logging.getLogger(__name__)


class Commands:
    """Answers commands with one text each, an honest one when the record fails."""

    def __init__(self, record: Record, clock: Clock, policy: Policy) -> None:
        self._record = record
        self._clock = clock
        self._policy = policy

    async def run(self, person: PersonKey, command: Command, language: str) -> str:
        """The text to show to the person."""
        try:
            return await self._answer(person, command, language)
        except RecordError:
            log.exception("no answer to /%s", command.name)
            return texts.text(language, "notice", "fault")

    async def _answer(self, person: PersonKey, command: Command, language: str) -> str:
        match command.name:
            case "memory":
                return await self._memory(person, language)
            case "forget":
                return await self._forget(person, command.argument, language)
            case "standing":
                return await self._standing(person, language)
            case "help":
                return texts.text(language, "console", "help")
        return texts.text(language, "console", "unknown_command", help=texts.text(language, "console", "help"))

    async def _memory(self, person: PersonKey, language: str) -> str:
        stored = await self._record.memories.items(person)
        items = memory.usable(stored, "", self._clock.now(), self._policy.zone)
        if not items:
            return texts.text(language, "console", "memory_none")
        lines = [f"{item.item_id}. {item.text}" for item in items]
        return "\n".join([texts.text(language, "console", "memory_title"), *lines])

    async def _forget(self, person: PersonKey, argument: str, language: str) -> str:
        if argument == "all":
            forgotten = await self._record.memories.forget(person)
            return texts.text(language, "console", "forgot", n=forgotten)
        if not (argument.isascii() and argument.isdigit() and len(argument) < 16):
            return texts.text(language, "console", "forget_usage")
        forgotten = await self._record.memories.forget(person, int(argument))
        return texts.text(language, "console", "forgot" if forgotten else "forgot_none", n=forgotten)

    async def _standing(self, person: PersonKey, language: str) -> str:
        current = sanctions.standing(await self._record.sanctions.of(person), self._clock.now())
        if not current.counts:
            return texts.text(language, "console", "standing_clean")
        lines = [
            texts.text(language, "console", "standing_row", category=texts.categories(language, [name]), n=count)
            for name, count in current.counts.items()
        ]
        if current.blocked_until is not None:
            until = texts.moment(language, current.blocked_until, self._policy.zone)
            category = texts.categories(language, current.reasons)
            lines.append(texts.text(language, "console", "standing_blocked", until=until, category=category))
        return "\n".join(lines)
