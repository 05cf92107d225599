"""The pairs an encoder learns from and is measured on, each with its target similarity (behaviour.md §6, §7, §9)."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer

from core.errors import ConfigurationError
from core.ethics import CATEGORIES
from core.text import unmask
from models.datasets.schema import ROOT, EthicsRow, MemoryPair, read_rows
from models.training import encoders, thresholds, tutor_rows
from models.training.corpus import Corpus
from models.training.rows import load_rows
from models.training.run_config import EncoderRun

T = TypeVar("T")
# a validation row in so many, where a file names none
_VALID = 10
# for each question, texts that do not answer it
_OTHER_TEXTS = 4
# where all memories with all messages are more pairs than this, those of others are drawn
_MOST_PAIRS = 60_000


@dataclass
class Pairs:
    """Two sentences a row, and how similar they should be."""

    sentence1: list[str] = field(default_factory=list)
    sentence2: list[str] = field(default_factory=list)
    score: list[float] = field(default_factory=list)

    def add(self, first: str, second: str, score: float) -> None:
        """One row more."""
        self.sentence1.append(first)
        self.sentence2.append(second)
        self.score.append(score)

    @property
    def dataset(self) -> Dataset:
        """As sentence-transformers reads it. Raises ConfigurationError without rows."""
        if not self.score:
            raise ConfigurationError("no rows to train on: the data holds none with data_type “train”")
        return Dataset.from_dict(vars(self))


@dataclass(frozen=True)
class Material:
    """`retrieval`: pairs that should find each other among all. `targets`: (memories, messages) of validation rows."""

    train: Pairs
    valid: Pairs
    retrieval: encoders.Pairs = field(default_factory=list)
    targets: NDArray[np.float32] | None = None


def material(config: EncoderRun, untuned: SentenceTransformer) -> Material:
    """Everything that training and its validation need."""
    if config.purpose == "memory":
        return _memory(config, untuned)
    return _ethics(config) if config.purpose == "ethics" else _tutor(config)


def memory_rows(config: EncoderRun) -> tuple[list[MemoryPair], list[MemoryPair]]:
    """(to train on, to validate on)."""
    return _split(read_rows(config.data or ROOT / "memory_pairs.jsonl", MemoryPair), config.seed)


def ethics_rows(config: EncoderRun) -> tuple[list[EthicsRow], list[EthicsRow]]:
    """(to train on, to validate on)."""
    return _split(read_rows(config.data or ROOT / "ethics.jsonl", EthicsRow), config.seed)


def _split(rows: Iterable[T], seed: int) -> tuple[list[T], list[T]]:
    """As the rows say; of a file without validation rows, a tenth."""
    given = list(rows)
    train = [row for row in given if getattr(row, "data_type", "") == "train"]
    valid = [row for row in given if getattr(row, "data_type", "") == "valid"]
    if not valid:
        random.Random(seed).shuffle(train)
        valid, train = train[: len(train) // _VALID], train[len(train) // _VALID :]
    return train, valid


def _memory(config: EncoderRun, untuned: SentenceTransformer) -> Material:
    """Every memory with every message; where rows say themselves how similar they are, those pairs alone."""
    train, valid = memory_rows(config)
    if any(row.score is not None for row in train):
        return Material(_scored(train), _scored(valid))
    rng, kept = random.Random(config.seed), min(1.0, _MOST_PAIRS / max(len(train), 1) ** 2)
    learned = _cartesian(train, encoders.key_similarities(untuned, train), kept, rng) if train else Pairs()
    if not valid:
        return Material(learned, Pairs())
    targets = encoders.key_similarities(untuned, valid)
    return Material(learned, _cartesian(valid, targets, 1.0, rng), targets=targets)


def _scored(rows: Iterable[MemoryPair]) -> Pairs:
    pairs = Pairs()
    for row in rows:
        pairs.add(row.memory, row.message, 1.0 if row.score is None else row.score)
    return pairs


def _cartesian(rows: Sequence[MemoryPair], targets: NDArray[np.float32], kept: float, rng: random.Random) -> Pairs:
    """Every memory with its own message, and of its pairs with others the share `kept`."""
    pairs = Pairs()
    for i, memory in enumerate(rows):
        for j, message in enumerate(rows):
            if i == j or rng.random() < kept:
                pairs.add(memory.memory, message.message, float(targets[i, j]))
    return pairs


def _ethics(config: EncoderRun) -> Material:
    """Every utterance with every category's name; ours a second time in other shapes, so that no word decides."""
    train, valid = ethics_rows(config)
    rng = random.Random(config.seed)
    labelled: list[tuple[str, str]] = [(unmask(row.text), row.category) for row in train]
    labelled += [(encoders.reshaped(text, rng), category) for text, category in labelled if text]
    if config.data is None:
        labelled += encoders.persona_ethics(load_rows("train"))
    if config.corpus is not None:
        corpus = Corpus(config.corpus)
        labelled += encoders.public_ethics(corpus)
        labelled += [(text, "normal") for text in rng.sample(encoders.everyday_text(corpus), encoders.EVERYDAY_DRAWN)]
    return Material(_named(labelled), _named([(unmask(row.text), row.category) for row in valid]))


def _named(labelled: Iterable[tuple[str, str]]) -> Pairs:
    pairs = Pairs()
    for text, category in labelled:
        for other, name in CATEGORIES.items():
            pairs.add(text, name, float(other == category))
    return pairs


def _tutor(config: EncoderRun) -> Material:
    """Each question with its text, and with some that do not answer it."""
    train = tutor_questions(config, "train")
    rng = random.Random(config.seed)
    known = all_texts(config)
    found = [(asked.question, asked.text) for asked in train if asked.text and asked.score is None]
    valid = tutor_questions(config, "valid")
    return Material(_asked(train, known, rng), _asked(valid, known, rng), found)


def tutor_questions(config: EncoderRun, split: str) -> list[tutor_rows.Asked]:
    """The questions of one split."""
    return tutor_rows.questions(config.data, config.texts, split)


def all_texts(config: EncoderRun) -> list[str]:
    """Every text the tutor can find: the knowledge base, or what the rows of a file name."""
    if config.data is None or config.texts is not None:
        return list(tutor_rows.texts(config.texts).values())
    asked = [*tutor_questions(config, "train"), *tutor_questions(config, "valid")]
    return list(dict.fromkeys(one.text for one in asked if one.text))


def _asked(questions: Iterable[tutor_rows.Asked], texts: Sequence[str], rng: random.Random) -> Pairs:
    pairs = Pairs()
    for asked in questions:
        if asked.text:
            pairs.add(asked.question, asked.text, 1.0 if asked.score is None else asked.score)
        if asked.score is None:
            others = [text for text in rng.sample(texts, min(_OTHER_TEXTS, len(texts))) if text != asked.text]
            for text in others:
                pairs.add(asked.question, text, 0.0)
    return pairs


def everyday(config: EncoderRun, valid: Sequence[EthicsRow]) -> list[str]:
    """What no ethics threshold may act on: normal validation rows, and public text that training did not see."""
    harmless = [row.text for row in valid if row.category == "normal"]
    return harmless + (thresholds.everyday(Corpus(config.corpus)) if config.corpus else [])
