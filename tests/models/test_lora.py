"""Our layers compute what PEFT's compute."""

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import Tensor, nn

from models.lora import AdaptedLinear, Adapters


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(11, 8)
        self.up = nn.Linear(8, 20)
        self.down = nn.Linear(20, 8, bias=False)

    def forward(self, ids: Tensor) -> Tensor:
        return self.down(self.up(self.words(ids)).relu())  # type: ignore[no-any-return]


def tuned(**options: object) -> nn.Module:
    torch.manual_seed(4)
    settings = {"r": 3, "lora_alpha": 5, "init_lora_weights": False, "target_modules": ["up", "down"], **options}
    peft = get_peft_model(Net(), LoraConfig(**settings), adapter_name="first")  # type: ignore[arg-type]
    peft.add_adapter("second", LoraConfig(**{**settings, "r": 2, "target_modules": ["up"]}))  # type: ignore[arg-type]
    return peft.eval()


@pytest.mark.parametrize(
    ("options", "own"),
    [
        ({}, 2),
        ({"use_rslora": True}, 2),
        ({"use_dora": True}, 0),
        ({"lora_bias": True, "target_modules": ["up"]}, 0),
        ({"target_modules": ["up", "down", "words"]}, 2),
    ],
)
def test_each_adapter_gives_what_it_gave(options: dict[str, object], own: int) -> None:
    peft, ids = tuned(**options), torch.arange(10).view(2, 5)
    with torch.inference_mode():
        expected = {}
        for task in ("first", "second"):
            peft.set_adapter(task)
            expected[task] = peft(ids)
        assert not torch.allclose(expected["first"], expected["second"])
        adapters = Adapters(peft)
        assert sum(isinstance(module, AdaptedLinear) for module in peft.modules()) == own
        for task in ("first", "second", "first"):
            adapters.use([task, task])
            torch.testing.assert_close(peft(ids), expected[task], rtol=1e-5, atol=1e-5)
        assert adapters.mixes == (own == sum(hasattr(module, "lora_A") for module in peft.modules()) + own)
        if adapters.mixes:
            adapters.use(["second", "first"])
            mixed = torch.stack([expected["second"][0], expected["first"][1]])
            torch.testing.assert_close(peft(ids), mixed, rtol=1e-5, atol=1e-5)
