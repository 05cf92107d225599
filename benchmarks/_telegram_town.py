"""People and groups in Telegram's stand-in, and the service before it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks._figures import Figures
from benchmarks._marks import Said, Shown, Tally, Voices, check, mark_in, strays, waited
from benchmarks._platform import House, StandIn, answered, house, stand_in

# Telegram's limits are this much wider, and the adapter paces so much faster
SCALE = 20.0
_CALL = "@ohlora_bot "
_MOST_TURNS = 10_000
_POLLING_S = 120.0


@dataclass
class Town:
    """A person's private chat has the person's number; in groups people mention her."""

    telegram: StandIn
    service: House
    people: list[int]
    groups: list[int]
    voices: Voices = field(default_factory=Voices)

    def privately(self, person: int) -> Said:
        """A person's next message in their private chat."""
        return self.voices.say(self.people[person], self.people[person])

    def in_group(self, person: int, group: int) -> Said:
        """In a group."""
        return self.voices.say(self.people[person], self.groups[group], _CALL)

    async def say(self, messages: Sequence[Said], every_s: float = 0.0) -> None:
        """Really say them: at once, or one each `every_s` seconds."""
        told = [{"user": one.person, "chat": one.chat, "text": one.text} for one in messages]
        if not every_s:
            await self.telegram.tell("say", told)
            return
        begin = asyncio.get_running_loop().time()
        for number, one in enumerate(told):
            await asyncio.sleep(begin + number * every_s - asyncio.get_running_loop().time())
            await self.telegram.tell("say", [one])

    async def shown(self) -> list[Shown]:
        """Everything she has said."""
        return [Shown(_words(line), line["shown_at"]) for line in await self._lines() if self._hers(line)]

    async def waits(self) -> dict[int, float]:
        """Mark → seconds from the message to its reply, for those that have one."""
        lines = [line for line in await self._lines() if not self._hers(line)]
        return waited({mark_in(_words(line)): line["at"] for line in lines}, await self.shown())

    async def _lines(self) -> list[dict[str, Any]]:
        lines: list[dict[str, Any]] = await self.telegram.ask("messages")
        return [line for line in lines if not line["deleted"]]

    def _hers(self, line: dict[str, Any]) -> bool:
        return str(line["from"]["id"]) == self.telegram.addresses["token"].partition(":")[0]

    async def start(self) -> None:
        """A life of the service, to last."""
        await self.service.start()
        await self.receiving()

    async def receiving(self) -> None:
        """RuntimeError if she does not come."""
        await self.met({"polling": True}, _POLLING_S)

    async def met(self, condition: dict[str, Any], seconds: float) -> None:
        """Wait for a condition of the stand-in's; RuntimeError if it does not come about."""
        if not (await self.telegram.tell("wait", {**condition, "timeout": seconds}))["met"]:
            raise RuntimeError(f"{condition} was not met in {seconds} s; see {self.service.log}")

    async def settle(self, unanswerable: Sequence[Said] = ()) -> None:
        """Until everything is answered but `unanswerable`; then a restart, after which what is unknown is marked."""
        given_up = set(unanswerable)
        await answered(self.shown, [one for one in self.voices.said if one not in given_up], self.service)
        await self.service.stop()
        await self.start()
        await self.service.stop()

    async def verdict(self, said: Sequence[Said], *, across_chats: bool = False, certain: bool = False) -> Tally:
        """What came of these messages; `certain`: no reply may stay unknown."""
        return check(said, await self.shown(), () if certain else self.service.unknown(), across_chats=across_chats)

    async def judge(self, figures: Figures) -> dict[str, Any]:
        """What Telegram complains of; its state."""
        state: dict[str, Any] = await self.telegram.ask("state")
        figures.offend("violations", state["violations"])
        figures.offend("pacing_breaks", state["pacing_breaks"])
        figures.offend("strays", strays(await self.shown()))
        silent = len(self.service.unknown()) - self.service.logged_unknown()
        figures.offend("unknown_unlogged", ["a reply"] * silent)
        return state


@asynccontextmanager
async def town(folder: Path, people: int, *options: str, groups: int = 0) -> AsyncIterator[Town]:
    """Nobody has said anything, and the service is not started. Person n is in group n % `groups`."""
    async with stand_in("tests.end_to_end.telegram_server", folder, "--time-scale", str(SCALE)) as telegram:
        users = (await telegram.tell("users", {"count": people}))["users"]
        members = [users[number::groups] for number in range(groups)]
        made = [(await telegram.tell("groups", {"title": "우리 동네", "members": some}))["chat"] for some in members]
        where = ("--url", telegram.addresses["url"], "--token", telegram.addresses["token"])
        pace = ("--pace-scale", str(SCALE), "--line", str(_MOST_TURNS))
        async with house("telegram", folder, (*where, *pace, *options)) as service:
            yield Town(telegram, service, users, made)


def _words(line: dict[str, Any]) -> str:
    return str(line.get("text") or line.get("caption") or "")
