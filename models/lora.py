"""Linear layers with LoRA adapters beside them, of which one is in use.

PEFT loads and checks adapters; its own layers, made for training, then take two fifths of a step of a small model.
These compute the same: x·W + (x·A)·B, with the scale inside B.
"""

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
        self._pair: tuple[Tensor, Tensor] | None = None

    def switch(self, task: str) -> None:
        """Use the adapter of a task; an adapter that leaves this layer alone is none here."""
        self._pair = self._pairs.get(task)

    def forward(self, x: Tensor) -> Tensor:
        """x: (…, in) → (…, out)."""
        rows = x.reshape(-1, x.shape[-1])
        out = rows @ self._weight if self._bias is None else torch.addmm(self._bias, rows, self._weight)
        if self._pair is not None:
            down, up = self._pair
            out.addmm_(rows @ down, up)
        return out.view(*x.shape[:-1], -1)


class Adapters:
    """Switches a model between its adapters. Layers that PEFT adapts in other ways stay its own."""

    def __init__(self, peft: Any) -> None:
        self._peft = peft
        self._own: list[AdaptedLinear] = []
        self._left = False
        for name, layer in list(peft.named_modules()):
            if _plain(layer):
                self._own.append(AdaptedLinear(layer))
                parent, _, child = name.rpartition(".")
                setattr(peft.get_submodule(parent), child, self._own[-1])
            elif hasattr(layer, "lora_A"):
                self._left = True

    def switch(self, task: str) -> None:
        """From whatever adapter is in use to `task`'s."""
        if self._left:
            self._peft.set_adapter(task)
        for layer in self._own:
            layer.switch(task)


def _plain(layer: Any) -> bool:
    return (
        isinstance(layer, Linear)
        and type(layer.get_base_layer()) is nn.Linear
        and not layer.lora_variant
        and not layer.fan_in_fan_out
        and not any(layer.lora_bias.values())
    )
