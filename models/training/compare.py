"""`ohlora models compare`: base models measured side by side before one is chosen (behaviour.md §8).

Each is tuned for `output_message` on a few rows at every rank, then asked. What cannot be run here is listed with its
reason, and the others go on.
"""

import gc
import json
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import torch
from rich.console import Console
from rich.progress import track

from core import recall, tasks
from core.errors import ConfigurationError
from models.catalogue import known
from models.training import families, llm, run, unsloth
from models.training.compare_tables import Asking, Compared, Options, Tuning, show
from models.training.evaluation.metrics import repeated
from models.training.llm_rows import examples
from models.training.rows import Row, load_rows
from models.training.run_config import LlmRun

# of the prompts, at most so many with a memory item in front
_WITH_MEMORY = 5
# a larger model takes hours on a processor
_LARGEST_WITHOUT_GPU = 500_000_000
_NEW_TOKENS = 64


def compare(names: Sequence[str], options: Options) -> list[Compared]:
    """Measure, print tables, and last one line of JSON."""
    prompts = _prompts(options)
    results = []
    for number, name in enumerate(names, start=1):
        Console(stderr=True).rule(f"{name} ({number} of {len(names)})")
        results.append(_measured(name, prompts, options))
    lacking = unsloth.missing() if options.unsloth else ""
    if options.unsloth and not lacking:  # after all others: Unsloth changes transformers for good
        unsloth.prepare()
        results = [replace(result, with_unsloth=_with_unsloth(result, options)) for result in results]
    device = run.device_name()
    show(results, options, device, lacking)
    print(json.dumps({"device": device, "unsloth": lacking or options.unsloth, "models": [asdict(r) for r in results]}))
    return results


def _measured(name: str, prompts: Sequence[Row], options: Options) -> Compared:
    base = known(name)
    result = Compared(name, licence=base.licence if base else "", parameters=base.parameters if base else None)
    try:
        with TemporaryDirectory() as scratch:
            folder = families.locate(name, Path(scratch))
            result = replace(
                result,
                family=families.family_of(folder).name,
                licence=families.licence_of(name, folder),
                parameters=families.parameters_of(folder),
            )
            if not torch.cuda.is_available() and (result.parameters or 0) > _LARGEST_WITHOUT_GPU:
                raise ConfigurationError("no GPU here, and on a processor this takes hours")
            for rank in options.ranks:
                try:
                    tuning, trainer = _tuned(name, folder, rank, options, unsloth=False)
                    result.tuned.append(tuning)
                    if rank == options.ranks[-1]:
                        result = replace(result, asked=_asked(trainer, prompts))
                except torch.OutOfMemoryError:
                    return replace(result, missing=f"out of memory at rank {rank}")
    except ConfigurationError as error:
        return replace(result, missing=str(error))
    return result


def _tuned(name: str, folder: Path, rank: int, options: Options, *, unsloth: bool) -> tuple[Tuning, Any]:
    """Time and memory from the loaded model to the tuned one."""
    config = LlmRun.of(
        task=tasks.OUTPUT_MESSAGE.name, base=name, rank=rank, epochs=options.epochs, batch=2, seed=options.seed,
        recall=False, augment=False, unsloth=unsloth, checkpoint_steps=2**31,
    )  # fmt: skip
    rows = random.Random(options.seed).sample(examples(config, "train"), options.rows)
    gc.collect()
    memory = run.PeakMemory()
    with TemporaryDirectory() as work:
        trainer = llm.trainer_for(config, folder, rows, Path(work))
        started = perf_counter()
        trainer.train()
        seconds = perf_counter() - started
    return Tuning(rank, round(seconds, 2), memory.megabytes), trainer


def _with_unsloth(result: Compared, options: Options) -> list[Tuning]:
    measured = []
    with TemporaryDirectory() as scratch, suppress(torch.OutOfMemoryError):
        for tuning in result.tuned:
            folder = families.locate(result.name, Path(scratch))
            measured.append(_tuned(result.name, folder, tuning.rank, options, unsloth=True)[0])
    return measured


def _prompts(options: Options) -> list[Row]:
    """Validation rows, some with a memory item in front; the same ones for every model."""
    rows = load_rows("valid")
    random.Random(options.seed).shuffle(rows)
    given = [row for row in rows if row.kind == recall.MEMORY][: min(_WITH_MEMORY, options.prompts // 2)]
    others = [row for row in rows if row.kind == recall.NO_CONTEXT]
    return given + others[: options.prompts - len(given)]


@torch.inference_mode()
def _asked(trainer: Any, prompts: Sequence[Row]) -> Asking:
    model, tokenizer = trainer.model.eval(), trainer.processing_class
    gc.collect()
    memory, started = run.PeakMemory(), perf_counter()
    answers = []
    for row in track(prompts, "inference", console=Console(stderr=True)):
        inputs = tokenizer(tasks.answer_prompt(row.question), return_tensors="pt").to(model.device)
        inputs.pop("token_type_ids", None)
        output = model.generate(
            **inputs, max_new_tokens=_NEW_TOKENS, do_sample=True, temperature=tasks.OUTPUT_MESSAGE.temperature,
            stop_strings=[tasks.ANSWER_END], tokenizer=tokenizer, pad_token_id=tokenizer.pad_token_id,
        )  # fmt: skip
        text = str(tokenizer.decode(output[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True))
        answers.append(text.partition(tasks.ANSWER_END)[0].strip())
    seconds, peak = (perf_counter() - started) / len(prompts), memory.megabytes
    given = [(row.context, answer) for row, answer in zip(prompts, answers, strict=True) if row.kind == recall.MEMORY]
    read = [any(word in answer for word in _words(item)) for item, answer in given]
    return Asking(
        seconds=round(seconds, 3),
        peak_memory_mb=peak,
        empty=_share(answers, lambda answer: not answer),
        repeated=repeated(answers) or 0.0,
        foreign=_share(answers, foreign),
        memory_read=round(sum(read) / len(read), 4) if read else None,
    )


def foreign(answer: str) -> bool:
    """Whether most of its letters are no Hangul: a sentence in another language, not a foreign word in a Korean one."""
    letters = [char for char in answer if char.isalpha()]
    return sum("가" <= char <= "힣" or "ㄱ" <= char <= "ㅣ" for char in letters) * 2 < len(letters)


def _words(item: str) -> list[str]:
    return [word for word in item.strip("[]").partition(": ")[2].split() if len(word) > 1]


def _share(answers: Sequence[str], of: Callable[[str], bool]) -> float:
    return round(sum(map(of, answers)) / len(answers), 4)
