"""The rows an evaluation reads: our own held-out ones, or those of a file."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from safetensors.numpy import load_file

from core.errors import ConfigurationError
from models.datasets.schema import (
    ROOT,
    EthicsRow,
    HeldOutUtterance,
    MemoryPair,
    PersonaRow,
    persona_rows,
    read_rows,
)
from models.registry import BUNDLED
from models.training import tutor_rows
from models.training.evaluation.metrics import Floats
from models.training.rows import Row
from models.training.tutor_rows import Asked

T = TypeVar("T")


def language_rows(file: Path | None) -> tuple[list[Row], list[Row]]:
    """(rows to evaluate on, rows that training saw). A file without `valid` rows is evaluated on as a whole."""
    own = persona_rows()
    given = own if file is None else list(read_rows(file, PersonaRow))
    training = [row for row in (own if file is None else [*own, *given]) if row.data_type == "train"]
    valid = [row for row in given if row.data_type == "valid"] or given
    return [Row.parse(row.intent, row) for row in valid], [Row.parse(row.intent, row) for row in training]


def utterances(file: Path | None) -> list[tuple[str, str]]:
    """(text, category): the held-out utterances, or a file's, of which only the `valid` ones where it has such."""
    if file is None:
        return [(row.text, row.category) for row in read_rows(ROOT / "ethics_heldout.jsonl", HeldOutUtterance)]
    try:
        split = list(read_rows(file, EthicsRow))
    except ConfigurationError:  # without `data_type`; if something else is wrong, reading it again says so
        return [(row.text, row.category) for row in read_rows(file, HeldOutUtterance)]
    valid = [row for row in split if row.data_type == "valid"] or split
    return [(row.text, row.category) for row in valid]


def memory_pairs(file: Path | None) -> list[MemoryPair]:
    """The `valid` combinations; all of a file that has none."""
    pairs = list(read_rows(file or ROOT / "memory_pairs.jsonl", MemoryPair))
    return [pair for pair in pairs if pair.data_type == "valid"] or pairs


def memory_targets(model: Path, pairs: Sequence[MemoryPair]) -> Floats:
    """(pairs, pairs): targets stored with the model, else with the bundled ones.

    Raises ConfigurationError where none are stored for as many pairs.
    """
    for folder in (model, model.parent, BUNDLED):
        path = folder / "memory_targets.safetensors"
        if path.is_file():
            stored: Floats = load_file(path)["valid"].astype(np.float32)
            if stored.shape == (len(pairs), len(pairs)):
                return stored
    raise ConfigurationError(
        f"no similarity targets for these {len(pairs)} memory pairs: name the untuned encoder with --untuned, "
        "or rebuild the models with `make bundled`"
    )


def tutor_questions(file: Path | None, texts: Path | None) -> tuple[list[str], list[Asked], list[Asked]]:
    """(all texts there are, the `valid` questions, the others that have a text).

    All questions of a file without `valid` ones are evaluated.
    """
    splits = {split: tutor_rows.questions(file, texts, split) for split in ("valid", "train")}
    if file is None or texts is not None:
        known = list(tutor_rows.texts(texts).values())
    else:
        known = list(dict.fromkeys(asked.text for split in splits.values() for asked in split if asked.text))
    if not splits["valid"]:
        return known, splits["train"], []
    return known, splits["valid"], [asked for asked in splits["train"] if asked.text]


def tutor_language_rows(file: Path | None, texts: Path | None) -> tuple[list[Row], list[Row]]:
    """As `language_rows`; questions about one text are of one intent."""
    train, valid = (
        [tutor_rows.row_of(asked) for asked in tutor_rows.questions(file, texts, split) if asked.answer]
        for split in ("train", "valid")
    )
    return valid or train, train


def sample(rows: Sequence[T], most: int | None, seed: int) -> list[T]:
    """At most `most` of the rows, always the same ones, in their order."""
    if most is None or len(rows) <= most:
        return list(rows)
    chosen = sorted(random.Random(seed).sample(range(len(rows)), most))
    return [rows[place] for place in chosen]
