"""People and channels in Discord's stand-in, and the service before it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks._figures import Figures
from benchmarks._marks import Said, Shown, Tally, Voices, check, strays, waited
from benchmarks._platform import House, StandIn, answered, house, stand_in

# a heartbeat is late after one and a half of these and the grace
_HEARTBEAT = {"heartbeat_s": 1.0, "heartbeat_grace_s": 0.5}
_CHANNELS = ("her own", "one", "two", "three")
_CALL = "로라야 "
_CONNECTED_S = 120.0


@dataclass
class Town:
    """`channels`: the first is hers, in the others people call her by name."""

    discord: StandIn
    service: House
    people: list[int]
    dms: list[int]
    channels: list[int]
    voices: Voices = field(default_factory=Voices)
    ids: dict[int, int] = field(default_factory=dict)  # mark → message

    def privately(self, person: int) -> Said:
        """A person's next message in their private chat."""
        return self.voices.say(self.people[person], self.dms[person])

    def in_channel(self, person: int, channel: int) -> Said:
        """In a channel of the guild."""
        return self.voices.say(self.people[person], self.channels[channel], _CALL if channel else "")

    async def say(self, messages: Sequence[Said], every_s: float = 0.0) -> None:
        """Really say them."""
        told = [{"user": one.person, "channel": one.chat, "text": one.text} for one in messages]
        made = await self.discord.tell("say", {"messages": told, "every_s": every_s})
        self.ids.update(zip((one.mark for one in messages), made["messages"], strict=True))

    async def shown(self) -> list[Shown]:
        """Everything she has said."""
        people, lines = set(self.people), await self._lines()
        return [Shown(line["content"], line["shown_at"]) for line in lines if line["author"] not in people]

    async def waits(self) -> dict[int, float]:
        """Mark → seconds from the message to its reply, for those that have one."""
        at = {line["id"]: line["at"] for line in await self._lines()}
        return waited({mark: at[message] for mark, message in self.ids.items()}, await self.shown())

    async def _lines(self) -> list[dict[str, Any]]:
        lines: list[dict[str, Any]] = await self.discord.ask("messages")
        return lines

    async def start(self) -> None:
        """A life of the service, to last."""
        await self.service.start()
        await self.connected()

    async def connected(self) -> None:
        """RuntimeError if she does not come."""
        if not (await self.discord.tell("wait", {"connected": True, "timeout_s": _CONNECTED_S}))["reached"]:
            raise RuntimeError(f"the service does not connect; see {self.service.log}")

    async def settle(self) -> None:
        """Until everything is answered; then a restart, which must not say anything again."""
        await answered(self.shown, self.voices.said, self.service)
        await self.service.stop()
        await self.start()
        await self.service.stop()

    async def verdict(self, said: Sequence[Said], *, across_chats: bool = False) -> Tally:
        """What came of these messages. Discord recognises a repetition, so no reply may stay unknown."""
        return check(said, await self.shown(), across_chats=across_chats)

    async def judge(self, figures: Figures) -> dict[str, Any]:
        """What Discord complains of; its report."""
        report: dict[str, Any] = await self.discord.ask("report")
        figures.offend("violations", report["violations"])
        figures.offend("late_heartbeats", report["late_heartbeats"])
        figures.offend("strays", strays(await self.shown()))
        return report


@asynccontextmanager
async def town(folder: Path, people: int, *options: str) -> AsyncIterator[Town]:
    """Nobody has said anything, and the service is not started."""
    async with stand_in("tests.end_to_end.discord_server", folder) as discord:
        await discord.tell("settings", _HEARTBEAT)
        users = (await discord.tell("users", {"names": [f"사람{number}" for number in range(people)]}))["users"]
        dms = [(await discord.tell("dm", {"user": user}))["channel"] for user in users]
        guild = await discord.tell("guild", {"name": "우리 동네", "channels": _CHANNELS})
        at = discord.addresses
        where = ("--url", at["api"], "--gateway-url", at["gateway"], "--token", at["token"])
        hers = ("--her-channel", f"{guild['guild']}:{guild['channels'][0]}")
        async with house("discord", folder, (*where, *hers, *options)) as service:
            yield Town(discord, service, users, dms, guild["channels"])
