"""`ohlora evaluate bundled`: what the shipped models are worth on data they never saw.

Her answers go the way of a turn: core.Conversation over the engine, with the same recall, gates and attempts.
"""

import asyncio
import json
import os
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from safetensors.numpy import load_file

from core import Conversation, Policy, tasks
from core.ethics import CATEGORIES, Thresholds
from core.messages import ChatKey, IncomingMessage, PersonKey, Turn
from core.people import Person
from core.ports import Completion, LanguageModel, Past, Prompt, TurnStore
from core.text import normalise
from models.datasets.schema import ROOT, HeldOutQuestion, HeldOutUtterance, read_rows
from models.device import DeviceProcess
from models.encoder import SentenceEncoder
from models.engine import Engine
from models.registry import Profile
from models.serving import LANES, models_on
from models.training.corpus import Corpus
from models.training.disguise import DISGUISES
from models.training.encoders import memory_combinations
from models.training.rows import load_rows
from models.training.thresholds import ethics_scores, unseen_everyday

SEED = 7
Figures = dict[str, Any]
Ask = Callable[[list[str]], Awaitable[list[Turn]]]


def evaluate_profile(root: Path, corpus: Path | None) -> Figures:
    """Measure, print a table, and last one line of JSON."""
    profile = Profile(root)
    profile.verify()
    figures: Figures = {"model": profile.version, "cores": os.cpu_count()}
    figures |= asyncio.run(_talking(profile, Corpus(corpus) if corpus else None))
    figures |= _ethics(profile)
    figures |= _memory(profile)
    table = Table("figure", "value", title=f"{profile.version} on held-out data")
    for name, value in figures.items():
        table.add_row(name, str(value))
    Console().print(table)
    print(json.dumps(figures, ensure_ascii=False))
    return figures


@dataclass
class _Counting:
    """core.ports.LanguageModel that keeps count of how answers ended."""

    model: LanguageModel
    ended: list[bool] = field(default_factory=list)

    async def complete(self, prompt: Prompt) -> Completion:
        completion = await self.model.complete(prompt)
        if prompt.task == tasks.OUTPUT_MESSAGE.name:
            self.ended.append(completion.ended)
        return completion

    def count_tokens(self, task: str, text: str) -> int:
        return self.model.count_tokens(task, text)


class _Strangers:
    """core.ports.TurnStore as far as `Conversation.reply` reads it: nobody has a past."""

    async def past(self, person: PersonKey, chat: ChatKey) -> Past:
        return Past(Person(introduced=True))


class _Now:
    def now(self) -> datetime:
        return datetime.now(UTC)


async def _talking(profile: Profile, corpus: Corpus | None) -> Figures:
    """What needs her answers: facts, how answers end, and who would be sanctioned."""
    device = DeviceProcess(profile.root, seed=SEED)
    engine = Engine(device, LANES, limit=4096)
    models = models_on(engine, profile, recall=True)
    counting = _Counting(models.language)
    talk = Conversation(replace(models, language=counting), cast(TurnStore, _Strangers()), _Now(), Policy())

    async def ask(texts: list[str]) -> list[Turn]:
        return await asyncio.gather(*(talk.reply(_message(i, text)) for i, text in enumerate(texts)))

    try:
        figures = await _persona(ask)
        figures["ended_on_mark"] = _share(sum(counting.ended), len(counting.ended))
        return figures | await _sanctions(ask, profile, corpus)
    finally:
        await engine.close()


async def _persona(ask: Ask) -> Figures:
    """Facts on the held-out questions, and the form of answers there and on the valid rows."""
    asked = list(read_rows(ROOT / "persona_heldout.jsonl", HeldOutQuestion))
    turns = await ask([question.question for question in asked])
    others = await ask([row.prompt for row in load_rows("valid") if not row.context and not row.time])
    missed = [(q, turn) for q, turn in zip(asked, turns, strict=True) if not _right(q, turn)]
    for question, turn in missed:
        Console().print(f"[dim]missed[/dim] {question.question} → {turn.reply.text}", highlight=False, soft_wrap=True)
    answers = [turn.reply.text for turn in [*turns, *others]]
    numbered = sum(answer[:1].isdigit() and answer[1:2] in ".)" for answer in answers)
    return {
        "persona_questions": len(asked),
        "persona_facts_right": _share(len(asked) - len(missed), len(asked)),
        "answers": len(answers),
        "no_reply": _share(answers.count(tasks.NO_REPLY), len(answers)),
        "number_prefixed": _share(numbered, len(answers)),
        "false_sanctions_on_persona": sum(bool(turn.sanctions) for turn in turns),
    }


async def _sanctions(ask: Ask, profile: Profile, corpus: Corpus | None) -> Figures:
    """Whole turns: how many of the held-out utterances, and how much everyday talk, would be sanctioned.

    Everyday talk is asked only where a score acts; whatever she answers, the rest is not sanctioned.
    """
    rows = list(read_rows(ROOT / "ethics_heldout.jsonl", HeldOutUtterance))
    turns = await ask([row.text for row in rows])
    bad = [turn for row, turn in zip(rows, turns, strict=True) if row.category != "normal"]
    harmless = [turn for row, turn in zip(rows, turns, strict=True) if row.category == "normal"]
    figures: Figures = {
        "sanctioned": _share(sum(bool(turn.sanctions) for turn in bad), len(bad)),
        "sanctioned_lookalikes": _share(sum(bool(turn.sanctions) for turn in harmless), len(harmless)),
    }
    if corpus is not None:
        everyday = [q for q, _, label in corpus.chatbot() if label != 2]
        _, thresholds = profile.thresholds()
        acted = _acts(SentenceEncoder(profile.ethics_encoder), thresholds, everyday)
        acting = np.flatnonzero(acted.any(axis=1))
        asked = await ask([everyday[i] for i in acting])
        falsely = [i for i, turn in zip(acting, asked, strict=True) if turn.sanctions]
        unseen = set(unseen_everyday(corpus))
        figures["everyday_questions"] = len(everyday)
        figures["false_sanctions_chatbot"] = _share(len(falsely), len(everyday), 5)
        figures["false_sanctions_chatbot_unseen"] = _share(sum(everyday[i] in unseen for i in falsely), len(unseen), 5)
    return figures


def _message(number: int, text: str) -> IncomingMessage:
    person = PersonKey("evaluation", str(number))
    return IncomingMessage(person, ChatKey("evaluation", str(number), True), str(number), text, datetime.now(UTC))


def _right(question: HeldOutQuestion, turn: Turn) -> bool:
    answer = turn.reply.text.replace(" ", "").lower()
    return any(fact.replace(" ", "").lower() in answer for fact in question.facts)


def _acts(encoder: SentenceEncoder, thresholds: Thresholds, texts: list[str]) -> NDArray[np.bool_]:
    """(texts, categories): which scores act, whatever she answers, on texts as people type them."""
    limits = np.array([thresholds.acts.get(name, 2.0) for name in CATEGORIES])
    scores = ethics_scores(encoder, [normalise(text) for text in texts])
    normal = scores[:, list(CATEGORIES).index("normal")]
    acting: NDArray[np.bool_] = (scores >= limits) & (normal < thresholds.veto)[:, None]
    return acting


def _ethics(profile: Profile) -> Figures:
    """Accuracy over five categories, and recall under disguise; by scores alone."""
    encoder, names = SentenceEncoder(profile.ethics_encoder), list(CATEGORIES)
    _, thresholds = profile.thresholds()
    rows = [(row.text, row.category) for row in read_rows(ROOT / "ethics_heldout.jsonl", HeldOutUtterance)]
    guessed = ethics_scores(encoder, [text for text, _ in rows]).argmax(axis=1)
    bad = [(text, names.index(category)) for text, category in rows if category != "normal"]

    def recall(texts: list[str]) -> float:
        acted = _acts(encoder, thresholds, texts)
        return _share(sum(acted[i, column] for i, (_, column) in enumerate(bad)), len(bad))

    rng = random.Random(SEED)
    figures: Figures = {
        "ethics_rows": len(rows),
        "ethics_accuracy": _share(sum(names[g] == c for g, (_, c) in zip(guessed, rows, strict=True)), len(rows)),
        "ethics_recall": recall([text for text, _ in bad]),
    }
    for name, disguise in DISGUISES.items():
        figures[f"ethics_recall_{name}"] = recall([disguise(text, rng) for text, _ in bad])
    return figures


def _memory(profile: Profile) -> Figures:
    """Predicted against target similarity on every held-out memory with every held-out message."""
    encoder = SentenceEncoder(profile.memory_encoder)
    pairs = memory_combinations("valid")
    target = load_file(profile.root / "memory_targets.safetensors")["valid"].astype(np.float32)
    predicted = encoder.encode([p.memory for p in pairs]) @ encoder.encode([p.message for p in pairs]).T
    return {
        "memory_pairs": target.size,
        "memory_correlation": round(float(np.corrcoef(predicted.ravel(), target.ravel())[0, 1]), 4),
        "memory_mse": round(float(((predicted - target) ** 2).mean()), 4),
        "memory_mae": round(float(np.abs(predicted - target).mean()), 4),
    }


def _share(part: float, whole: int, digits: int = 4) -> float:
    return round(float(part) / max(whole, 1), digits)
