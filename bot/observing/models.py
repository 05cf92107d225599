"""Models that are watched, wherever they compute: models.metrics knows those of an engine of ours only."""

from collections.abc import Sequence
from dataclasses import replace

from bot.observing.calls import Calls
from bot.observing.metrics import Metrics
from core import Models
from core.ports import Completion, Encoder, LanguageModel, Prompt, Vectors


class WatchedLanguageModel:
    """core.ports.LanguageModel: another one, watched."""

    def __init__(self, language: LanguageModel, calls: Calls) -> None:
        self._language = language
        self._calls = calls

    async def complete(self, prompt: Prompt) -> Completion:
        """Its completion."""
        with self._calls.call(prompt.task):
            completion = await self._language.complete(prompt)
        self._calls.wrote(prompt.task, completion.tokens)
        return completion

    def count_tokens(self, task: str, text: str) -> int:
        """Its count."""
        return self._language.count_tokens(task, text)


class WatchedEncoder:
    """core.ports.Encoder: another one, watched under the name of its lane."""

    def __init__(self, name: str, encoder: Encoder, calls: Calls) -> None:
        self._name = name
        self._encoder = encoder
        self._calls = calls

    async def encode(self, texts: Sequence[str]) -> Vectors:
        """Its vectors."""
        with self._calls.call(self._name):
            return await self._encoder.encode(texts)


def watched(models: Models, metrics: Metrics) -> Models:
    """The same models; whoever asks them is noted in `metrics`."""
    calls = metrics.calls
    return replace(
        models,
        language=WatchedLanguageModel(models.language, calls),
        memory_encoder=WatchedEncoder("memory_encoder", models.memory_encoder, calls),
        ethics_encoder=WatchedEncoder("ethics_encoder", models.ethics_encoder, calls),
    )
