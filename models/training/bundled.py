"""`make bundled CORPUS=…`: everything under models/bundled, rebuilt from seeds, our own rows and the public corpus.

Each stage leaves its result in `work`; a stage whose result is there is not done again, and a stage that was
interrupted goes on from its last checkpoint.
"""

import json
import random
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from peft import PeftModel
from rich.console import Console
from safetensors.numpy import save_file
from sentence_transformers import SentenceTransformer
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerBase

from core.recall import NO_CONTEXT, TIME, PersonaRow
from core.tasks import MEMORY, OUTPUT_MESSAGE, TASKS
from models.registry import packed
from models.training import cards, encoders, thresholds
from models.training.corpus import Corpus
from models.training.evaluate import evaluate_profile
from models.training.pretrain import pretrain
from models.training.rows import Example, ExampleMaker, Row, expand_templates, load_rows
from models.training.tokenizer import train_tokenizer
from models.training.tune import train_adapter, tune_base

SEED = 11
RANK = 16
PRETRAIN_EPOCHS = 3
# how often every row is drawn anew, with another context and another recall: (for answers, for the other tasks)
BASE_DRAWS = (4, 2)
ADAPTER_DRAWS = (1, 1)
# the base goes over freshly drawn examples this often, each time from a lower learning rate
BASE_RATES = (8e-4, 5e-4)
# the memory encoder is the mean of two runs, one better at memories, one at persona rows: (weight of the
# cosine-similarity loss, paraphrases of each persona row)
MEMORY_RUNS = ((20.0, 2), (8.0, 3))
# fillings of each template; what to remember is copied, and copying is learned from many values
TEMPLATE_ROWS, TEMPLATE_ROWS_MEMORY = 6, 60


@dataclass(frozen=True)
class Build:
    """Where the corpus is read, where stages leave their results, and where the finished models go."""

    corpus: Corpus
    work: Path
    target: Path

    def run(self) -> None:
        """All stages, in order."""
        stages: list[tuple[str, Callable[[Path], None]]] = [
            ("tokenizer", lambda out: _discard(train_tokenizer(self.corpus.documents(), out))),
            ("pretrained", self._pretrain),
            ("untuned_encoder", self._untuned_encoder),
            ("memory_encoder", self._memory_encoder),
            ("ethics_encoder", self._ethics_encoder),
            ("base", self._base),
            *((f"adapters/{task.name}", self._adapter) for task in TASKS),
        ]
        for name, stage in stages:
            out = self.work / name
            if not out.exists():
                Console().rule(name)
                partial = out.with_name(out.name + ".partial")
                shutil.rmtree(partial, ignore_errors=True)
                stage(partial)
                partial.rename(out)
        self._export()

    def _tokenizer(self) -> PreTrainedTokenizerBase:
        return AutoTokenizer.from_pretrained(self.work / "tokenizer")

    def _language_model(self, stage: str) -> Any:
        return AutoModelForCausalLM.from_pretrained(self.work / stage, dtype=torch.float32)

    def _pretrain(self, out: Path) -> None:
        model = pretrain(self.corpus, self._tokenizer(), self.work / "runs/pretrain", epochs=PRETRAIN_EPOCHS, seed=SEED)
        model.save_pretrained(out)

    def _untuned_encoder(self, out: Path) -> None:
        rng = random.Random(SEED)
        model = encoders.encoder_from(self._language_model("pretrained"), self._tokenizer(), self.work / "runs/trunk")
        pairs = encoders.public_pairs(self.corpus, rng) + encoders.persona_pairs(training_rows(), 3, rng)
        encoders.contrast(model, pairs, self.work / "runs/untuned_encoder", epochs=2, seed=SEED)
        model.save(str(out))

    def _memory_encoder(self, out: Path) -> None:
        """It recalls persona rows and finds the tutor's texts, too: the package has no room for a third encoder."""
        own = encoders.memory_combinations("train") + encoders.persona_memories(load_rows("train"))
        models = []
        for number, (weight, paraphrases) in enumerate(MEMORY_RUNS):
            rng = random.Random(SEED + 1)
            model = SentenceTransformer(str(self.work / "untuned_encoder"), device="cpu")
            persona = encoders.persona_pairs(training_rows(), paraphrases, rng)
            found = {"persona": persona, "tutor": encoders.tutor_pairs(rng)}
            work = self.work / f"runs/memory_encoder-{number}"
            encoders.tune_memory(model, own, found, work, weight=weight, epochs=2, seed=SEED)
            models.append(model)
        encoders.averaged(models).save(str(out))

    def _ethics_encoder(self, out: Path) -> None:
        model = SentenceTransformer(str(self.work / "untuned_encoder"), device="cpu")
        public = encoders.public_ethics(self.corpus)
        public += encoders.persona_ethics(load_rows("train"))
        everyday = encoders.everyday_text(self.corpus)
        own = encoders.ethics_rows("train")
        encoders.tune_ethics(model, own, public, everyday, self.work / "runs/ethics_encoder", seed=SEED)
        model.save(str(out))

    def _base(self, out: Path) -> None:
        model, tokenizer = self._language_model("pretrained"), self._tokenizer()
        for number, rate in enumerate(BASE_RATES):
            examples = _draw(BASE_DRAWS, SEED + number)
            tune_base(model, tokenizer, examples, self.work / f"runs/base-{number}", rate=rate, seed=SEED + number)
        model.save_pretrained(out)

    def _adapter(self, out: Path) -> None:
        task = out.name.removesuffix(".partial")
        templates = TEMPLATE_ROWS_MEMORY if task == MEMORY.name else TEMPLATE_ROWS
        examples = _draw(ADAPTER_DRAWS, SEED + len(BASE_RATES), templates)
        peft = train_adapter(
            self._language_model("base"), self._tokenizer(), examples, task,
            self.work / f"runs/{task}", rank=RANK, seed=SEED,
        )  # fmt: skip
        peft.save_pretrained(str(out))

    def _export(self) -> None:
        """Half precision, the index of persona rows, thresholds, cards."""
        self.target.mkdir(parents=True, exist_ok=True)
        base = self._language_model("base").half()
        base.save_pretrained(self.target / "base")
        self._tokenizer().save_pretrained(self.target / "base")
        for task in TASKS:
            adapter = PeftModel.from_pretrained(self._language_model("base"), self.work / "adapters" / task.name)
            adapter.half().save_pretrained(str(self.target / "adapters" / task.name))
            _set_base(self.target / "adapters" / task.name)
        for name in ("memory_encoder", "ethics_encoder"):
            model = SentenceTransformer(str(self.work / name), device="cpu")
            model.half().save(str(self.target / name), create_model_card=False)
        self._export_recall()
        self._export_memory_targets()
        chosen = thresholds.choose(self.target, self.corpus)
        chosen["version"] = _version(self.target)
        (self.target / "thresholds.json").write_text(json.dumps(chosen, indent=2) + "\n", encoding="utf-8")
        cards.write(self.target, evaluate_profile(self.target, self.corpus.root))

    def _export_recall(self) -> None:
        rows = recall_rows()
        model = SentenceTransformer(str(self.work / "memory_encoder"), device="cpu")
        prompts = model.encode([row.prompt for row in rows], show_progress_bar=False)
        contexts = model.encode([row.context for row in rows if row.context], show_progress_bar=False)
        vectors = {"prompts": packed(prompts), "contexts": packed(contexts)}
        save_file(vectors, self.target / "recall.safetensors")
        lines = [
            json.dumps(asdict(PersonaRow(row.question, row.answer, row.kind, row.group)), ensure_ascii=False)
            for row in rows
        ]
        (self.target / "recall.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _export_memory_targets(self) -> None:
        """The held-out targets come from the untuned encoder, which is not shipped."""
        untuned = SentenceTransformer(str(self.work / "untuned_encoder"), device="cpu")
        valid = encoders.key_similarities(untuned, encoders.memory_combinations("valid"))
        save_file({"valid": valid.astype(np.float16)}, self.target / "memory_targets.safetensors")


def training_rows(templates: int = TEMPLATE_ROWS) -> list[Row]:
    """Persona rows for training, and templates filled in."""
    return load_rows("train") + expand_templates(templates, SEED)


def _draw(draws: tuple[int, int], seed: int, templates: int = TEMPLATE_ROWS) -> list[Example]:
    maker = ExampleMaker(training_rows(templates), seed)
    answers, others = draws
    return [
        example
        for draw in range(answers)
        for example in maker.examples()
        if draw < others or example.task == OUTPUT_MESSAGE.name
    ]


def recall_rows() -> list[Row]:
    """What recall chooses from: the training rows, and two fillings of every template."""
    rows = load_rows("train") + expand_templates(2, SEED + 1)
    return [row for row in rows if row.context or row.kind in (NO_CONTEXT, TIME)]


def _discard(_: object) -> None:
    """A stage's result is on disk."""


def _set_base(adapter: Path) -> None:
    """An adapter's configuration names no path of the machine that trained it."""
    path = adapter / "adapter_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["base_model_name_or_path"] = "base"
    config["target_modules"].sort()  # PEFT keeps a set
    path.write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _version(target: Path) -> str:
    digest = sha256()
    for path in sorted(target.rglob("*.safetensors")):
        digest.update(path.read_bytes())
    return f"bundled-{digest.hexdigest()[:12]}"
