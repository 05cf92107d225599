"""Linear layers with LoRA adapters beside them, of which each row of a batch uses its own.

PEFT loads and checks adapters; its own layers, made for training, then take two fifths of a step of a small model.
These compute the same: x·W + (x·A)·B, with the scale inside B.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import torch
from peft.tuners.lora import Linear
from torch import Tensor, nn


class AdaptedLinear(nn.Module):
    """In place of one of PEFT's layers; takes its tensors over."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        base = layer.get_base_layer()
        # by columns, which a product with few rows reads a third faster on a processor
        self._weight: Tensor = base.weight.data.t().contiguous()
        self._bias: Tensor | None = None if base.bias is None else base.bias.data
        self._pairs: dict[str, tuple[Tensor, Tensor]] = {
            task: (
                layer.lora_A[task].weight.data.t().contiguous(),
                (layer.lora_B[task].weight.data * layer.scaling[task]).t().contiguous(),
            )
            for task in layer.lora_A
        }
        self._parts: list[tuple[int, int, tuple[Tensor, Tensor]]] = []
        self._rows = 1

    def use(self, parts: Sequence[tuple[str, int]]) -> None:
        """(task, rows that follow each other) of the batches to come; an adapter may leave this layer alone."""
        self._parts, self._rows = [], 0
        for task, rows in parts:
            if task in self._pairs:
                self._parts.append((self._rows, self._rows + rows, self._pairs[task]))
            self._rows += rows

    def forward(self, x: Tensor) -> Tensor:
        """x: (rows, …, in) → (rows, …, out)."""
        flat = x.reshape(-1, x.shape[-1])
        out = flat @ self._weight if self._bias is None else torch.addmm(self._bias, flat, self._weight)
        places = len(flat) // self._rows
        for start, end, (down, up) in self._parts:
            part = slice(start * places, end * places)
            out[part].addmm_(flat[part] @ down, up)
        return out.view(*x.shape[:-1], -1)


class Adapters:
    """The adapters of a model, each for the rows of its task. Layers that PEFT adapts in other ways stay its own."""

    def __init__(self, peft: Any) -> None:
        self._peft = peft
        self._own: list[AdaptedLinear] = []
        # whether rows of several tasks may be in one batch
        self.mixes = True
        self._used: list[tuple[str, int]] = []
        for name, layer in list(peft.named_modules()):
            if _plain(layer):
                self._own.append(AdaptedLinear(layer))
                parent, _, child = name.rpartition(".")
                setattr(peft.get_submodule(parent), child, self._own[-1])
            elif hasattr(layer, "lora_A"):
                self.mixes = False

    def use(self, tasks: Sequence[str]) -> None:
        """The task of each row of the batches to come; rows of one task follow each other."""
        parts = [(task, len(list(rows))) for task, rows in groupby(tasks)]
        if parts == self._used:
            return
        if not self.mixes:
            self._peft.set_adapter(parts[0][0])
        for layer in self._own:
            layer.use(parts)
        self._used = parts


def _plain(layer: Any) -> bool:
    return (
        isinstance(layer, Linear)
        and type(layer.get_base_layer()) is nn.Linear
        and not layer.lora_variant
        and not layer.fan_in_fan_out
        and not any(layer.lora_bias.values())
    )
