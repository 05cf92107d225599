"""Lets transformers read configurations such as kanana's.

Its heads together (24 of 128) are wider than the hidden state (1792), as the model allows: LlamaConfig has a head_dim.
But transformers 5 checks that the number of heads divides the hidden state whatever head_dim says, and refuses.
"""

from typing import Any

from transformers import LlamaConfig


def accept_wide_heads() -> None:
    """Take that check out. Shapes that really do not fit fail when the weights load."""
    config: Any = LlamaConfig
    config.__class_validators__ = [
        check for check in config.__class_validators__ if check.__name__ != "validate_architecture"
    ]
