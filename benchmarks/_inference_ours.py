"""Our way: core.Conversation over the engine and its device process, as the service has it, without a record."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from benchmarks._inference_load import Counting, Finished, Pairs, People, SystemClock, person, texts_of
from core import Conversation, Policy, tasks
from core.messages import IncomingMessage
from core.ports import Prompt, TurnStore
from models.device import DeviceProcess
from models.engine import Engine
from models.registry import Profile
from models.serving import lanes_of, models_on

# nobody is refused here, in the flood either: they wait, and that is measured
_LINE = 1024


class OurWay:
    """benchmarks._inference_load.Way. `bare`: without the four tasks."""

    def __init__(self, root: Path, threads: int, seed: int, *, bare: bool = False) -> None:
        profile = Profile(root)
        weights = profile.weights
        self.device = DeviceProcess(weights.without(weights.tasks) if bare else weights, threads, seed)
        self._engine = Engine(self.device, lanes_of(weights), _LINE)
        models = models_on(self._engine, profile, recall=True)
        self.language = Counting(models.language)
        self._models = models
        self._people = People()
        turns = cast(TurnStore, self._people)
        self._talk = Conversation(replace(models, language=self.language), turns, SystemClock(), Policy())

    async def learn(self, memories: Pairs) -> None:
        """Vectors are stored with the items, so nothing of this is part of a turn."""
        await self._models.ethics_encoder.encode(["안녕"])
        vectors = await self._models.memory_encoder.encode(texts_of(memories) or ["안녕"])
        self._people.learn(memories, vectors[: len(memories)])

    async def turn(self, message: IncomingMessage) -> Finished:
        """The reply is ready before the bookkeeping; the person's next turn waits for both."""
        start = time.perf_counter()
        async with self._talk.exclusive(message.person):
            turn = await self._talk.reply(message)
            ready = time.perf_counter() - start
            if turn.to_remember:
                await self._talk.remember(int(message.person.user_id), turn)
        return Finished(turn.reply.text, ready, ready)

    async def close(self) -> None:
        """The device process ends."""
        await self._engine.close()


async def flood(way: OurWay, said: Pairs, extra: Sequence[str]) -> Mapping[str, Any]:
    """How long people wait for one answer, each asking for the next after the last, while the first of them (who is
    not counted) throws in `extra` at once. Past the conversation, which would take one message of theirs at a time."""

    async def wait(number: int, text: str) -> float:
        start = time.perf_counter()
        await way.language.complete(_answer_to(way, number, text))
        return time.perf_counter() - start

    async def waits(number: int, texts: Sequence[str]) -> list[float]:
        return [await wait(number, text) for text in texts]

    thrown_in = [asyncio.create_task(wait(0, text)) for text in extra]
    everybody = await asyncio.gather(*(waits(number, texts) for number, texts in enumerate(said)))
    await asyncio.gather(*thrown_in)
    others = [seconds for theirs in everybody[1:] for seconds in theirs]
    return {"p99_s": float(np.percentile(others, 99)), "waits": len(others)}


def _answer_to(way: OurWay, number: int, text: str) -> Prompt:
    task, prompt = tasks.OUTPUT_MESSAGE, tasks.answer_prompt(text)
    room = Policy().answer_tokens - way.language.count_tokens(task.name, prompt)
    return Prompt(task.name, prompt, task.stop, room, task.temperature, person(number))
