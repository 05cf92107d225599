"""`ohlora evaluate …`: each evaluation prints its figures, writes a report, and says all again in one line of JSON."""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from core import tasks
from core.errors import ConfigurationError
from models.datasets.schema import ROOT, HeldOutQuestion, HeldOutUtterance, read_rows
from models.device import DeviceProcess
from models.encoder import SentenceEncoder
from models.engine import Engine
from models.registry import Profile
from models.serving import LANES, models_on
from models.training.corpus import Corpus
from models.training.evaluation import curves, data, ethics, language, memory, opening, report, turns, tutor
from models.training.evaluation.cases import Recalling, cases_of
from models.training.evaluation.language import Answers
from models.training.evaluation.metrics import Figures
from models.training.evaluation.parts import Part, not_measured
from models.training.evaluation.published import SEED, TARGETS
from models.training.evaluation.writing import write_all
from models.training.llm_rows import SPECS
from models.training.rows import Row
from models.training.thresholds import unseen_everyday
from models.training.tutor_rows import TUTOR


@dataclass(frozen=True)
class Options:
    """What to measure, on what, and where the report goes (without its ending; None: nowhere).

    `rows`: at most that many validation rows a task, a fixed sample of them.
    """

    model: Path
    data: Path | None = None
    against: Path | None = None
    out: Path | None = None
    rows: int | None = None
    seed: int = SEED
    recall: bool | None = None
    corpus: Path | None = None
    untuned: str | None = None
    texts: Path | None = None


def evaluate_profile(root: Path, corpus: Path | None, out: Path | None = None, rows: int | None = None) -> Figures:
    """All that a profile is worth on held-out data: her answers in whole turns, each task, each encoder."""
    options = Options(root, out=out, rows=rows, corpus=corpus)
    profile = Profile(root)
    profile.verify()
    _, thresholds = profile.thresholds()
    public = Corpus(corpus) if corpus else None
    memories, teaching = _memory_part_if_any(options), _tutor_part_if_any(options)
    judge = SentenceEncoder(profile.ethics_encoder)
    everyday = None
    if public is not None:
        texts = [question for question, _, label in public.chatbot() if label != 2]
        everyday = ethics.Everyday.of(judge, thresholds, texts)
    unseen = frozenset(unseen_everyday(public)) if public else frozenset[str]()
    parts = asyncio.run(_talking(profile, options, everyday, unseen))
    parts += [ethics.part_of(judge, thresholds, data.utterances(None), everyday, SEED), memories, teaching]
    about = {"model": profile.version, "cores": os.cpu_count()}
    return _finish("Bundled models on held-out data", about, parts, options)


async def _talking(
    profile: Profile, options: Options, everyday: ethics.Everyday | None, unseen: frozenset[str]
) -> list[Part]:
    """What needs the language model, over one engine."""
    engine = Engine(DeviceProcess(profile.weights, seed=options.seed), LANES, limit=opening.LIMIT)
    models = models_on(engine, profile, recall=True)
    counting = turns.Counting(models.language)
    ask = turns.asking(models, counting)
    recalling = Recalling(models.recall, models.memory_encoder) if models.recall else None
    opened = opening.Opened(profile.version, counting, recalling)
    valid, training = data.language_rows(None)
    try:
        persona, said = await turns.persona(ask, list(read_rows(ROOT / "persona_heldout.jsonl", HeldOutQuestion)))
        written = [await _answers(opened, task.name, valid, training, options) for task in tasks.TASKS]
        form = turns.form(counting.ended, said, written[0])
        utterances = list(read_rows(ROOT / "ethics_heldout.jsonl", HeldOutUtterance))
        sanctioned = await turns.sanctions(ask, utterances, everyday, unseen)
    finally:
        await engine.close()
    return [persona, form, *map(language.part_of, written), sanctioned]


async def _answers(
    opened: opening.Opened, task: str, valid: Sequence[Row], training: Sequence[Row], options: Options
) -> Answers:
    rows = data.sample(valid, options.rows, options.seed)
    cases = await cases_of(task, rows, training, opened.language, opened.recalling)
    prompts = [(case.prompt, case.moment) for case in cases]
    return Answers(opened.name, task, cases, await write_all(opened.language, SPECS[task], prompts))


def evaluate_language(task: str, options: Options) -> Figures:
    """One language task of a profile or of an adapter, beside `options.against` if there is one."""
    if task == TUTOR.name:
        valid, training = data.tutor_language_rows(options.data, options.texts)
    else:
        valid, training = data.language_rows(options.data)

    async def answers_of(model: Path) -> Answers:
        async with opening.language_model(model, task, options.seed, recall=options.recall) as opened:
            return await _answers(opened, task, valid, training, options)

    mine = asyncio.run(answers_of(options.model))
    other = asyncio.run(answers_of(options.against)) if options.against else None
    parts = [language.part_of(mine, other)]
    parts += _training(_adapter(options.model, task), mine.model)
    if options.against and other:
        parts += _training(_adapter(options.against, task), other.model, "against_training")
    return _finish(f"{task} on held-out rows", {"model": mine.model}, parts, options)


def evaluate_ethics(options: Options) -> Figures:
    """The ethics encoder by its scores, and what it makes of everyday text when a corpus is given."""
    encoder, thresholds = opening.encoder(options.model, "ethics_encoder"), opening.ethics_thresholds(options.model)
    everyday = None
    if options.corpus is not None:
        texts = [question for question, _, label in Corpus(options.corpus).chatbot() if label != 2]
        everyday = ethics.Everyday.of(encoder, thresholds, texts)
    parts = [ethics.part_of(encoder, thresholds, data.utterances(options.data), everyday, options.seed)]
    parts += _training(opening.encoder_path(options.model, "ethics_encoder"), "ethics encoder")
    return _finish("Ethics encoder on held-out rows", {"model": options.model}, parts, options)


def evaluate_memory_encoder(options: Options) -> Figures:
    """The memory encoder: similarities against those of the keys."""
    parts = [_memory_part(options)]
    parts += _training(opening.encoder_path(options.model, "memory_encoder"), "memory encoder")
    return _finish("Memory encoder on held-out rows", {"model": options.model}, parts, options)


def _memory_part(options: Options) -> Part:
    pairs, encoder = data.memory_pairs(options.data), opening.encoder(options.model, "memory_encoder")
    if all(pair.score is not None for pair in pairs):
        return memory.scored_part(encoder, pairs)
    if options.untuned:
        from sentence_transformers import SentenceTransformer

        from models.training.encoders import key_similarities

        targets = key_similarities(SentenceTransformer(options.untuned, device="cpu"), pairs)
    else:
        targets = data.memory_targets(options.model, pairs)
    threshold = opening.thresholds_of(options.model).get("memory")
    return memory.part_of(encoder, pairs, targets, threshold)


def evaluate_tutor_encoder(options: Options) -> Figures:
    """The tutor's encoder: the right text first, and questions without one recognised."""
    parts = [_tutor_part(options), *_training(opening.encoder_path(options.model, "tutor_encoder"), "tutor encoder")]
    return _finish("Tutor encoder on held-out questions", {"model": options.model}, parts, options)


def _memory_part_if_any(options: Options) -> Part:
    try:
        return _memory_part(options)
    except ConfigurationError as error:  # the pairs are newer than the models; the rest can be measured all the same
        return not_measured("memory encoder", str(error), "memory_correlation", "memory_mse", "memory_mae")


def _tutor_part_if_any(options: Options) -> Part:
    if "tutor" in opening.thresholds_of(options.model):
        return _tutor_part(options)
    why = "this profile has no tutor encoder"
    return not_measured("tutor encoder", why, "tutor_right_first", "tutor_no_match_recognised")


def _tutor_part(options: Options) -> Part:
    texts, questions, known = data.tutor_questions(options.data, options.texts)
    threshold = float(opening.thresholds_of(options.model).get("tutor", tutor.MATCH))
    return tutor.part_of(opening.encoder(options.model, "tutor_encoder"), texts, questions, known, threshold)


def _adapter(model: Path, task: str) -> Path:
    return model / "adapters" / task if opening.is_profile(model) else model


def _training(folder: Path, title: str, prefix: str = "training") -> list[Part]:
    part = curves.part_of(folder, title, prefix)
    return [part] if part else []


def _finish(title: str, about: Figures, parts: Sequence[Part], options: Options) -> Figures:
    """Print a table, write the report where one is wanted, and print last one line of JSON."""
    figures: Figures = dict(about)
    for part in parts:
        figures |= part.figures
    table = Table("figure", "here", "wanted", title=title)
    for name, value in figures.items():
        table.add_row(name, "–" if value is None else str(value), str(TARGETS.get(name, "")))
    Console().print(table)
    if options.out is not None:
        top = {**about, "measured": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"), "seed": options.seed,
               "data": options.data or "this repository's", "command": f"ohlora {' '.join(sys.argv[1:])}"}  # fmt: skip
        for path in report.write(report.Report(title, top, parts), options.out):
            Console().print(f"written: {path}", highlight=False, soft_wrap=True)
    print(json.dumps(figures, ensure_ascii=False, default=str))
    return figures
