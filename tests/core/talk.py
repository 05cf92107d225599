"""A conversation over fakes and a real record, with the life of a turn around it as the service leads it."""

from collections.abc import Callable
from datetime import timedelta

from core import Conversation, Models, Policy
from core.ethics import Thresholds
from core.messages import ChatKey, IncomingMessage, PersonKey, Turn
from core.ports import Delivery, Encoder, LanguageModel, Prompt
from core.recall import PersonaIndex
from core.sanctions import Sanction
from models.fakes import FakeClock, FakeEncoder, FakeLanguageModel, Rule, plain_rule
from storage.one_process import LocalCounters
from storage.record import Record

MINA, JUN = PersonKey("console", "mina"), PersonKey("console", "jun")
HOME, ELSEWHERE = ChatKey("console", "home", True), ChatKey("console", "elsewhere", True)
SERVER, OTHER_SERVER = ChatKey("console", "server", False), ChatKey("console", "other", False)
LOUNGE, GAMES = ChatKey("console", "lounge", False, "guild"), ChatKey("console", "games", False, "guild")
LOUNGE_ELSEWHERE = ChatKey("console", "lounge 2", False, "guild 2")

Script = str | list[str] | Callable[[Prompt], str]


def script(
    output_message: Script | None = None,
    memory: Script | None = None,
    summary: Script | None = None,
    eyes_mouth_pose: Script | None = None,
) -> Rule:
    """Completions per task: always the same, one after the other (the last repeats), or by rule.

    The end mark is put behind them, but for a text that ends with `…`: that one never ends.
    """
    given = {"output_message": output_message, "memory": memory, "summary": summary, "eyes_mouth_pose": eyes_mouth_pose}

    def rule(prompt: Prompt) -> str:
        said = given[prompt.task]
        if said is None:
            return plain_rule(prompt)
        if isinstance(said, list):
            said = said.pop(0) if len(said) > 1 else said[0]
        written = said if isinstance(said, str) else said(prompt)
        return written if written.endswith("…") else f"{written} {prompt.stop}"

    return rule


async def issued_to(person: PersonKey, record: Record) -> list[Sanction]:
    """What a person was sanctioned for and noticed, oldest first."""
    numbers = [case.number for case in await record.cases.of(person)]
    return [case.sanction for case in [await record.cases.get(number) for number in numbers] if case is not None]


class Talk:
    """오로라 and whoever talks with her. It is Friday, 2025-11-21, 12:00 in Seoul until the clock is moved.

    Everybody knows already what she is, but for `strangers`.
    """

    def __init__(
        self,
        record: Record,
        rule: Rule = plain_rule,
        *,
        language: LanguageModel | None = None,
        ethics_encoder: Encoder | None = None,
        thresholds: Thresholds | None = None,
        recall: PersonaIndex | None = None,
        memory_threshold: float = 0.3,
        policy: Policy | None = None,
        strangers: bool = False,
    ) -> None:
        self.record, self.clock, self.language = record, FakeClock(), FakeLanguageModel(rule)
        self.memory_encoder = FakeEncoder()
        models = Models(
            language or self.language,
            self.memory_encoder,
            memory_threshold,
            ethics_encoder or FakeEncoder(),
            thresholds or Thresholds(),
            recall,
            "fake 1",
        )
        counters = LocalCounters(clock=lambda: self.clock.now().timestamp())
        self.conversation = Conversation(models, record.turns, self.clock, policy or Policy(), counters)
        self._strangers = strangers
        self._messages = 0

    def message(
        self, text: str, person: PersonKey = MINA, chat: ChatKey = HOME, language: str = "ko"
    ) -> IncomingMessage:
        self._messages += 1
        return IncomingMessage(person, chat, f"m{self._messages}", text, self.clock.now(), language)

    async def say(self, text: str, person: PersonKey = MINA, chat: ChatKey = HOME, language: str = "ko") -> Turn:
        """One message, from the inbox to the end of its bookkeeping."""
        message = self.message(text, person, chat, language)
        if not self._strangers:
            await self.record.people.introduce(person)
        assert await self.record.turns.receive(message)
        async with self.conversation.exclusive(person):
            turn = await self.conversation.reply(message)
            turn_id = await self.record.turns.commit(turn)
            await self.record.turns.end(turn_id, Delivery.DELIVERED)
            if turn.to_remember:
                await self.conversation.remember(turn_id, turn)
        return turn

    def later(self, **by: float) -> None:
        self.clock.move(timedelta(**by))

    def asked(self, task: str = "output_message") -> list[Prompt]:
        """The prompts of a task, in order."""
        return [prompt for prompt in self.language.prompts if prompt.task == task]

    async def remembered(self, person: PersonKey = MINA) -> list[str]:
        return [item.text for item in await self.record.memories.items(person)]

    async def summary(self, person: PersonKey = MINA, chat: ChatKey = HOME) -> str | None:
        last = (await self.record.turns.past(person, chat)).summary
        return last and last.text
