"""Writing token by token: rows of one batch, each with its own temperature, end mark and limit.

transformers' `generate` spends as long around a small model as the model computes, and carries rows that have ended to
the end of the longest. Here a row leaves the batch with its last token, and where its next tokens can be guessed
(models.drafts) the model judges them in one step. A guess changes no probability: a token is drawn from the model's own
distribution at every place, and what was computed behind the first that differs from the guess is thrown away.
"""

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import DynamicCache

from models.drafts import Draft

# what `generate` takes where nothing else is said, and the original said nothing else
TOP_K = 50
# more tokens than this in one step cost more than right guesses save
_STEP_TOKENS = 64
_LONGEST_DRAFT = 5


@dataclass(slots=True)
class Row:
    """One completion being written. `temperature` 0 takes the likeliest token each time."""

    stop: str
    limit: int
    temperature: float
    draft: Draft
    tokens: list[int] = field(default_factory=list)

    def take(self, drawn: Sequence[int], guessed: Sequence[int], ends: Callable[["Row"], bool]) -> tuple[int, bool]:
        """Tokens drawn behind each guess → how many of the guesses were right, and whether the row has ended."""
        for right, token in enumerate(drawn):
            self.tokens.append(token)
            self.draft.append(token)
            if ends(self):
                return right, True
            if right == len(guessed) or token != guessed[right]:
                break
        return right, False


class Decoder:
    """Writes with one model. `eos` ends a row wherever it comes."""

    def __init__(self, model: Any, tokenizer: Tokenizer, eos: int | None) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._eos = eos
        self._pieces: dict[int, str] = {}
        # a window counts what the cache holds, thrown away or not
        self._guessing = getattr(model.config, "sliding_window", None) is None

    @torch.inference_mode()
    def write(
        self,
        rows: Sequence[Row],
        prompts: torch.Tensor,
        mask: torch.Tensor,
        between: Callable[[], Container[int]],
        left: Callable[[Sequence[int]], None],
    ) -> None:
        """Append tokens to each row until it ends. prompts, mask: (rows, longest prompt), padded on the left.

        `between` is called between two steps and returns the rows to stop there. `left` is told before the first step,
        and whenever a row has ended, which rows the next steps compute.
        """
        cache = DynamicCache(config=self._model.config)
        writing = list(range(len(rows)))
        left(writing)
        guesses: list[list[int]] = [[] for _ in rows]
        tokens, positions = prompts, (mask.cumsum(1) - 1).clamp(min=0)
        while True:
            length = 1 + max(map(len, guesses))
            logits = self._model(
                input_ids=tokens, attention_mask=mask, position_ids=positions, past_key_values=cache,
                logits_to_keep=length,
            ).logits  # fmt: skip
            drawn = _draw(logits, [rows[row].temperature for row in writing])
            taken = [
                rows[row].take(theirs, guessed, self._ends)
                for row, theirs, guessed in zip(writing, drawn.tolist(), guesses, strict=True)
            ]
            gone = between()
            going = [
                at
                for at, (row, (_, ended)) in enumerate(zip(writing, taken, strict=True))
                if not ended and row not in gone
            ]
            if not going:
                return
            right = torch.tensor([right for right, _ in taken], device=mask.device)
            positions = positions[:, -length].add(right + 1).unsqueeze(1)
            mask = _without_wrong(mask, right, length, cache)
            if len(going) < len(writing):
                writing = [writing[at] for at in going]
                left(writing)
                kept = torch.tensor(going, device=mask.device)
                cache.batch_select_indices(kept)
                mask, positions = mask[kept], positions[kept]
            guesses = self._guesses([rows[row] for row in writing])
            tokens, positions, mask = _next_step([rows[row] for row in writing], guesses, positions, mask)

    def _ends(self, row: Row) -> bool:
        if row.tokens[-1] == self._eos or len(row.tokens) >= row.limit:
            return True
        piece = self._piece(row.tokens[-1])
        if row.stop[-1] not in piece and "\ufffd" not in piece:
            return False
        # where no piece of the mark is a token, each byte of it is one
        tail = row.tokens[-len(row.stop.encode()) - 1 :]
        return row.stop in self._tokenizer.decode(tail, skip_special_tokens=False)

    def _piece(self, token: int) -> str:
        """A token as text; of a part of a character U+FFFD."""
        if token not in self._pieces:
            self._pieces[token] = self._tokenizer.decode([token], skip_special_tokens=False)
        return self._pieces[token]

    def _guesses(self, rows: Sequence[Row]) -> list[list[int]]:
        longest = min(_LONGEST_DRAFT, _STEP_TOKENS // len(rows) - 1) if self._guessing else 0
        guesses = [row.draft.guess(min(longest, row.limit - len(row.tokens) - 1)) for row in rows]
        # every row computes as many places as the longest guess has: not worth it for a few of them
        return guesses if 2 * sum(map(bool, guesses)) >= len(rows) else [[] for _ in rows]


def _draw(logits: torch.Tensor, temperatures: Sequence[float]) -> torch.Tensor:
    """logits: (rows, places, vocabulary) → (rows, places) tokens, each drawn at its row's temperature."""
    if not any(temperatures):
        return logits.argmax(-1)
    heat = torch.tensor(temperatures, device=logits.device).view(-1, 1, 1)
    best, tokens = logits.float().topk(min(TOP_K, logits.shape[-1]))
    chances = torch.softmax(best / heat.clamp(min=1e-6), dim=-1)
    drawn = torch.multinomial(chances.flatten(0, 1), 1).view(*chances.shape[:2], 1)
    return tokens.gather(-1, torch.where(heat == 0, 0, drawn)).squeeze(-1)


def _without_wrong(mask: torch.Tensor, right: torch.Tensor, length: int, cache: DynamicCache) -> torch.Tensor:
    """The mask with holes where guesses were wrong; what is wrong in every row leaves the cache as well."""
    if length == 1:
        return mask
    most = int(right.max())
    places = mask.shape[1] - length + 1 + torch.arange(length - 1, device=mask.device)
    mask[:, places] = (torch.arange(length - 1, device=mask.device) < right.unsqueeze(1)).to(mask.dtype)
    if wrong := length - 1 - most:
        cache.crop(-wrong)
        mask = mask[:, :-wrong]
    return mask


def _next_step(
    rows: Sequence[Row], guesses: Sequence[Sequence[int]], positions: torch.Tensor, mask: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(tokens, positions, mask) of the next step: each row's newest token and its guesses, padded behind."""
    length = 1 + max(map(len, guesses))
    padded = [
        [row.tokens[-1], *guessed, *[0] * (length - 1 - len(guessed))]
        for row, guessed in zip(rows, guesses, strict=True)
    ]
    return (
        torch.tensor(padded, device=mask.device),
        positions + torch.arange(length, device=mask.device),
        torch.cat([mask, mask.new_ones(len(rows), length)], dim=1),
    )
