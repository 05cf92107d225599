"""The ports of core over the engine: the only way from a turn to weights."""

import base64
from collections.abc import Mapping, Sequence

import numpy as np
from tokenizers import Tokenizer

from core.ports import Completion, Prompt, Vectors
from models.engine import Engine


class EngineLanguageModel:
    """core.ports.LanguageModel: each task is a lane of the engine, with the tokenizer of its base."""

    def __init__(self, engine: Engine, tokenizers: Mapping[str, Tokenizer]) -> None:
        self._engine = engine
        self._tokenizers = tokenizers

    async def complete(self, prompt: Prompt) -> Completion:
        """One completion; batched with whatever waits in the same lane."""
        request = {
            "task": prompt.task,
            "prompt": prompt.text,
            "stop": prompt.stop,
            "max_new_tokens": prompt.max_new_tokens,
            "temperature": prompt.temperature,
            "likely": prompt.likely,
        }
        result = await self._engine.submit(prompt.task, request, prompt.person, prompt.within_s)
        return Completion(result["text"], result["ended"], result["tokens"])

    def count_tokens(self, task: str, text: str) -> int:
        """Tokens of `text` for the base model of `task`."""
        return len(self._tokenizers[task].encode(text, add_special_tokens=False).ids)


class EngineEncoder:
    """core.ports.Encoder: each encoder is a lane of the engine."""

    def __init__(self, engine: Engine, lane: str) -> None:
        self._engine = engine
        self._lane = lane

    async def encode(self, texts: Sequence[str]) -> Vectors:
        """(len(texts), width) unit vectors."""
        result = await self._engine.submit(self._lane, {"texts": list(texts)})
        flat = np.frombuffer(base64.b64decode(result["vectors"]), dtype="<f4")
        return flat.reshape(len(texts), -1)
