"""A server in Discord with moderators, their channel, and somebody who says what he should not."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from core import texts
from core.case_store import Shown
from core.cases import Case
from models.fakes import FakeClock, FakeLanguageModel
from tests.end_to_end.discord_house import WAIT_S, House, present
from tests.end_to_end.discord_house import house as house
from tests.end_to_end.discord_server import Channel, Interaction, Message, Permission, Role, User
from tests.end_to_end.serving import Serving, answering

DECLINES = "미안, 나는 AI야"
CONFESSION = "로라야 사랑해"
GONE = texts.text("ko", "button", "gone")


@dataclass(repr=False)
class Court:
    """`bench` is a role that moderates; Anna and Bert have it. `desk` is the moderators' channel."""

    house: House
    clock: FakeClock
    bench: Role
    anna: User
    bert: User
    desk: Channel
    service: Serving = field(init=False)

    @asynccontextmanager
    async def served(self, **settings: Any) -> AsyncIterator[Serving]:
        """The service, whose review queue is the moderators' channel."""
        model = FakeLanguageModel(answering(DECLINES))
        async with self.house.served(model, self.clock, **settings) as self.service:
            await self.mod("settings", self.house.guild.owner, self.desk, review="here")
            yield self.service

    async def mod(
        self, verb: str, user: User | None = None, channel: Channel | None = None, /, *,
        locale: str = "ko", **options: Any,
    ) -> str:  # fmt: skip
        """What Anna, or somebody else, reads after /mod."""
        return (await self.page(verb, user, channel, locale=locale, **options)).content

    async def page(
        self, verb: str, user: User | None = None, channel: Channel | None = None, /, *,
        locale: str = "ko", **options: Any,
    ) -> Message:  # fmt: skip
        """What Anna, or somebody else, is shown after /mod; nobody else sees it."""
        used = await self.house.server.slash(
            user or self.anna, channel or self.desk, "mod", subcommand=verb, options=options, locale=locale
        )
        shown = await self.house.shown(used)
        assert shown.ephemeral
        return shown

    async def appeal(self, case: int, reason: str, channel: Channel | None = None) -> str:
        """What the person reads after /appeal."""
        options = {"case": case, "reason": reason}
        return await self.house.command("appeal", channel=channel, options=options)

    async def queued(self, case: int, appeal: int = 0, channel: Channel | None = None) -> Message:
        """The message that asks about a case, or about an appeal of it."""
        place, wanted = channel or self.desk, f"button:case:{case}:{appeal}:case"

        def asking() -> list[Message]:
            return [one for one in self.house.hers(place) if wanted in ids(one)]

        await self.house.server.until(asking, WAIT_S)
        [message] = asking()
        # the record knows it a moment later, and only then its buttons count
        shown = Shown(appeal, str(place.id), str(message.id))
        while shown not in await self.service.record.cases.shown(case):
            pass
        return message

    async def press(self, user: User, message: Message, verb: str, locale: str = "ko") -> Interaction:
        """A button of a message, by what it does."""
        [custom_id] = [one for one in ids(message) if one.endswith(f":{verb}")]
        return await self.house.server.press(user, message, custom_id, locale=locale)

    async def told(self, used: Interaction) -> str:
        """What is shown beside the message under a button, to who pressed it."""
        shown = await self.house.shown(used)
        assert shown.ephemeral
        return shown.content

    async def decide(self, user: User, message: Message, verb: str) -> str:
        """Press it, and read what is shown for it."""
        return await self.told(await self.press(user, message, verb))

    async def filled(self, used: Interaction, *values: str) -> Interaction:
        """Fill in the form that a press brought."""
        await self.house.server.until(lambda: used.modal, WAIT_S)
        return await self.house.server.submit(used, {str(number): value for number, value in enumerate(values)})

    def offer(self) -> None:
        """The server offers every command to everybody."""
        for command in self.house.server.commands.registered[None]:
            command["default_member_permissions"] = None

    async def edited(self, message: Message, times: int) -> str:
        """What a message says once it was changed so often."""
        await self.house.server.until(lambda: len(message.history) >= times, WAIT_S)
        return message.content


def ids(message: Message) -> list[str]:
    """custom_ids of the buttons under a message."""
    return [button["custom_id"] for row in message.components for button in row["components"]]


def verbs(message: Message) -> list[str]:
    """What the buttons of a message in the queue do."""
    return [one.rpartition(":")[2] for one in ids(message)]


async def case(service: Serving, number: int) -> Case:
    """As it is in the record."""
    found = await service.record.cases.get(number)
    assert found is not None
    return found


async def events(service: Serving, number: int) -> list[str]:
    """What happened to a case, without the news of it."""
    return [event.kind.value for event in (await case(service, number)).events if event.kind.value != "noticed"]


def said(section: str, name: str, **values: object) -> str:
    """Words of hers in Korean."""
    return texts.text("ko", section, name, **values)


@pytest.fixture
async def court(house: House) -> Court:
    """The house with a bench."""
    server, guild = house.server, house.guild
    bench = guild.role("지킴이", Permission.MODERATE_MEMBERS)
    anna, bert = server.user("안나"), server.user("베르트")
    bench.members |= {anna.id, bert.id}
    return Court(house, present(), bench, anna, bert, guild.channel("지킴이-방"))
