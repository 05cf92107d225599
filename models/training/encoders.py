"""The two sentence encoders: contrastive pre-training on paraphrases, then tuning as behaviour.md §6 and §7 say."""

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from sentence_transformers.sentence_transformer.training_args import BatchSamplers
from transformers import LlamaForCausalLM, PreTrainedTokenizerBase

from core.ethics import CATEGORIES
from core.text import unmask
from models.datasets.schema import ROOT, EthicsRow, MemoryPair, read_rows
from models.training import tutor_rows
from models.training.corpus import Corpus
from models.training.disguise import disguised
from models.training.losses import EveryMessage, EveryName
from models.training.rows import Row

LAYERS = 4
# so often a combination of memory and message is drawn in an epoch, each time among others
COMBINATIONS_DRAWN = 12
# in each half of the training: passes over our own rows, and everyday text beside one of them
ETHICS_PASSES, EVERYDAY_DRAWN = 3, 5000
# of everyday text, what is trained on once more in each category's name
HARDEST = 400
Pairs = list[tuple[str, str]]
Labelled = list[tuple[str, str]]


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


def tutor_pairs(rng: random.Random) -> Pairs:
    """A question with the text that answers it, with that text's name, and with other questions about it."""
    groups: dict[str, list[str]] = defaultdict(list)
    for asked in tutor_rows.questions(None, None, "train"):
        if asked.text:
            groups[asked.text].append(asked.question)
    pairs: Pairs = []
    for text, questions in groups.items():
        name, _, explanation = text.partition(" : ")
        pairs.append((name, explanation))
        for question in questions:
            pairs += [(question, text), (question, name)]
            others = [other for other in questions if other != question]
            pairs += [(question, other) for other in rng.sample(others, min(2, len(others)))]
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


def _key(item: str) -> str:
    key, value = item[1:-1].split(": ", 1)
    key = value if key == "상태" else key
    return "좋아하는 가수" if key == "좋아하는 아이돌" else key


def tune_memory(
    model: SentenceTransformer,
    combinations: Sequence[MemoryPair],
    found: Mapping[str, Pairs],
    work: Path,
    *,
    weight: float,
    epochs: int,
    seed: int,
) -> None:
    """Every memory with every message by cosine-similarity loss (behaviour.md §6); `found` are pairs beside them, of
    which each sentence shall find its own partner: they keep the encoder fit for whatever else is searched with it.
    `weight`: of the first loss, whose gradients are so much smaller than a ranking loss's that it would go unheard.
    """
    places = [place for _ in range(COMBINATIONS_DRAWN) for place in range(len(combinations))]
    memory = Dataset.from_dict(
        {
            "memory": [combinations[place].memory for place in places],
            "message": [combinations[place].message for place in places],
            "label": places,
        }
    )
    losses: dict[str, torch.nn.Module] = dict.fromkeys(found, MultipleNegativesRankingLoss(model, scale=20.0))
    losses["memory"] = EveryMessage(model, key_similarities(model, combinations), weight)
    SentenceTransformerTrainer(
        model=model,
        args=_arguments(work, epochs, 64, 3e-4, seed, batch_sampler=BatchSamplers.NO_DUPLICATES),
        train_dataset={"memory": memory} | {name: pair_dataset(pairs) for name, pairs in found.items()},
        loss=losses,
    ).train()


def averaged(models: Sequence[SentenceTransformer]) -> SentenceTransformer:
    """The first of `models` with the mean of their weights: of runs from one start it is often better than each."""
    states = [model.state_dict() for model in models]
    models[0].load_state_dict({name: sum(state[name] for state in states) / len(states) for name in states[0]})
    return models[0]


def ethics_rows(split: str) -> Labelled:
    """(text as the classifier sees it, category) of our own utterances."""
    rows = read_rows(ROOT / "ethics.jsonl", EthicsRow)
    return [(unmask(row.text), row.category) for row in rows if row.data_type == split]


_REFUSED = {
    "love_": "love", "politics_": "politics", "insult_parents": "insult",
    "hate_group_": "hate", "swear": "hate", "improper_": "hate",
}  # fmt: skip
_BORDERLINE = ("insult_", "ask_swear")


def persona_ethics(rows: Iterable[Row]) -> Labelled:
    """What people ask her is normal, but for the intents she refuses; rude ones that are no case stay out."""
    labelled = []
    for row in rows:
        refused = next((category for intent, category in _REFUSED.items() if row.group.startswith(intent)), None)
        if refused or not row.group.startswith(_BORDERLINE):
            labelled.append((unmask(row.prompt), refused or "normal"))
    return labelled


def everyday_text(corpus: Corpus) -> list[str]:
    """Public everyday text to train on: every second chatbot question about daily life or break-up, every second
    utterance of 3i4k. The others stay out, so that false sanctions can be counted on text the encoder never saw.
    """
    questions = [q for index, (q, _, label) in enumerate(corpus.chatbot()) if label != 2 and index % 2 == 0]
    utterances = [text for text in corpus.utterances()[::2] if len(text) <= 50]
    return [text for text in map(unmask, [*questions, *utterances]) if text]


def public_ethics(corpus: Corpus) -> Labelled:
    """Comments labelled political. Those labelled hateful stay out: most are only rude, and many are scraps."""
    texts = [unmask(comment) for comment, labels in corpus.comments() if labels == {2} and len(comment) <= 60]
    return [(text, "politics") for text in texts if text] * 2


def tune_ethics(
    model: SentenceTransformer, rows: Labelled, public: Labelled, everyday: Sequence[str], work: Path, *, seed: int
) -> None:
    """Every text with every category's name, target 1 for the right one and 0 for the others (behaviour.md §7).

    Each pass sees our own `rows` in another shape, so that no single word decides, and other `everyday` text; in the
    second half that which the first half was most wrong about.
    """
    rng = random.Random(seed)
    for half in range(2):
        hardest = _hardest(model, everyday) if half else []
        drawn = rng.sample(everyday, min(ETHICS_PASSES * EVERYDAY_DRAWN, len(everyday)))
        labelled = [(reshaped(text, rng), category) for _ in range(ETHICS_PASSES) for text, category in rows]
        labelled += [*public, *((text, "normal") for text in [*drawn, *hardest * ETHICS_PASSES])]
        names = list(CATEGORIES)
        SentenceTransformerTrainer(
            model=model,
            args=_arguments(work / str(half), 1, 64, 3e-4, seed + half),
            train_dataset=Dataset.from_dict(
                {"text": [text for text, _ in labelled], "label": [names.index(category) for _, category in labelled]}
            ),
            loss=EveryName(model, list(CATEGORIES.values())),
        ).train()


def _hardest(model: SentenceTransformer, everyday: Sequence[str]) -> list[str]:
    """The everyday text that is nearest to the name of each category it is not in."""
    names = [name for category, name in CATEGORIES.items() if category != "normal"]
    scores = model.encode(list(everyday), show_progress_bar=False) @ model.encode(names, show_progress_bar=False).T
    nearest = np.argsort(-scores, axis=0)[:HARDEST]
    return [everyday[place] for place in sorted(set(nearest.ravel().tolist()))]


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
