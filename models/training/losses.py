"""Cosine-similarity loss over whole tables of pairs, where sentence-transformers' own would encode a sentence for each.

The pairs, their targets and the loss are those of behaviour.md §6 and §7; each sentence of a batch is encoded once.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer
from torch import Tensor
from torch.nn.functional import mse_loss, one_hot

Features = Iterable[dict[str, Tensor]]


class EveryName(torch.nn.Module):
    """Each text with each of `names`: target 1 for the one its label counts to, 0 for the others."""

    def __init__(self, model: SentenceTransformer, names: Sequence[str]) -> None:
        super().__init__()
        self.model = model
        self._names = model.preprocess(list(names))
        self._count = len(names)

    def forward(self, features: Features, labels: Tensor) -> Tensor:
        """`labels`: (texts,), places among the names."""
        (texts,) = (self.model(column)["sentence_embedding"] for column in features)
        names = self.model(dict(self._names))["sentence_embedding"]
        return mse_loss(texts @ names.T, one_hot(labels.long(), self._count).to(texts.dtype))


class EveryMessage(torch.nn.Module):
    """Each memory of a batch with each of its messages; `targets`: (combinations, combinations)."""

    def __init__(self, model: SentenceTransformer, targets: NDArray[Any], weight: float = 1.0) -> None:
        super().__init__()
        self.model = model
        self._targets = torch.from_numpy(targets)
        self._weight = weight

    def forward(self, features: Features, labels: Tensor) -> Tensor:
        """`labels`: (pairs,), each pair's place among the combinations."""
        memories, messages = (self.model(column)["sentence_embedding"] for column in features)
        places = labels.long().cpu()
        wanted = self._targets[places][:, places].to(memories)
        return self._weight * mse_loss(memories @ messages.T, wanted)
