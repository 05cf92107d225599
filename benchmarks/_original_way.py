"""The original way, to compare with: a whole model for each task, one `generate` at a time, nothing kept between turns.

The turn itself is core.Conversation, so attempts, limits, sampling, end marks and gates are those of our way. Where the
original leaves a choice it is made in its favour: stored memories are encoded in one call of the library and not one by
one, `generate` keeps its key-value cache, and persona recall (which the original lacks) finds its vectors ready.
"""

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from peft import PeftModel
from sentence_transformers import SentenceTransformer
from transformers import AutoModelForCausalLM, AutoTokenizer, StoppingCriteria, StoppingCriteriaList
from transformers.utils import logging

from benchmarks._inference_load import Counting, Finished, Pairs, People, SystemClock, texts_of
from core import Conversation, Models, Policy
from core.memory import Summary
from core.messages import ChatKey, IncomingMessage, PersonKey
from core.ports import Change, Completion, Fence, Past, Prompt, TurnStore, Vectors
from models.registry import Profile

_GPU = torch.cuda.is_available()
_DEVICE = "cuda" if _GPU else "cpu"


class WholeModel:
    """One task's own copy of the base model with its adapter on it."""

    def __init__(self, base: Path, adapter: Path) -> None:
        dtype = torch.bfloat16 if _GPU else torch.float32
        self._tokenizer = AutoTokenizer.from_pretrained(base, split_special_tokens=True)
        model = AutoModelForCausalLM.from_pretrained(base, dtype=dtype, use_safetensors=True)
        self._model: Any = PeftModel.from_pretrained(model.to(_DEVICE), adapter).eval()  # type: ignore[arg-type]

    @torch.inference_mode()
    def complete(self, prompt: Prompt) -> Completion:
        """One prompt, alone."""
        inputs = self._tokenizer(prompt.text, return_tensors="pt", add_special_tokens=False).to(_DEVICE)
        inputs.pop("token_type_ids", None)
        length = inputs["input_ids"].shape[1]
        output = self._model.generate(
            **inputs,
            max_new_tokens=prompt.max_new_tokens,
            do_sample=True,
            temperature=prompt.temperature,
            top_p=1.0,
            use_cache=True,
            stopping_criteria=StoppingCriteriaList([_EndMark(self._tokenizer, prompt.stop, length)]),
            pad_token_id=self._tokenizer.pad_token_id,
        )
        tokens = [token for token in output[0, length:].tolist() if token != self._tokenizer.eos_token_id]
        before, mark, _ = str(self._tokenizer.decode(tokens)).partition(prompt.stop)
        return Completion(before.strip(), bool(mark), output.shape[1] - length)

    def count_tokens(self, text: str) -> int:
        """Without special tokens."""
        return len(self._tokenizer.encode(text, add_special_tokens=False))


class _EndMark(StoppingCriteria):
    def __init__(self, tokenizer: Any, mark: str, prompt_length: int) -> None:
        self._tokenizer, self._mark, self._prompt_length = tokenizer, mark, prompt_length
        # where no piece of the mark is a token, each byte of it is one
        self._tail = len(mark.encode()) + 1

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor, **kwargs: Any) -> torch.BoolTensor:
        """input_ids: (1, prompt + new tokens) → whether the mark is there."""
        tail = input_ids[0, max(self._prompt_length, input_ids.shape[1] - self._tail) :].tolist()
        ended = self._mark in self._tokenizer.decode(tail)
        return torch.tensor([ended], device=input_ids.device)  # type: ignore[return-value]


@dataclass(frozen=True)
class WholeModels:
    """core.ports.LanguageModel: four whole models in memory; the event loop waits for them."""

    by_task: dict[str, WholeModel]

    async def complete(self, prompt: Prompt) -> Completion:
        """Now, and nothing else meanwhile."""
        return self.by_task[prompt.task].complete(prompt)

    def count_tokens(self, task: str, text: str) -> int:
        """Tokens of `text` for the model of `task`."""
        return self.by_task[task].count_tokens(text)


class SBert:
    """core.ports.Encoder; the event loop waits for it."""

    def __init__(self, path: Path) -> None:
        self._model = SentenceTransformer(
            str(path),
            device=_DEVICE,
            local_files_only=True,
            model_kwargs={"use_safetensors": True, "dtype": torch.float32},
        )

    async def encode(self, texts: Sequence[str]) -> Vectors:
        """(len(texts), width) unit vectors."""
        return np.asarray(
            self._model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False), dtype=np.float32
        )


class _NotEncoded:
    """core.ports.Encoder for what is stored: the original stores the text alone."""

    async def encode(self, texts: Sequence[str]) -> Vectors:
        return np.zeros((len(texts), 1), np.float32)


@dataclass(frozen=True)
class _EncodedAgain:
    """core.ports.TurnStore: every stored text is encoded for every turn."""

    people: People
    encoder: SBert

    async def past(self, person: PersonKey, chat: ChatKey) -> Past:
        past = await self.people.past(person, chat)
        last = [past.summary.text] if past.summary else []
        stored = [*(item.text for item in past.items), *last]
        if not stored:
            return past
        vectors = await self.encoder.encode(stored)
        items = [replace(item, vector=vector) for item, vector in zip(past.items, vectors, strict=False)]
        return replace(past, items=items, summary=Summary(last[0], vectors[-1]) if last else None)

    async def remember(self, turn_id: int, change: Change, summary: Summary | None, fence: Fence | None = None) -> None:
        await self.people.remember(turn_id, change, summary, fence)


class OriginalWay:
    """benchmarks._inference_load.Way. `bare`: without the four tasks."""

    def __init__(self, root: Path, threads: int, seed: int, *, bare: bool = False) -> None:
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        torch.set_num_threads(threads)
        torch.manual_seed(seed)
        profile = Profile(root)
        memory_threshold, ethics_thresholds = profile.thresholds()
        tasks = {} if bare else profile.adapters
        self.language = Counting(WholeModels({task: WholeModel(profile.base, path) for task, path in tasks.items()}))
        self._encoder = SBert(profile.memory_encoder)
        self._models = Models(
            language=self.language,
            memory_encoder=self._encoder,
            memory_threshold=memory_threshold,
            ethics_encoder=SBert(profile.ethics_encoder),
            ethics_thresholds=ethics_thresholds,
            recall=profile.recall(),
            version=profile.version,
        )
        self._people = People()
        self._turns = cast(TurnStore, _EncodedAgain(self._people, self._encoder))
        self._one_at_a_time = asyncio.Lock()

    async def learn(self, memories: Pairs) -> None:
        """Texts are all that is stored; encoded once here so that a side without tasks has worked, too."""
        await self._models.ethics_encoder.encode(["안녕"])
        await self._encoder.encode(texts_of(memories) or ["안녕"])
        self._people.learn(memories, np.zeros((len(memories), 1), np.float32))

    async def turn(self, message: IncomingMessage) -> Finished:
        """Answer, face, verdict, memory and summary in one go; only then the reply is ready."""
        start = time.perf_counter()
        async with self._one_at_a_time:
            # a conversation keeps the vectors of the category names; the original keeps nothing
            turn = await self._conversation(self._models).reply(message)
            written = time.perf_counter()
            if turn.to_remember:
                stored = self._conversation(replace(self._models, memory_encoder=_NotEncoded()))
                await stored.remember(int(message.person.user_id), turn)
        return Finished(turn.reply.text, written - start, time.perf_counter() - start)

    async def close(self) -> None:
        """Ends with its process."""

    def _conversation(self, models: Models) -> Conversation:
        return Conversation(models, self._turns, SystemClock(), Policy())


def open_original(root: Path, threads: int, seed: int, *, bare: bool) -> OriginalWay:
    """Load the models, from this machine only."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    return OriginalWay(root, threads, seed, bare=bare)
