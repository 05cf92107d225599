"""Batches by adapter, one after the other, against one batch that mixes them (PEFT's `adapter_names`).

    .venv/bin/python benchmarks/adapters.py          # the bundled model; a folder as argument: another profile

Each task has the same number of requests, and all write the same number of tokens, which favours mixing: in service the
short completions of a mixed batch would wait for its longest.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # `python benchmarks/adapters.py` works as well as `-m`

import torch
from rich.console import Console
from rich.table import Table

from core.tasks import TASKS
from models.causal_lm import CausalLM, Sampling, load
from models.registry import BUNDLED, Profile

PAIRS = 5
TOKENS = 24
PROMPT = "오늘 친구랑 카페에 가기로 했는데 뭐 마실까 고민이야 (답변 시작)"
NEVER = "이 글은 나오지 않는다"
NAMES = [task.name for task in TASKS]


def main() -> None:
    """Prints tokens per second of each way and, on the last line, mixed ÷ by adapter and ours ÷ mixed as JSON."""
    profile = Profile(Path(sys.argv[1]) if len(sys.argv) > 1 else BUNDLED)
    ours = CausalLM(profile.base, profile.adapters)
    peft = load(profile.base, profile.adapters, ours.device)
    table = Table("requests a task", "PEFT, by adapter", "PEFT, mixed", "ours, by adapter", title="tokens/s")
    figures: dict[str, float] = {}
    for rows in (1, 4, 8):
        ways = (
            partial(by_adapter, ours, peft, rows),
            partial(generate, ours, peft, rows * len(NAMES), adapter_names=NAMES * rows),
            partial(by_ours, ours, rows),
        )  # fmt: skip
        rounds = [[timed(way) for way in ways] for _ in range(PAIRS + 1)][1:]
        speeds = [TOKENS * rows * len(NAMES) / median(seconds) for seconds in zip(*rounds, strict=True)]
        table.add_row(str(rows), *(f"{speed:.0f}" for speed in speeds))
        figures[f"mixed_{rows}"] = round(median(apart / mixed for apart, mixed, _ in rounds), 2)
        figures[f"ours_{rows}"] = round(median(mixed / own for _, mixed, own in rounds), 2)
    Console().print(table)
    print(json.dumps({**figures, "cores": len(os.sched_getaffinity(0))}))


def by_adapter(ours: CausalLM, peft: Any, rows: int) -> None:
    """One batch of PEFT's after the other."""
    for name in NAMES:
        peft.set_adapter(name)
        generate(ours, peft, rows)


def by_ours(ours: CausalLM, rows: int) -> None:
    """One batch of the engine's after the other; nothing of what is written can be guessed."""
    for name in NAMES:
        ours.complete(name, [Sampling(PROMPT, NEVER, TOKENS, 1.0)] * rows)


@torch.inference_mode()
def generate(ours: CausalLM, peft: Any, rows: int, **options: Any) -> None:
    """TOKENS new tokens for each row, end marks or not."""
    inputs = ours.tokenizer([PROMPT] * rows, return_tensors="pt", add_special_tokens=False).to(ours.device)
    inputs.pop("token_type_ids", None)
    lengths = {"min_new_tokens": TOKENS, "max_new_tokens": TOKENS}
    peft.generate(**inputs, **lengths, do_sample=True, temperature=1.0, **options)


def timed(work: Callable[[], None]) -> float:
    """Seconds it takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
