"""The two sentence encoders: contrastive pre-training on paraphrases, then tuning as behaviour.md §6 and §7 say."""

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.sentence_transformer.losses import CosineSimilarityLoss, MultipleNegativesRankingLoss
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from sentence_transformers.sentence_transformer.training_args import BatchSamplers
from transformers import LlamaForCausalLM, PreTrainedTokenizerBase

from core.ethics import CATEGORIES
from core.text import unmask
from models.datasets.schema import ROOT, EthicsRow, MemoryPair, read_rows
from models.training.corpus import Corpus
from models.training.disguise import disguised
from models.training.rows import Row

LAYERS = 4
# of all memory–message pairs, the share that is trained on: with the same kind of key, with another
RELATED_KEPT, UNRELATED_KEPT = 0.5, 0.05
Pairs = list[tuple[str, str]]


def encoder_from(base: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase, work: Path) -> SentenceTransformer:
    """The first layers of the base language model with mean pooling: what it learned of Korean comes for free."""
    trunk = base.model
    trunk.layers = trunk.layers[:LAYERS]
    trunk.config.num_hidden_layers = LAYERS
    trunk.save_pretrained(work)
    tokenizer.padding_side = "right"
    tokenizer.save_pretrained(work)
    transformer = Transformer(str(work), max_seq_length=128)
    return SentenceTransformer(
        modules=[transformer, Pooling(transformer.get_embedding_dimension()), Normalize()], device="cpu"
    )


def public_pairs(corpus: Corpus, rng: random.Random) -> Pairs:
    """Pairs of public sentences that mean the same or belong together."""
    pairs: Pairs = [(q, a) for q, a, _ in corpus.chatbot()]
    for group in corpus.paraphrase_groups():
        for _ in range(6 if len(group) > 1 else 0):
            first, second = rng.sample(group, 2)
            pairs.append((first, second))
    pairs += [(a, b) for a, b, same in corpus.question_pairs() if same]
    pairs += [(a, b) for a, b, score in corpus.similarities() if score >= 0.7]
    pairs += [(a, b) for a, b, label in corpus.inferences() if label == "entailment"]
    # what people type is short, and long sentences cost most of the time
    return [(a, b) for a, b in pairs if a and b and a != b and len(a) + len(b) <= 80]


def persona_pairs(rows: Iterable[Row], per_row: int, rng: random.Random) -> Pairs:
    """Two phrasings of one intent, and a memory item with a prompt that it helps."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.group].append(row)
    pairs: Pairs = []
    for members in groups.values():
        for row in members:
            others = [other.prompt for other in members if other.prompt != row.prompt]
            pairs += [(row.prompt, rng.choice(others)) for _ in range(per_row) if others]
            if row.kind == "memory":
                pairs.append((row.context, row.prompt))
    return pairs


def _arguments(work: Path, epochs: float, batch: int, rate: float, seed: int, *, bf16: bool = True, **more: Any) -> Any:
    return SentenceTransformerTrainingArguments(
        output_dir=str(work),
        num_train_epochs=epochs,
        per_device_train_batch_size=batch,
        learning_rate=rate,
        warmup_steps=0.1,
        bf16=bf16,
        use_cpu=not torch.cuda.is_available(),
        logging_steps=100,
        save_strategy="no",
        report_to=[],
        seed=seed,
        dataloader_pin_memory=False,
        **more,
    )


def pair_dataset(pairs: Sequence[tuple[str, str]]) -> Dataset:
    """Anchor and positive."""
    return Dataset.from_dict({"anchor": [a for a, _ in pairs], "positive": [b for _, b in pairs]})


def contrast(
    model: SentenceTransformer, pairs: Pairs, work: Path, *, epochs: float, seed: int, bf16: bool = True
) -> None:
    """Multiple-negatives ranking: of a batch, each sentence shall find its own partner."""
    SentenceTransformerTrainer(
        model=model,
        args=_arguments(work, epochs, 96, 5e-4, seed, bf16=bf16, batch_sampler=BatchSamplers.NO_DUPLICATES),
        train_dataset=pair_dataset(pairs),
        loss=MultipleNegativesRankingLoss(model, scale=20.0),
    ).train()


def memory_combinations(split: str) -> list[MemoryPair]:
    """The memory–message combinations of one split."""
    return [pair for pair in read_rows(ROOT / "memory_pairs.jsonl", MemoryPair) if pair.data_type == split]


def persona_memories(rows: Iterable[Row]) -> list[MemoryPair]:
    """Persona rows with a memory in front: a combination each."""
    return [
        MemoryPair(data_type="train", memory=row.context, message=row.prompt) for row in rows if row.kind == "memory"
    ]


def key_similarities(untuned: SentenceTransformer, combinations: Sequence[MemoryPair]) -> NDArray[np.float32]:
    """(memories, messages): the rescaled similarity of the two keys under the untuned encoder (behaviour.md §6)."""
    vectors = untuned.encode([_key(pair.memory) for pair in combinations], show_progress_bar=False)
    return np.asarray((2.6 * (vectors @ vectors.T) - 1.6).clip(0.0, 1.0), dtype=np.float32)


def cartesian(
    untuned: SentenceTransformer,
    combinations: Sequence[MemoryPair],
    rng: random.Random,
    kept: tuple[float, float] = (RELATED_KEPT, UNRELATED_KEPT),
) -> Dataset:
    """Memories with messages and their target similarity: all that were written together, of the others a sample."""
    related, unrelated = kept
    targets = key_similarities(untuned, combinations)
    columns: dict[str, list[Any]] = {"sentence1": [], "sentence2": [], "score": []}
    for i, memory in enumerate(combinations):
        for j, message in enumerate(combinations):
            if i == j or rng.random() < (related if targets[i, j] > 0 else unrelated):
                columns["sentence1"].append(memory.memory)
                columns["sentence2"].append(message.message)
                columns["score"].append(float(targets[i, j]))
    return Dataset.from_dict(columns)


def _key(item: str) -> str:
    key, value = item[1:-1].split(": ", 1)
    key = value if key == "상태" else key
    return "좋아하는 가수" if key == "좋아하는 아이돌" else key


def tune_memory(
    model: SentenceTransformer, train: Dataset, recall: Pairs, work: Path, *, epochs: float, seed: int
) -> None:
    """Cosine-similarity loss on the combinations; persona pairs beside it keep the encoder fit for persona recall."""
    SentenceTransformerTrainer(
        model=model,
        args=_arguments(work, epochs, 64, 3e-4, seed, batch_sampler=BatchSamplers.NO_DUPLICATES),
        train_dataset={"memory": train, "recall": pair_dataset(recall)},
        loss={"memory": CosineSimilarityLoss(model), "recall": MultipleNegativesRankingLoss(model, scale=20.0)},
    ).train()


def ethics_rows(split: str) -> list[tuple[str, str]]:
    """(text as the classifier sees it, category) of our own utterances."""
    rows = read_rows(ROOT / "ethics.jsonl", EthicsRow)
    return [(unmask(row.text), row.category) for row in rows if row.data_type == split]


_REFUSED = {
    "love_": "love", "politics_": "politics", "insult_parents": "insult",
    "hate_group_": "hate", "swear": "hate", "improper_": "hate",
}  # fmt: skip
_BORDERLINE = ("insult_", "ask_swear")


def persona_ethics(rows: Iterable[Row]) -> list[tuple[str, str]]:
    """What people ask her is normal, but for the intents she refuses; rude ones that are no case stay out."""
    labelled = []
    for row in rows:
        refused = next((category for intent, category in _REFUSED.items() if row.group.startswith(intent)), None)
        if refused or not row.group.startswith(_BORDERLINE):
            labelled.append((unmask(row.prompt), refused or "normal"))
    return labelled


def public_ethics(corpus: Corpus, rng: random.Random) -> list[tuple[str, str]]:
    """Everyday public text as `normal`, and comments labelled political or hateful. Every second chatbot question stays
    out, so that the rate of false sanctions can be read on text the encoder never saw."""
    everyday = [q for index, (q, _, label) in enumerate(corpus.chatbot()) if label != 2 and index % 2 == 0]
    everyday = rng.sample(everyday, 1800)
    everyday += rng.sample([text for text in corpus.utterances() if 4 <= len(text) <= 50], 1200)
    rows = [(text, "normal") for text in everyday]
    for comment, labels in corpus.comments():
        if len(comment) <= 60 and not labels & {8}:
            if labels == {2}:
                rows += [(comment, "politics")] * 2
            elif 2 not in labels:
                rows.append((comment, "hate"))
    return [(unmask(text), category) for text, category in rows if text]


def tune_ethics(
    model: SentenceTransformer,
    rows: list[tuple[str, str]],
    extra: list[tuple[str, str]],
    work: Path,
    *,
    epochs: int,
    seed: int,
) -> None:
    """Pairs (prompt, category name), target 1 for the right one and 0 for the others; cosine-similarity loss.

    Each pass sees every row of ours in another shape, so that no single word decides.
    """
    rng = random.Random(seed)
    texts = [(reshaped(text, rng), category) for _ in range(epochs) for text, category in rows] + extra
    columns: dict[str, list[Any]] = {"sentence1": [], "sentence2": [], "score": []}
    for text, category in texts:
        wrong = [other for other in CATEGORIES if other not in (category, "normal")]
        shown = {category, "normal", *rng.sample(wrong, 2)}
        for name in sorted(shown):
            columns["sentence1"].append(text)
            columns["sentence2"].append(CATEGORIES[name])
            columns["score"].append(1.0 if name == category else 0.0)
    SentenceTransformerTrainer(
        model=model,
        args=_arguments(work, 1, 64, 3e-4, seed),
        train_dataset=Dataset.from_dict(columns),
        loss=CosineSimilarityLoss(model),
    ).train()


def reshaped(text: str, rng: random.Random) -> str:
    """As it is, a word short, with or without her name, or with what a disguise leaves behind."""
    words = text.split()
    chance = rng.random()
    if chance < 0.35 and len(words) > 2:
        words.pop(rng.randrange(len(words)))
    elif chance < 0.5:
        words = words[1:] if words[0] == "로라야" and len(words) > 1 else ["로라야", *words]
    elif chance < 0.7:
        return unmask(disguised(text, rng))
    return " ".join(words)
