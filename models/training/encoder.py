"""`ohlora train encoder`: a sentence encoder for memory, ethics or the tutor, and the thresholds that belong to it."""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from safetensors.numpy import save_file
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.sentence_transformer.evaluation import EmbeddingSimilarityEvaluator
from sentence_transformers.sentence_transformer.losses import CosineSimilarityLoss, MultipleNegativesRankingLoss
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from sentence_transformers.sentence_transformer.training_args import BatchSamplers
from transformers import AutoModelForCausalLM, set_seed

from models import catalogue
from models.encoder import SentenceEncoder
from models.registry import BUNDLED
from models.training import encoder_rows, encoders, families, run, thresholds, tutor_search
from models.training.corpus import Corpus
from models.training.encoder_rows import Material
from models.training.rows import expand_templates, load_rows
from models.training.run_config import EncoderRun

MODULES = "modules.json"  # what shows that a folder holds an encoder
_MAX_LENGTH = 128


def train(config: EncoderRun, output: Path, *, resume: bool = False, force: bool = False) -> dict[str, Any]:
    """Train into `output`, choose thresholds, return the report. Raises run.Stopped after Ctrl-C."""
    checkpoint = run.begin(config, output, resume=resume, force=force)
    work = output / run.CHECKPOINTS
    sitting = run.Sitting(checkpoint)
    set_seed(config.seed)
    model = _untuned(config, work)
    material = encoder_rows.material(config, model)
    trainer = _trainer(config, model, material, work)
    trainer.add_callback(sitting)
    with sitting.interruptible():
        trainer.train(resume_from_checkpoint=checkpoint)
    model.save(str(output), create_model_card=False)
    if material.targets is not None:
        save_file({"valid": material.targets.astype(np.float16)}, output / "memory_targets.safetensors")
    chosen = choose_thresholds(config, output)
    (output / "thresholds.json").write_text(json.dumps(chosen, indent=2) + "\n", encoding="utf-8")
    log = trainer.state.log_history
    written = run.report(config, log, sitting, len(material.train.score), thresholds=chosen)
    run.write_report(output, written)
    return written


def test(config: EncoderRun, output: Path) -> dict[str, float]:
    """How well the encoder in `output` predicts the target similarities of the validation rows."""
    material = encoder_rows.material(config, SentenceTransformer(str(output), local_files_only=True))
    model = SentenceTransformer(str(output), local_files_only=True)
    figures = {name: round(float(value), 4) for name, value in _evaluator(material)(model).items()}
    Console().print(f"{config.purpose} · {output}: the encoder is there; on its validation rows")
    print(json.dumps(figures))
    return figures


def _trainer(
    config: EncoderRun, model: SentenceTransformer, material: Material, work: Path
) -> SentenceTransformerTrainer:
    """Cosine-similarity loss; where texts are searched, questions also learn to find their own among a batch's."""
    datasets: Any = {"pairs": material.train.dataset}
    losses: Any = {"pairs": CosineSimilarityLoss(model)}
    if material.retrieval:
        datasets["retrieval"] = encoders.pair_dataset(material.retrieval)
        losses["retrieval"] = MultipleNegativesRankingLoss(model, scale=20.0)
    trainer = SentenceTransformerTrainer(
        model=model,
        args=SentenceTransformerTrainingArguments(
            **run.trainer_arguments(config, work),
            warmup_steps=0.1,
            eval_strategy="epoch" if material.valid.score else "no",
            batch_sampler=BatchSamplers.NO_DUPLICATES if material.retrieval else BatchSamplers.BATCH_SAMPLER,
        ),
        train_dataset=datasets if material.retrieval else datasets["pairs"],
        loss=losses if material.retrieval else losses["pairs"],
        evaluator=_evaluator(material) if material.valid.score else None,
    )
    return run.quiet(trainer)


def _evaluator(material: Material) -> EmbeddingSimilarityEvaluator:
    valid = material.valid
    return EmbeddingSimilarityEvaluator(
        valid.sentence1, valid.sentence2, valid.score, main_similarity="cosine", name="valid", write_csv=False
    )


def _untuned(config: EncoderRun, work: Path) -> SentenceTransformer:
    """The base as an encoder: mean pooling where it brings no pooling of its own, vectors of length 1."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if config.base == catalogue.BUNDLED:
        return _bundled_trunk(config, work)
    folder = families.locate(config.base, work)
    weights = {"use_safetensors": True, "dtype": torch.float32}
    if (folder / MODULES).is_file():
        model = SentenceTransformer(str(folder), device=device, local_files_only=True, model_kwargs=weights)
    else:
        transformer = Transformer(str(folder), max_seq_length=_MAX_LENGTH, model_kwargs=weights)
        pooling = Pooling(transformer.get_embedding_dimension(), "mean")
        model = SentenceTransformer(modules=[transformer, pooling], device=device)
    if not isinstance(model[-1], Normalize):
        model.append(Normalize())
    return model


def _bundled_trunk(config: EncoderRun, work: Path) -> SentenceTransformer:
    """The bundled base's first layers, taught by contrast which of our prompts mean the same; kept for --resume."""
    done = work / "untuned"
    if not done.is_dir():
        base: Any = AutoModelForCausalLM.from_pretrained(BUNDLED / "base", dtype=torch.float32)
        model = encoders.encoder_from(base, families.tokenizer_of(BUNDLED / "base"), work / "trunk")
        rng = random.Random(config.seed)
        pairs = encoders.persona_pairs(load_rows("train") + expand_templates(2, config.seed), 2, rng)
        if config.corpus is not None:
            pairs += encoders.public_pairs(Corpus(config.corpus), rng)
        Console(stderr=True).print("first the bundled trunk learns which prompts mean the same")
        bf16 = run.precision() == "bf16"
        encoders.contrast(model, pairs, work / "contrast", epochs=2, seed=config.seed, bf16=bf16)
        model.save(str(work / "untuned.partial"), create_model_card=False)
        (work / "untuned.partial").rename(done)
    return SentenceTransformer(str(done), local_files_only=True)


def choose_thresholds(config: EncoderRun, folder: Path) -> dict[str, Any]:
    """As a profile's thresholds.json holds them, for the one purpose; on validation rows only."""
    encoder = SentenceEncoder(folder)
    if config.purpose == "memory":
        return {"memory": thresholds.memory_threshold(encoder, encoder_rows.memory_rows(config)[1])}
    if config.purpose == "ethics":
        harmless = encoder_rows.everyday(config, encoder_rows.ethics_rows(config)[1])
        bound = config.false_sanctions
        bounds = thresholds.FALSE_ACTS if bound is None else dict.fromkeys(thresholds.FALSE_ACTS, bound)
        return {"ethics": thresholds.ethics_thresholds(thresholds.ethics_scores(encoder, harmless), bounds)}
    questions, texts = encoder_rows.tutor_questions(config, "valid"), encoder_rows.all_texts(config)
    asked = [question.question for question in questions]
    best = tutor_search.cosines(encoder, asked, texts, encoder_rows.tutor_questions(config, "train")).max(axis=1)
    return {"tutor": thresholds.tutor_threshold(best, np.array([bool(question.text) for question in questions]))}
