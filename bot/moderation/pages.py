"""Pages for moderators: a list of cases, one case with its evidence and history, one person. Pure."""

from collections.abc import Mapping, Sequence

from bot.adapters.desk import Answer, Button, Command, Rows
from bot.moderation.review_pages import FORMS
from bot.moderation.voice import Voice, open_question, quoted, scores
from core import texts
from core.cases import Case, Standing
from core.messages import PersonKey
from core.moderation import Moderator, may_see
from core.rules import Rules
from core.sanctions import Mode, step_period

PAGE = 8
_EVENTS, _WORDS = 12, 300
_ROW = 4


def cases_page(cases: Sequence[Case], again: str, voice: Voice) -> Answer:
    """One page; `cases` has one more than `PAGE` when there is a next one. `again`: the words that ask for them."""
    shown = cases[:PAGE]
    if not shown:
        return Answer(voice.say("no_cases"))
    lines = [voice.say("cases_title"), *(voice.line(case) for case in shown)]
    rows = _numbers(shown)
    if len(cases) > PAGE:
        further = f"{again} before={shown[-1].number}"
        rows.append((Button(voice.say("further"), Command("mod", further)),))
    return Answer("\n".join(lines), tuple(rows))


def case_page(case: Case, by: Moderator, voice: Voice) -> Answer:
    """Everything about a case, and what `by` may do to it."""
    lines = [voice.say("case_title", n=case.number), *_facts(case, voice)]
    if not case.manual:
        lines += _evidence(case, voice)
    lines.append(voice.say("history"))
    if left := max(len(case.events) - _EVENTS, 0):
        lines.append(voice.say("earlier", n=left))
    lines += [voice.event(event, _WORDS) for event in case.events[-_EVENTS:]]
    own = case.person == by.person
    return Answer("\n".join(lines), () if own else _case_buttons(case, voice))


def person_page(
    person: PersonKey, cases: Sequence[Case], current: Standing, rules: Rules, by: Moderator, voice: Voice
) -> Answer:
    """Where a person stands, the cases that `by` may see, and the next step of each category."""
    lines = [voice.say("person_title", person=voice.name(person))]
    if current.blocked_until is None:
        lines.append(voice.say("not_blocked"))
    else:
        category = texts.categories(voice.language, current.reasons)
        lines.append(voice.say("blocked_until", until=voice.at(current.blocked_until), category=category))
    lines.append(voice.say("next_steps"))
    lines += [_next_step(category, current.counts, rules, voice) for category in rules.ladders]
    seen = [case for case in cases if may_see(case, by)]
    lines.append(voice.say("their_cases", n=len(seen)))
    lines += [voice.line(case) for case in seen]
    return Answer("\n".join(lines), tuple(_numbers(seen)))


def _numbers(cases: Sequence[Case]) -> list[tuple[Button, ...]]:
    """A button for each case."""
    buttons = [Button(str(case.number), Command("mod", f"case {case.number}")) for case in cases]
    return [tuple(buttons[start : start + _ROW]) for start in range(0, len(buttons), _ROW)]


def _facts(case: Case, voice: Voice) -> list[str]:
    lines = [voice.line(case), f"{voice.say('where')}: {voice.where(case)}"]
    if case.sanction.period:
        lines.append(voice.say("ends", at=voice.at(case.end)))
    if not case.everywhere:
        lines.append(voice.say("only_here"))
    return lines


def _evidence(case: Case, voice: Voice) -> list[str]:
    evidence = case.sanction.evidence
    lines = [voice.say("blanked")]
    if not case.blanked:
        prompt, answer = quoted(evidence.prompt, 4 * _WORDS), quoted(evidence.answer, 4 * _WORDS)
        lines = [voice.say("prompt"), prompt, voice.say("answer"), answer]
    lines += [voice.say("scores"), scores(evidence.scores, evidence.thresholds, voice.language)]
    return [*lines, voice.say("encoder", model=evidence.encoder)]


def _case_buttons(case: Case, voice: Voice) -> Rows:
    verbs = ["comment"]
    if open_question(case):
        verbs = ["uphold", "overturn", *(["shorten"] if case.period else []), *verbs]
    return (
        tuple(
            Button(
                voice.say(f"do_{verb}"),
                Command("mod", f"{verb} {case.number} appeal={case.appeals}"),
                form=f"{verb}.{case.number}" if verb in FORMS else "",
            )
            for verb in verbs
        ),
    )


def _next_step(category: str, counts: Mapping[str, int], rules: Rules, voice: Voice) -> str:
    step = counts.get(category, 0) + 1
    period = voice.period(step_period(rules.ladders[category], step))
    if (mode := rules.modes[category]) is not Mode.ENFORCE:
        period = f"{period} ({voice.word('mode', mode)})"
    return voice.say("next_step", category=texts.categories(voice.language, [category]), step=step, period=period)
