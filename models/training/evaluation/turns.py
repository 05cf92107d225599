"""Whole turns, as a person has them: core.Conversation over the engine, with the same recall, gates and attempts."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import cast

from core import Conversation, Models, tasks
from core.messages import ChatKey, IncomingMessage, PersonKey, Turn
from core.people import Person
from core.ports import Completion, LanguageModel, Past, Prompt, TurnStore
from models.datasets.schema import HeldOutQuestion, HeldOutUtterance
from models.training.evaluation.ethics import SANCTIONED, Everyday
from models.training.evaluation.language import Answers, number_prefixed
from models.training.evaluation.metrics import share
from models.training.evaluation.parts import Part, Table
from models.training.evaluation.writing import POLICY, gathered

Ask = Callable[[str, Sequence[str]], Awaitable[list[Turn]]]


@dataclass
class Counting:
    """core.ports.LanguageModel that keeps count of how answers ended."""

    model: LanguageModel
    ended: list[bool] = field(default_factory=list)

    async def complete(self, prompt: Prompt) -> Completion:
        """As the model does it."""
        completion = await self.model.complete(prompt)
        if prompt.task == tasks.OUTPUT_MESSAGE.name:
            self.ended.append(completion.ended)
        return completion

    def count_tokens(self, task: str, text: str) -> int:
        """As the model does it."""
        return self.model.count_tokens(task, text)


class _Strangers:
    """core.ports.TurnStore as far as `Conversation.reply` reads it: nobody has a past."""

    async def past(self, person: PersonKey, chat: ChatKey) -> Past:
        return Past(Person(introduced=True))


class _Now:
    def now(self) -> datetime:
        return datetime.now(UTC)


def asking(models: Models, language: LanguageModel) -> Ask:
    """Each text is said by a stranger of its own."""
    talk = Conversation(replace(models, language=language), cast(TurnStore, _Strangers()), _Now(), POLICY)

    async def ask(label: str, texts: Sequence[str]) -> list[Turn]:
        return await gathered(label, [talk.reply(_message(i, text)) for i, text in enumerate(texts)])

    return ask


async def persona(ask: Ask, questions: Sequence[HeldOutQuestion]) -> tuple[Part, list[str]]:
    """The facts on held-out questions; and all answers, for their form."""
    turns = await ask("persona", [question.question for question in questions])
    answers = [turn.reply.text for turn in turns]
    right = [_right(question, answer) for question, answer in zip(questions, answers, strict=True)]
    figures = {
        "persona_questions": len(questions),
        "persona_facts_right": share(sum(right), len(right)),
        "false_sanctions_on_persona": sum(bool(turn.sanctions) for turn in turns),
    }
    rows = [
        (question.question, " / ".join(question.facts), answer, "yes" if good else "no")
        for question, answer, good in sorted(zip(questions, answers, right, strict=True), key=lambda row: row[2])
    ]
    note = (
        "Questions about her that were written apart from the rows, asked as whole turns: recall, gates, attempts, "
        "ethics. An answer is right when it names any of the facts, spaces and letter case aside."
    )
    table = Table("Questions and answers, wrong ones first", ("question", "any of", "answer", "right"), rows, long=True)
    return Part("persona", note, figures, tables=(table,)), answers


def form(ended: Sequence[bool], persona_answers: Sequence[str], valid: Answers) -> Part:
    """How answers look: those on persona questions and those on validation rows together."""
    answers = [*persona_answers, *valid.results]
    figures = {
        "answers": len(answers),
        "ended_on_mark": share(sum(ended), len(ended)),
        "no_reply": share(answers.count(tasks.NO_REPLY), len(answers)),
        "number_prefixed": share(sum(map(number_prefixed, answers)), len(answers)),
    }
    note = (
        f"Of {len(ended)} completions, those that ended on the end mark; of the answers people would see, those that "
        f"are {tasks.NO_REPLY} because every attempt was rejected, and those that begin with a number."
    )
    return Part("form of answers", note, figures)


async def sanctions(
    ask: Ask, rows: Sequence[HeldOutUtterance], everyday: Everyday | None, unseen: frozenset[str]
) -> Part:
    """How many held-out utterances, and how much everyday talk, would be sanctioned.

    Everyday talk is asked only where a score acts; whatever she answers, the rest is not sanctioned. `unseen`: those
    of its texts that the encoder was not trained on.
    """
    turns = await ask("sanctions", [row.text for row in rows])
    hit = [{sanction.category for sanction in turn.sanctions} for turn in turns]
    recalls = [
        share(sum(name in got for row, got in zip(rows, hit, strict=True) if row.category == name), total)
        for name in SANCTIONED
        if (total := sum(row.category == name for row in rows))
    ]
    bad = [bool(got) for row, got in zip(rows, hit, strict=True) if row.category != "normal"]
    harmless = [bool(got) for row, got in zip(rows, hit, strict=True) if row.category == "normal"]
    figures = {
        "sanctioned": share(sum(bad), len(bad)),
        "sanctioned_macro_recall": share(sum(recall or 0.0 for recall in recalls), len(recalls)),
        "sanctioned_lookalikes": share(sum(harmless), len(harmless)),
    }
    shown = [
        (row.text, row.category, ", ".join(sorted(got)) or "–", turn.reply.text)
        for row, turn, got in zip(rows, turns, hit, strict=True)
    ]
    tables = [Table("Utterances and what became of them", ("said", "is", "sanctioned for", "answer"), shown, long=True)]
    if everyday is not None:
        asked = await ask("everyday talk", [everyday.texts[i] for i in everyday.acted_on])
        falsely = [turn for turn in asked if turn.sanctions]
        said = [turn.message.text for turn in falsely]
        figures["everyday_questions"] = len(everyday.texts)
        figures["false_sanctions_chatbot"] = share(len(said), len(everyday.texts), 5)
        figures["false_sanctions_chatbot_unseen"] = share(sum(text in unseen for text in said), len(unseen), 5)
        wrong = [
            (turn.message.text, ", ".join(s.category for s in turn.sanctions), turn.reply.text) for turn in falsely
        ]
        tables.append(Table("Everyday talk that would be sanctioned", ("said", "for", "answer"), wrong, long=True))
    note = (
        "Whole turns: scores, thresholds and, for love and politics, an answer that declines. Everyday talk is that "
        "of the public chatbot questions about daily life and break-up; unseen are those no encoder was trained on."
    )
    return Part("sanctions", note, figures, tables=tuple(tables))


def _message(number: int, text: str) -> IncomingMessage:
    person = PersonKey("evaluation", str(number))
    return IncomingMessage(person, ChatKey("evaluation", str(number), True), str(number), text, datetime.now(UTC))


def _right(question: HeldOutQuestion, answer: str) -> bool:
    plain = answer.replace(" ", "").lower()
    return any(fact.replace(" ", "").lower() in plain for fact in question.facts)
