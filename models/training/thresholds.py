"""Thresholds belong to the encoder that was trained: chosen on validation rows, stored beside it."""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.ethics import CATEGORIES, Thresholds
from core.text import normalise, unmask
from models.datasets.schema import MemoryPair
from models.encoder import Encodes, SentenceEncoder
from models.registry import Profile
from models.training import tutor_rows, tutor_search
from models.training.corpus import Corpus
from models.training.encoders import ethics_rows, memory_combinations, persona_ethics
from models.training.rows import load_rows

# Of everyday utterances, a category's score may act on no more than this share. Love and politics may on more: there
# her answer must decline as well, and it hardly ever declines everyday talk. Insult least of all: its first step is a
# week.
FALSE_ACTS = {"love": 0.0008, "politics": 0.001, "insult": 0.0002, "hate": 0.0007}
# persona recall keeps this share of its right matches
RECALL_KEPT = 1.0
# of the questions that no text answers, the tutor recognises this share
TUTOR_RECOGNISED = 0.88


def choose(target: Path, corpus: Corpus) -> dict[str, Any]:
    """{"memory": cosine, "recall": cosine, "tutor": cosine, "ethics": {"acts": {category: cosine}, "veto": cosine}}."""
    profile = Profile(target)
    memory_encoder = SentenceEncoder(profile.memory_encoder)
    return {
        "memory": _memory(memory_encoder),
        "recall": _recall(memory_encoder, target),
        "tutor": _tutor(SentenceEncoder(profile.tutor_encoder)),
        "ethics": _ethics(SentenceEncoder(profile.ethics_encoder), corpus),
    }


def ethics_scores(encoder: Encodes, texts: Sequence[str]) -> NDArray[np.float32]:
    """(len(texts), 5): cosine of texts, as people type them, with each category name in the order of CATEGORIES."""
    names = encoder.encode(list(CATEGORIES.values()))
    return encoder.encode([unmask(normalise(text)) for text in texts]) @ names.T


def unseen_everyday(corpus: Corpus) -> list[str]:
    """The chatbot questions of daily life and break-up that the ethics encoder did not see (encoders.everyday_text)."""
    return [q for index, (q, _, label) in enumerate(corpus.chatbot()) if label != 2 and index % 2]


def everyday(corpus: Corpus) -> list[str]:
    """What no threshold may act on: everyday questions and 3i4k utterances that the encoder did not see."""
    return unseen_everyday(corpus) + random.Random(5).sample(corpus.utterances()[1::2], 4000)


def _ethics(encoder: SentenceEncoder, corpus: Corpus) -> dict[str, Any]:
    """Per category the smallest cosine at which everyday text is sanctioned no more often than allowed."""
    own = ethics_rows("valid") + persona_ethics(load_rows("valid"))
    harmless = everyday(corpus) + [text for text, category in own if category == "normal"]
    return ethics_thresholds(ethics_scores(encoder, harmless), FALSE_ACTS)


def ethics_thresholds(scores: NDArray[np.float32], bounds: Mapping[str, float]) -> dict[str, Any]:
    """{"acts", "veto"} from the scores of harmless text, (texts, 5): each category acts on no more than its share."""
    veto = Thresholds().veto
    free = scores[:, list(CATEGORIES).index("normal")] < veto
    acts = {}
    for column, category in enumerate(CATEGORIES):
        if category != "normal":
            allowed = int(len(scores) * bounds[category])
            falsely = np.sort(np.append(scores[free, column], np.zeros(allowed + 1)))[::-1]
            acts[category] = round(max(float(falsely[allowed]) + 0.005, 0.5), 3)
    return {"acts": acts, "veto": veto}


def _memory(encoder: SentenceEncoder) -> float:
    return memory_threshold(encoder, memory_combinations("valid"))


def memory_threshold(encoder: SentenceEncoder, pairs: Sequence[MemoryPair]) -> float:
    """The cosine with the best F1 for "the message wants an item of this key"."""
    cosines = encoder.encode([p.memory for p in pairs]) @ encoder.encode([p.message for p in pairs]).T
    keys = [p.memory[1:].split(":")[0] for p in pairs]
    wanted = np.array([[a == b for b in keys] for a in keys])
    best, best_f1 = 0.5, 0.0
    for threshold in np.arange(0.3, 0.96, 0.01):
        found = cosines >= threshold
        hits = float((found & wanted).sum())
        f1 = 2 * hits / max(float(found.sum() + wanted.sum()), 1.0)
        if f1 > best_f1:
            best, best_f1 = float(threshold), f1
    return round(best, 2)


def tutor_threshold(best: NDArray[np.float32], answered: NDArray[np.bool_]) -> float:
    """Between questions with a text and questions without: the mean share of both that falls on its own side is best.

    `best`: each question's highest cosine with any text.
    """
    if answered.all() or not answered.any():
        return 0.5  # from which matches are shown (behaviour.md §9)
    candidates = np.arange(0.2, 0.99, 0.01)
    shares = [float((best[answered] >= t).mean() + (best[~answered] < t).mean()) for t in candidates]
    return round(float(candidates[int(np.argmax(shares))]), 2)


def _tutor(encoder: SentenceEncoder) -> float:
    """What most questions without a text stay below; those for training have taught the bundled encoder nothing."""
    texts, known = list(tutor_rows.texts(None).values()), tutor_rows.questions(None, None, "train")
    unanswered = [asked.question for asked in known if not asked.text]
    best = tutor_search.cosines(encoder, unanswered, texts, known).max(axis=1)
    return round(float(np.quantile(best, TUTOR_RECOGNISED)), 2)


def _recall(encoder: SentenceEncoder, target: Path) -> float:
    """Low enough to keep nearly all right matches of unseen phrasings."""
    from models.training.bundled import recall_rows  # the index is built from the same rows

    indexed = recall_rows()
    valid = [row for row in load_rows("valid") if not row.context]
    vectors = encoder.encode([row.prompt for row in indexed])
    cosines = encoder.encode([row.prompt for row in valid]) @ vectors.T
    winners = cosines.argmax(axis=1)
    right = [
        float(cosines[i, winner])
        for i, (row, winner) in enumerate(zip(valid, winners, strict=True))
        if indexed[winner].group == row.group
    ]
    return round(float(np.quantile(right, 1 - RECALL_KEPT)), 2)
