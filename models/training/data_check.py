"""What can be wrong with training data beyond the schema: said twice, in two splits at once, or longer than fits."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core import tasks
from core.conversation import Policy
from core.recall import aged_answer
from models.datasets.schema import (
    DataRow,
    EthicsRow,
    HeldOutQuestion,
    HeldOutUtterance,
    MemoryPair,
    PersonaRow,
    Template,
    TutorQuestion,
    TutorText,
)
from models.training.data_files import Problem, read_lines
from models.training.rows import Row

TRAIN, VALID, HELD_OUT = "train", "valid", "held out"
_NO_LETTER = re.compile(r"[\W_]|로라야")
# no age of hers takes more room
_AGE = 99
_POLICY = Policy()


@dataclass(frozen=True, slots=True)
class Facets:
    """A row as the checks see it.

    `family`: rows of one family must not share a sentence across splits. `key`: two rows of a split with the same one
    are the same row. `says`: the sentence that must not be known elsewhere; `known`: all that training on it reveals.
    """

    family: str
    split: str
    key: str
    says: str
    known: tuple[str, ...]
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Findings:
    """What a check found. `balance`: (family, label) → split → how often which value."""

    problems: list[Problem]
    rows: Counter[str]
    balance: dict[tuple[str, str], dict[str, Counter[str]]]


def check(files: Iterable[Path], count_tokens: Callable[[str], int]) -> Findings:
    """Every check over all `files` together; `count_tokens` is the model's tokenizer."""
    problems: list[Problem] = []
    seen: list[tuple[str, Facets]] = []
    for path in files:
        for line in read_lines(path):
            if isinstance(line, Problem):
                problems.append(line)
                continue
            seen.append((line.place, facets_of(line.row)))
            problems += [Problem(line.place, text) for text in _too_long(line.row, count_tokens)]
    balance = _balance([facets for _, facets in seen])
    problems += [*_duplicates(seen), *_leaks(seen), *_untrained(balance)]
    return Findings(problems, Counter(f"{facets.family}, {facets.split}" for _, facets in seen), balance)


def facets_of(row: DataRow) -> Facets:
    """How the checks see a row."""
    match row:
        case PersonaRow():
            return _persona(row)
        case HeldOutQuestion():
            return Facets("persona", HELD_OUT, row.question, row.question, ())
        case EthicsRow():
            return Facets("ethics", row.data_type, row.text, row.text, (row.text,), {"category": row.category})
        case HeldOutUtterance():
            return Facets("ethics", HELD_OUT, row.text, row.text, (), {"category": row.category})
        case MemoryPair():
            return Facets("memory", row.data_type, f"{row.memory} {row.message}", row.message, (row.message,))
        case TutorQuestion():
            labels = {"text": "yes" if row.text else "no"}
            key = f"{row.question} {row.text}"
            return Facets("tutor", row.data_type, key, row.question, (row.question,), labels)
        case TutorText():
            return Facets("tutor text", TRAIN, row.name, row.name, ())
        case Template():
            return Facets("template", TRAIN, row.input, row.input, (), _face(row))
    raise TypeError(f"no checks for {type(row).__name__}")


def _persona(row: PersonaRow) -> Facets:
    """Training on a prompt behind a summary shows the prompt, too; a follow-up (`왜?`) means nothing without it."""
    parsed = Row.parse(row.intent, row)
    says = row.input_data if parsed.context else parsed.prompt
    labels = _face(row) | {"memory": "given" if row.memory else "nothing"}
    return Facets("persona", row.data_type, row.input_data, says, (row.input_data, parsed.prompt), labels)


def _face(row: PersonaRow | Template) -> dict[str, str]:
    return {"eyes": row.eyes, "mouth": row.mouth, "pose": row.pose}


def _too_long(row: DataRow, count_tokens: Callable[[str], int]) -> Iterator[str]:
    if not isinstance(row, PersonaRow):
        return
    answer = aged_answer(row.output_message, _AGE)
    turn = f"{tasks.answer_prompt(row.input_data)} {answer} {tasks.ANSWER_END}"
    for name, text, limit in (
        ("prompt", Row.parse(row.intent, row).prompt, _POLICY.prompt_tokens),
        ("prompt and answer", turn, _POLICY.answer_tokens),
        ("summary", row.summary, (tasks.SUMMARY.fewer_than or 0) - 1),
        ("memory", row.memory, (tasks.MEMORY.fewer_than or 0) - 1),
    ):
        if (tokens := count_tokens(text)) > limit:
            yield f"{name} of {tokens} tokens, the model takes {limit}"


def _bare(text: str) -> str:
    """Letters and digits only: what is left of a sentence however it is spaced, punctuated or addressed."""
    composed = unicodedata.normalize("NFKC", text).casefold()
    return _NO_LETTER.sub("", composed) or composed.strip()


def _duplicates(seen: Sequence[tuple[str, Facets]]) -> Iterator[Problem]:
    first: dict[tuple[str, str, str], str] = {}
    for place, facets in seen:
        said = (facets.family, facets.split, " ".join(facets.key.split()))
        if said in first:
            yield Problem(place, f"the same as {first[said]}: {facets.key}")
        first.setdefault(said, place)


def _leaks(seen: Sequence[tuple[str, Facets]]) -> Iterator[Problem]:
    known: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for place, facets in seen:
        for text in facets.known:
            known[facets.family, facets.split].setdefault(_bare(text), place)
    for place, facets in seen:
        others = {VALID: (TRAIN,), HELD_OUT: (TRAIN, VALID)}.get(facets.split, ())
        for split in others:
            if (leak := known[facets.family, split].get(_bare(facets.says))) is not None:
                yield Problem(place, f"{facets.split}, but {leak} has it in {split}: {facets.says}")


def _balance(seen: Iterable[Facets]) -> dict[tuple[str, str], dict[str, Counter[str]]]:
    balance: dict[tuple[str, str], dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for facets in seen:
        for label, value in facets.labels.items():
            balance[facets.family, label][facets.split][value] += 1
    return balance


def _untrained(balance: dict[tuple[str, str], dict[str, Counter[str]]]) -> Iterator[Problem]:
    """A label that is checked but never trained can only be answered wrong."""
    for (family, label), splits in balance.items():
        if TRAIN in splits:
            for value in sorted({v for split in splits.values() for v in split} - set(splits[TRAIN])):
                yield Problem(family, f"{label} {value} is in no training row")
