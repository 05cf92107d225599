"""Drawing tokens: guesses that the model judges change nothing about what it may say."""

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from models.decoding import Decoder, Row
from models.drafts import Draft

# token → what may follow, and how likely; the model below knows no more than the newest token
NEXT = torch.tensor([[0.5, 0.3, 0.15, 0.05], [0.1, 0.2, 0.6, 0.1], [0.25, 0.25, 0.25, 0.25], [0.05, 0.9, 0.03, 0.02]])
PROMPT = [0, 1, 2, 3, 0, 1]  # 2, 3, 0 followed before
ROWS = 3000


class Chain:
    """A model that looks at one token."""

    config = SimpleNamespace(num_hidden_layers=0)

    def __init__(self) -> None:
        self.places = 0

    def __call__(self, input_ids: torch.Tensor, logits_to_keep: int, **_: Any) -> SimpleNamespace:
        self.places = max(self.places, logits_to_keep)
        return SimpleNamespace(logits=NEXT.log()[input_ids[:, -logits_to_keep:]])


def written(drafts: bool, monkeypatch: pytest.MonkeyPatch) -> tuple[Counter[tuple[int, ...]], int]:
    monkeypatch.setattr("models.decoding._STEP_TOKENS", 4 * ROWS)
    monkeypatch.setattr("models.decoding.DynamicCache", lambda config: SimpleNamespace(
        crop=lambda _: None, batch_select_indices=lambda _: None
    ))  # fmt: skip
    model, tokenizer = Chain(), Tokenizer(WordLevel({str(token): token for token in range(4)}, "0"))
    rows = [Row("none", 3, 1.0, Draft(PROMPT if drafts else ())) for _ in range(ROWS)]
    prompts = torch.tensor([PROMPT] * ROWS)
    torch.manual_seed(3)
    Decoder(model, tokenizer, None).write(rows, prompts, torch.ones_like(prompts), lambda: (), lambda _: None)
    return Counter(tuple(row.tokens) for row in rows), model.places


def test_with_guesses_every_text_is_as_likely_as_without(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, one = written(False, monkeypatch)
    guessed, several = written(True, monkeypatch)
    assert one == 1 < several
    for counts in (plain, guessed):
        for (first, second, third), count in counts.items():
            chance = float(NEXT[1, first] * NEXT[first, second] * NEXT[second, third])
            deviation = (ROWS * chance * (1 - chance)) ** 0.5
            assert abs(count - ROWS * chance) < 5 * deviation + 1, (first, second, third)
