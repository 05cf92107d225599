"""Batches by adapter, one after the other, against one batch that mixes them (PEFT's `adapter_names`).

    .venv/bin/python benchmarks/adapters.py          # the bundled model; a folder as argument: another profile

Each task has the same number of requests, and all write the same number of tokens, which favours mixing: in service the
short completions of a mixed batch would wait for its longest.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # `python benchmarks/adapters.py` works as well as `-m`

import torch
from rich.console import Console
from rich.table import Table

from core.tasks import TASKS
from models.causal_lm import CausalLM
from models.registry import BUNDLED, Profile

PAIRS = 5
TOKENS = 24
PROMPT = "오늘 친구랑 카페에 가기로 했는데 뭐 마실까 고민이야 (답변 시작)"
NAMES = [task.name for task in TASKS]


def main() -> None:
    """Prints tokens per second of both ways and, on the last line, mixed ÷ grouped as JSON."""
    profile = Profile(Path(sys.argv[1]) if len(sys.argv) > 1 else BUNDLED)
    language = CausalLM(profile.base, profile.adapters)
    table = Table("requests a task", "by adapter, tokens/s", "mixed, tokens/s", "mixed ÷ by adapter")
    ratios = {}
    for rows in (1, 4, 8):
        pairs = [(grouped(language, rows), mixed(language, rows)) for _ in range(PAIRS + 1)][1:]
        tokens = TOKENS * rows * len(NAMES)
        by_adapter, together = (median(seconds) for seconds in zip(*pairs, strict=True))
        ratios[f"mixed_{rows}"] = round(median(one / other for one, other in pairs), 2)
        table.add_row(str(rows), f"{tokens / by_adapter:.0f}", f"{tokens / together:.0f}", str(ratios[f"mixed_{rows}"]))
    Console().print(table)
    print(json.dumps(ratios))


def grouped(language: CausalLM, rows: int) -> float:
    """Seconds for one batch after the other."""

    def write() -> None:
        for name in NAMES:
            language.model.set_adapter(name)
            generate(language, rows)

    return timed(write)


def mixed(language: CausalLM, rows: int) -> float:
    """Seconds for all in one batch."""
    return timed(lambda: generate(language, rows * len(NAMES), adapter_names=NAMES * rows))


@torch.inference_mode()
def generate(language: CausalLM, rows: int, **options: Any) -> None:
    """TOKENS new tokens for each row, end marks or not."""
    inputs = language.tokenizer([PROMPT] * rows, return_tensors="pt", add_special_tokens=False).to(language.device)
    inputs.pop("token_type_ids", None)
    lengths = {"min_new_tokens": TOKENS, "max_new_tokens": TOKENS}
    language.model.generate(**inputs, **lengths, do_sample=False, **options)


def timed(work: Callable[[], None]) -> float:
    """Seconds it takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
