"""What a message of the review queue says, and its buttons. Pure.

Such a button is everybody's: its data says what it does, and is checked anew at every press as if it were forged.
"""

import re
from dataclasses import dataclass

from bot.adapters.base import REVIEW_LENGTH
from bot.adapters.desk import Button, Command, Rows
from bot.moderation.voice import Voice, open_question, quoted, scores
from core.cases import DECISIONS, Case, Kind

# together they keep a message below REVIEW_LENGTH
_APPEAL, _WORDS, _EVENT, _SCORES = 300, 160, 100, 3
_DATA = re.compile(r"case:(\d{1,15}):(\d{1,3}):(uphold|overturn|shorten|comment|case)", re.ASCII)
# what needs words first
FORMS = frozenset({"shorten", "comment"})


@dataclass(frozen=True, slots=True)
class CaseButton:
    """A button of the queue. `appeal`: which question its message asks."""

    number: int
    appeal: int
    verb: str

    @property
    def data(self) -> str:
        """As it travels."""
        return f"case:{self.number}:{self.appeal}:{self.verb}"


def case_button(data: str) -> CaseButton | None:
    """What travelled; None for anything else."""
    found = _DATA.fullmatch(data)
    return None if found is None else CaseButton(int(found[1]), int(found[2]), found[3])


def page_of(case: Case, appeal: int, voice: Voice) -> str:
    """The case, or its `appeal`-th appeal, and where it stands now."""
    evidence = case.sanction.evidence
    appeals = [event for event in case.events if event.kind is Kind.APPEALED]
    title = (
        voice.say("review_appeal", n=case.number, appeal=appeal) if appeal else voice.say("review_case", n=case.number)
    )
    parts = [title, voice.line(case), f"{voice.say('where')}: {voice.where(case)}"]
    if 0 < appeal <= len(appeals):
        parts += [voice.say("appeal_says"), quoted(appeals[appeal - 1].text, _APPEAL, one_line=True)]
    if case.manual:
        parts += [voice.say("reason"), quoted(case.events[0].text, _WORDS, one_line=True)]
    elif case.blanked:
        parts.append(voice.say("blanked"))
    else:
        parts += [
            voice.say("prompt"),
            quoted(evidence.prompt, _WORDS, one_line=True),
            voice.say("answer"),
            quoted(evidence.answer, _WORDS, one_line=True),
        ]
        parts.append(scores(evidence.scores, evidence.thresholds, voice.language, _SCORES))
    later = [event for event in case.events if event.kind in (*DECISIONS, Kind.LIFTED, Kind.COMMENTED)]
    parts += [voice.event(event, _EVENT) for event in later[-2:]]
    return "\n".join(part for part in parts if part)[:REVIEW_LENGTH]


def buttons_of(case: Case, appeal: int, voice: Voice) -> Rows:
    """Decisions as long as this is the question that waits; comments and details always."""
    decisions: tuple[str, ...] = ("uphold", "overturn", *(("shorten",) if case.period else ()))
    asked = decisions if open_question(case) and appeal == case.appeals else ()
    return tuple(
        tuple(_button(case, appeal, verb, voice) for verb in verbs) for verbs in (asked, ("comment", "case")) if verbs
    )


def _button(case: Case, appeal: int, verb: str, voice: Voice) -> Button:
    form = verb if verb in FORMS else ""
    command = Command("mod", f"{verb} {case.number} appeal={appeal}")
    return Button(voice.say(f"do_{verb}"), command, CaseButton(case.number, appeal, verb).data, form)
