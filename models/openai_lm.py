"""The ports of core over OpenAI-compatible model servers: vLLM, llama.cpp and others. Nothing here needs torch."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from core.errors import ConfigurationError, EngineError, EngineOverloaded, GenerationFailed
from core.ports import Completion, Encoder, Prompt, Vectors
from core.recall import NO_CONTEXT, PersonaIndex
from core.tasks import answer_prompt
from models.model_servers import Json, ModelServers, Server

log = logging.getLogger(__name__)

_CHECK = {"prompt": answer_prompt("로라야 안녕"), "max_tokens": 16, "temperature": 0.0}
# the same encoder in another precision stays above it, another encoder far below
_SAME_ENCODER = 0.95


class OpenAILanguageModel:
    """core.ports.LanguageModel: each task is a model name, usually of a LoRA adapter.

    `extra` goes along with every completion, for what a server knows beyond the protocol.
    """

    def __init__(
        self, servers: ModelServers, models: Mapping[str, str], tokenizer: Tokenizer,
        extra: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        self._servers = servers
        self._models = models
        self._tokenizer = tokenizer
        self._extra = dict(extra or {})

    async def complete(self, prompt: Prompt) -> Completion:
        """One completion. The stop string is cut here, too: a server may send it along, or overlook it."""
        model = self._models[prompt.task]
        request = {
            "model": model,
            "prompt": prompt.text,
            "stop": [prompt.stop],
            "max_tokens": prompt.max_new_tokens,
            "temperature": prompt.temperature,
        }
        try:
            async with asyncio.timeout(prompt.within_s):
                answer = await self._servers.post("/completions", {**self._extra, **request})
        except TimeoutError as error:
            raise EngineOverloaded(f"{prompt.task}: not done within {prompt.within_s:g} s") from error
        text, choice = _text(answer, model)
        before, mark, _ = text.partition(prompt.stop)
        ended = bool(mark) or choice.get("finish_reason") == "stop"
        return Completion(before.strip(), ended, self._tokens(answer, text, prompt.task))

    def count_tokens(self, task: str, text: str) -> int:
        """Tokens of `text`, counted here: one tokenizer for every task."""
        del task
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def _tokens(self, answer: Json, text: str, task: str) -> int:
        used = (answer.get("usage") or {}).get("completion_tokens")
        return used if isinstance(used, int) else self.count_tokens(task, text)

    async def verify(self, base: str = "") -> None:
        """Raises ConfigurationError when a model does not answer, or just as its base: its adapter is not loaded then.

        The server says whose base is whose, or `base` does.
        """
        written: dict[tuple[str, str], str] = {}
        for task, model in self._models.items():
            for server in self._servers.serving(model):
                parent = server.models[model] or base
                if parent == model or parent not in server.models:
                    log.info("%s: %s does not serve what %s adapts; it is not compared", task, server.url, model)
                    continue
                for name in (model, parent):
                    if (server.url, name) not in written:
                        written[server.url, name] = await self._greedy(server, name)
                if written[server.url, model] == written[server.url, parent]:
                    raise ConfigurationError(
                        f"{task}: at {server.url} the model {model} answers just as its base {parent}; "
                        "its adapter is not loaded there"
                    )

    async def _greedy(self, server: Server, model: str) -> str:
        try:
            answer = await self._servers.post("/completions", {**self._extra, **_CHECK, "model": model}, only=server)
            return _text(answer, model)[0]
        except EngineError as error:
            raise ConfigurationError(f"{model} at {server.url} does not answer: {error}") from error


class OpenAIEncoder:
    """core.ports.Encoder over `/v1/embeddings`."""

    def __init__(self, servers: ModelServers, model: str) -> None:
        self._servers = servers
        self._model = model

    async def encode(self, texts: Sequence[str]) -> Vectors:
        """(len(texts), width) unit vectors."""
        request = {"model": self._model, "input": list(texts), "encoding_format": "float"}
        answer = await self._servers.post("/embeddings", request)
        try:
            rows = sorted(answer["data"], key=lambda row: int(row["index"]))
            vectors = np.array([row["embedding"] for row in rows], dtype=np.float32)
            lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        except (LookupError, TypeError, ValueError) as error:
            raise GenerationFailed(f"{self._model} answered no vectors: {type(error).__name__}") from error
        if len(vectors) != len(texts) or not (np.isfinite(lengths) & (lengths > 0)).all():
            raise GenerationFailed(
                f"{self._model} answered {len(vectors)} vectors for {len(texts)} texts, or empty ones"
            )
        unit: Vectors = vectors / lengths
        return unit


async def verify_encoder(encoder: Encoder, index: PersonaIndex) -> None:
    """Whether an encoder is the one that embedded the persona rows. Raises ConfigurationError when it is another."""
    row = next((number for number, row in enumerate(index.rows) if row.kind == NO_CONTEXT), None)
    if row is None:
        return
    try:
        vector = (await encoder.encode([index.rows[row].question]))[0]
    except EngineError as error:
        raise ConfigurationError(f"the remote memory encoder does not answer: {error}") from error
    if vector.shape != index.prompts[row].shape or float(vector @ index.prompts[row]) < _SAME_ENCODER:
        raise ConfigurationError(
            "the remote memory encoder is not the one of this profile: serve the profile's own, or set models.recall = "
            "false and thresholds of the other one in the profile's thresholds.json"
        )


def _text(answer: Json, model: str) -> tuple[str, Json]:
    """(text, choice) of the only choice. Raises GenerationFailed when there is none."""
    try:
        choice = answer["choices"][0]
        return str(choice["text"]), choice
    except (LookupError, TypeError) as error:
        raise GenerationFailed(f"{model} answered without a completion") from error
