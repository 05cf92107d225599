"""A server with moderators: judged turns, commands and presses as an adapter hands them in."""

from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from bot.adapters.desk import Answer, Asked, Command, Press, Rights
from bot.app import App, assemble
from bot.config import Settings
from bot.moderation.settings import ModerationSettings
from core import Models
from core.case_store import Shown
from core.cases import Case
from core.ethics import Thresholds
from core.messages import ChatKey, PersonKey, PlaceKey, Reply
from models.fakes import FakeClock, FakeEncoder, FakeLanguageModel
from storage.record import Record
from tests.bot.conftest import LOUNGE, MINA, PaperAdapter, handle, say
from tests.end_to_end.serving import FakeJudge, answering

ANNA, BERT = PersonKey("paper", "anna"), PersonKey("paper", "bert")
OPERATOR = PersonKey("paper", "olga")
STRANGER = PersonKey("paper", "stranger")
DESK = ChatKey("paper", "moderators", private=False, place_id="guild")
OTHER = ChatKey("paper", "other lounge", private=False, place_id="other guild")
OPERATORS_CHAT = "operators"
CONFESSION = "로라야 사랑해"
MODERATES = Rights(moderates=True)


@dataclass
class Court:
    """Anna and Bert moderate the server of LOUNGE; Olga operates the service. `rights`: what the platform says now."""

    record: Record
    paper: PaperAdapter
    clock: FakeClock
    rights: dict[tuple[PersonKey, str], Rights] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._numbers = count(1)
        self.rights |= {(person, "guild"): Rights(moderates=True, manages=True) for person in (ANNA, BERT)}
        self.app = self.assembled()

    def assembled(self, **moderation: Any) -> App:
        """The service over the same record, as after a restart."""
        given = {"operators": ["paper:olga"], **moderation}
        # unchecked: the settings know the numbers of real platforms only
        chosen = Settings.model_construct(moderation=ModerationSettings.model_construct(**given))
        language = FakeLanguageModel(answering("미안, 나는 AI야"))
        models = Models(language, FakeEncoder(), 0.3, FakeJudge(), Thresholds(), None, "judge-1")
        return assemble(chosen, self.record, models, [self.paper], self.clock)

    async def says(self, text: str = CONFESSION, person: PersonKey = MINA, chat: ChatKey = LOUNGE) -> Reply:
        """A message, and the reply to it."""
        await handle(self.app.service, replace(say(text, next(self._numbers), person, chat), sent_at=self.clock.now()))
        return self.paper.replies[-1]

    def asked(self, words: str, person: PersonKey, chat: ChatKey, language: str = "en", event: str = "") -> Asked:
        """With the rights that the platform gives at that moment."""

        async def rights(place: PlaceKey) -> Rights:
            return self.rights.get((person, place.place_id), Rights())

        name, _, argument = words.partition(" ")
        return Asked(person, chat, Command(name, argument), language, rights=rights, event=event)

    async def ask(
        self, words: str, person: PersonKey = ANNA, chat: ChatKey = LOUNGE, language: str = "en", event: str = ""
    ) -> Answer:
        """A command."""
        return await self.app.host.commands.run(self.asked(words, person, chat, language, event))

    async def press(self, press: Press, person: PersonKey = ANNA, chat: ChatKey = DESK, event: str = "") -> Answer:
        """A button."""
        return await self.app.host.commands.pressed(self.asked("unused", person, chat, event=event), press)

    async def review_here(self) -> None:
        """The moderators' channel gets the queue."""
        await self.ask("mod settings review=here", chat=DESK)

    async def queued(self, number: int, appeal: int = 0, chat: ChatKey = DESK) -> str:
        """Id of the message that asks a question, once the record knows it, too."""
        await self.paper.until(lambda: bool(self._asking(number, appeal, chat)))
        shown = Shown(appeal, chat.chat_id, self._asking(number, appeal, chat))
        while shown not in await self.record.cases.shown(number):
            pass
        return shown.message_id

    def _asking(self, number: int, appeal: int, chat: ChatKey) -> str:
        wanted = f"case:{number}:{appeal}:case"
        return next(
            (
                message_id
                for (chat_id, message_id), (_, rows) in self.paper.written.items()
                if chat_id == chat.chat_id and wanted in [button.data for row in rows for button in row]
            ),
            "",
        )

    async def case(self, number: int) -> Case:
        """As it is in the record."""
        case = await self.record.cases.get(number)
        assert case is not None
        return case

    async def events(self, number: int) -> list[str]:
        """What happened to a case."""
        return [event.kind.value for event in (await self.case(number)).events]


def press_of(number: int, verb: str, message_id: str, *filled: str, appeal: int = 0) -> Press:
    """A button of the queue."""
    return Press(f"case:{number}:{appeal}:{verb}", message_id, filled)


def labels(answer: Answer) -> list[str]:
    """What its buttons say."""
    return [button.label for row in answer.buttons for button in row]
