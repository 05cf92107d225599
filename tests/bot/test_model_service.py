"""A worker that serves models: what it answers, whom it refuses, and what our own clients make of it."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
import numpy as np
import pytest
from aiohttp.test_utils import unused_port
from pydantic import ValidationError
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from bot.model_service.run import chosen, lanes_with_bases, served_by
from bot.model_service.server import ModelService, Served, listening
from bot.model_service.settings import ServeSettings
from core.errors import ConfigurationError, EngineError, EngineOverloaded, GenerationFailed
from core.messages import PersonKey
from core.ports import Completion, Encoder, LanguageModel, Prompt, Vectors
from core.tasks import ANSWER_END, EYES_MOUTH_POSE, FACE_END
from models.engine import Engine, Json
from models.fakes import FakeEncoder, FakeLanguageModel
from models.model_servers import ModelServers
from models.openai_lm import OpenAIEncoder, OpenAILanguageModel
from models.registry import BUNDLED, Profile

KEY = "hush-hush-4711"
SECRET = "아무에게도 말하지 마"
PROMPT = Prompt("output_message", "로라야 안녕 (답변 시작)", ANSWER_END, 32, 0.6, PersonKey("test", "mina"))
ADAPTERS = {"output_message": "base", "summary": "base"}
ASKED = {"model": "output_message", "prompt": PROMPT.text, "stop": [ANSWER_END], "max_tokens": 32, "temperature": 0.6}


def rule(prompt: Prompt) -> str:
    """Each model says its name; `길게` is long and has no end."""
    return "아" * 900 if "길게" in prompt.text else f"나는 {prompt.task} {prompt.stop}"


class Held:
    """A language model that answers when it is let, and knows who broke off before."""

    def __init__(self) -> None:
        self.asked, self.broken_off, self.let = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def complete(self, prompt: Prompt) -> Completion:
        self.asked.set()
        try:
            await self.let.wait()
        except asyncio.CancelledError:
            self.broken_off.set()
            raise
        return Completion("여기", True, 2)

    def count_tokens(self, task: str, text: str) -> int:
        return 1


class Failing:
    """Neither writes nor encodes."""

    def __init__(self, error: EngineError) -> None:
        self._error = error

    async def complete(self, prompt: Prompt) -> Completion:
        raise self._error

    def count_tokens(self, task: str, text: str) -> int:
        return 1

    async def encode(self, texts: object) -> Vectors:
        raise self._error


@dataclass
class Door:
    """Where it listens, and how to ask there."""

    url: str
    client: httpx.AsyncClient

    async def post(self, path: str, body: object) -> tuple[int, dict[str, Any]]:
        answer = await self.client.post(self.url + path, json=body)
        return answer.status_code, answer.json()


@asynccontextmanager
async def door(
    language: LanguageModel | None = None, encoder: Encoder | None = None, *, within_s: float = 20.0, key: str = KEY
) -> AsyncIterator[Door]:
    served = Served(language or FakeLanguageModel(rule), ADAPTERS, {"ethics_encoder": encoder or FakeEncoder()})
    serve = ServeSettings(port=unused_port())
    headers = {"Authorization": f"Bearer {KEY}"}
    async with (
        listening(ModelService(served, key, within_s), serve) as url,
        httpx.AsyncClient(headers=headers, trust_env=False) as client,
    ):
        yield Door(url, client)


@asynccontextmanager
async def remote(url: str) -> AsyncIterator[tuple[ModelServers, OpenAILanguageModel]]:
    """The client of other workers."""
    async with ModelServers([url], KEY, 5.0, pause_s=0.05, retry_s=0.01) as servers:
        await servers.require([*ADAPTERS, "ethics_encoder"])
        names = {name: name for name in ADAPTERS}
        yield servers, OpenAILanguageModel(servers, names, Tokenizer(WordLevel({"?": 0}, "?")), {"extra": True})


@pytest.mark.parametrize("text", [PROMPT.text, "길게"])
async def test_other_workers_get_what_the_models_would_say_to_themselves(text: str) -> None:
    own = FakeLanguageModel(rule)
    wanted = await own.complete(replace(PROMPT, text=text))
    async with door() as there, remote(there.url) as (_, language):
        assert await language.complete(replace(PROMPT, text=text)) == replace(wanted, text=wanted.text.strip())


async def test_vectors_arrive_as_they_were_computed() -> None:
    texts = ["안녕", "오늘 날씨가 좋다", ""]
    async with door() as there, remote(there.url) as (servers, _):
        vectors = await OpenAIEncoder(servers, "ethics_encoder").encode(texts)
    np.testing.assert_allclose(vectors, await FakeEncoder().encode(texts), atol=1e-6)


async def test_other_workers_compare_each_adapter_with_its_base() -> None:
    async with door() as there, remote(there.url) as (_, language):
        await language.verify()
    async with door(FakeLanguageModel(lambda prompt: "음")) as there, remote(there.url) as (_, language):
        with pytest.raises(ConfigurationError, match="answers just as its base base"):
            await language.verify()


async def test_bases_are_listed_with_what_lies_on_them() -> None:
    async with door() as there:
        listed = (await there.client.get(f"{there.url}/models")).json()["data"]
    parents = {card["id"]: card["parent"] for card in listed}
    assert parents == {"output_message": "base", "summary": "base", "base": None, "ethics_encoder": None}


class WithoutBases:
    """A models.engine.Device that writes with adapters only."""

    async def run(self, lane: str, requests: Sequence[Json]) -> list[Json]:
        if lane == "base":
            raise GenerationFailed("no such lane")
        return [{"text": lane, "ended": True, "tokens": 1} for _ in requests]

    def cancel(self, row: int) -> None:
        pass

    async def close(self) -> None:
        pass


async def test_a_base_that_cannot_be_asked_is_not_listed_and_its_adapters_are_served(
    caplog: pytest.LogCaptureFixture,
) -> None:
    weights = Profile(BUNDLED).weights.without(["memory", "eyes_mouth_pose", "memory_encoder"])
    engine = Engine(WithoutBases(), lanes_with_bases(weights))
    there = await served_by(engine, weights)
    written = await there.language.complete(replace(PROMPT, task="summary"))
    await engine.close()
    assert (written.text, there.adapters) == ("summary", {"output_message": "", "summary": ""})
    assert there.encoders.keys() == {"ethics_encoder"}
    assert "nobody can compare output_message, summary with it" in caplog.text


async def test_a_completion_is_counted_and_says_why_it_ended() -> None:
    async with door() as there:
        _, whole = await there.post("/completions", {**ASKED, "stop": ANSWER_END})
        _, cut = await there.post("/completions", {**ASKED, "prompt": "길게"})
    assert whole["choices"][0]["finish_reason"] == "stop"
    assert whole["usage"] == {"prompt_tokens": 7, "completion_tokens": 13, "total_tokens": 20}
    assert (cut["choices"][0]["finish_reason"], cut["usage"]["completion_tokens"]) == ("length", 32)


@pytest.mark.parametrize(
    ("completion", "asked", "reason"),
    [
        # as on this machine: who was to end with a mark and did not is not done
        (Completion("응", False, 3), ASKED, "length"),
        (Completion("응", False, 3), {"model": "base", "prompt": "응", "max_tokens": 9}, "stop"),
        (Completion("응", False, 9), {"model": "base", "prompt": "응", "max_tokens": 9, "stop": None}, "length"),
    ],
)
async def test_what_ends_without_its_mark_counts_as_cut(
    completion: Completion, asked: dict[str, object], reason: str
) -> None:
    class Written(FakeLanguageModel):
        async def complete(self, prompt: Prompt) -> Completion:
            return completion

    async with door(Written()) as there:
        _, answer = await there.post("/completions", asked)
    assert answer["choices"][0]["finish_reason"] == reason


async def test_what_a_task_probably_says_is_known_here_and_people_are_not() -> None:
    language = FakeLanguageModel(rule)
    served = {**ASKED, "model": EYES_MOUTH_POSE.name, "stop": [FACE_END]}
    service = ModelService(Served(language, {EYES_MOUTH_POSE.name: "base"}, {}), "", 20.0)
    async with listening(service, ServeSettings(port=unused_port())) as url, httpx.AsyncClient(trust_env=False) as http:
        for user in ("mina", "mina", "jiu", "", ""):
            answer = await http.post(f"{url}/completions", json={**served, "user": user})
            assert answer.is_success
    assert {prompt.likely for prompt in language.prompts} == {EYES_MOUTH_POSE.likely}
    people = [prompt.person for prompt in language.prompts]
    assert people[0] == people[1]
    assert len(set(people)) == 4
    assert "mina" not in str(people)


BAD = {
    "no JSON": b"{",
    "no object": b"[]",
    "no model": json.dumps({"prompt": SECRET}).encode(),
    **{
        name: json.dumps({**ASKED, "prompt": SECRET, **wrong}).encode()
        for name, wrong in {
            "tokens": {"max_tokens": 0}, "too many": {"max_tokens": 10**9}, "cold": {"temperature": -1},
            "marks": {"stop": ["a", SECRET]}, "empty mark": {"stop": [""]}, "text": {"prompt": [1, 2, 3]},
            "stream": {"stream": True}, "two": {"n": 2}, "long": {"prompt": SECRET * 10_000}, "empty": {"prompt": ""},
            "infinite": {"temperature": float("inf")}, "user": {"user": SECRET * 100},
        }.items()
    },
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
async def test_what_cannot_be_served_is_refused_in_one_sentence_that_repeats_nothing(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with door() as there:
        answer = await there.client.post(f"{there.url}/completions", content=BAD[name])
    assert answer.status_code == 400
    sentence = answer.json()["error"]["message"]
    assert sentence
    assert SECRET not in answer.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/completions", {**ASKED, "model": "memory"}, 404),
        ("/completions", {**ASKED, "model": "ethics_encoder"}, 404),
        ("/embeddings", {"model": "output_message", "input": ["안녕"]}, 404),
        ("/embeddings", {"model": "ethics_encoder", "input": []}, 400),
        ("/embeddings", {"model": "ethics_encoder", "input": ["안녕"] * 65}, 400),
        ("/embeddings", {"model": "ethics_encoder", "input": "안녕", "encoding_format": "base64"}, 400),
        ("/embeddings", {"model": "ethics_encoder", "input": "안녕"}, 200),
        ("/chat/completions", {}, 404),
        ("/completions", {**ASKED, "prompt": "a" * 3 * 2**20}, 413),
    ],
)
async def test_each_path_has_its_own_models_and_bounds(path: str, body: object, status: int) -> None:
    async with door() as there:
        answered, answer = await there.post(path, body)
    assert answered == status
    assert status == 200 or answer["error"]["message"]


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer hush-hush-4712", KEY, "Bearer 오로라".encode()])
async def test_nobody_gets_in_without_the_key(given: str | bytes, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with door() as there, httpx.AsyncClient(trust_env=False) as stranger:
        headers = {b"Authorization": given if isinstance(given, bytes) else given.encode()}
        listed = await stranger.get(f"{there.url}/models", headers=headers)
        written = await stranger.post(f"{there.url}/completions", json=ASKED, headers=headers)
        alive = await stranger.get(there.url.removesuffix("/v1") + "/healthz")
    assert [listed.status_code, written.status_code, alive.status_code] == [401, 401, 200]
    assert KEY not in listed.text + caplog.text


async def test_on_loopback_no_key_is_needed_and_elsewhere_there_has_to_be_one() -> None:
    async with door(key="") as there, httpx.AsyncClient(trust_env=False) as stranger:
        assert (await stranger.get(f"{there.url}/models")).is_success
    for listen in ("0.0.0.0", "::", "192.168.1.4"):
        with pytest.raises(ValidationError, match="OHLORA_SERVE__API_KEY"):
            ServeSettings(listen=listen)
        assert ServeSettings.model_validate({"listen": listen, "api_key": KEY}).listen == listen
    assert ServeSettings(listen="localhost").listen == "127.0.0.1"
    with pytest.raises(ValidationError, match="an address of this machine"):
        ServeSettings(listen="somewhere")


async def test_too_much_to_do_is_said_with_when_to_come_back() -> None:
    busy = Failing(EngineOverloaded("full", 300, 4.2))
    async with door(busy, busy) as there:
        answers = [
            await there.client.post(f"{there.url}/completions", json=ASKED),
            await there.client.post(f"{there.url}/embeddings", json={"model": "ethics_encoder", "input": ["안녕"]}),
        ]
    assert [(answer.status_code, answer.headers["Retry-After"]) for answer in answers] == [(503, "5")] * 2


async def test_a_failure_is_told_apart_from_a_mistake_and_keeps_its_cause_to_itself() -> None:
    async with door(Failing(GenerationFailed(f"cannot write {SECRET}"))) as there:
        answered, answer = await there.post("/completions", ASKED)
        assert (answered, SECRET in json.dumps(answer, ensure_ascii=False)) == (500, False)
        async with remote(there.url) as (_, language):
            with pytest.raises(GenerationFailed, match="failed"):
                await language.complete(PROMPT)


async def test_whoever_breaks_off_is_not_computed_for_any_longer() -> None:
    language = Held()
    async with door(language) as there, remote(there.url) as (_, client):
        asking = asyncio.create_task(client.complete(PROMPT))
        await language.asked.wait()
        asking.cancel()
        await language.broken_off.wait()


async def test_nobody_is_kept_longer_than_agreed() -> None:
    language = Held()
    async with door(language, within_s=0.05) as there:
        answer = await there.client.post(f"{there.url}/completions", json=ASKED)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert language.broken_off.is_set()


async def test_what_is_under_way_at_the_end_is_finished_and_nothing_new_is_taken() -> None:
    language = Held()
    opened = door(language)
    there = await opened.__aenter__()
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {KEY}"}, trust_env=False) as client:
        asking = asyncio.create_task(client.post(f"{there.url}/completions", json=ASKED))
        await language.asked.wait()
        closing = asyncio.create_task(opened.__aexit__(None, None, None))
        while True:  # until the door is closed
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(there.url).port)
                writer.close()
            except ConnectionError:
                break
        assert not asking.done()
        language.let.set()
        assert (await asking).json()["choices"][0]["text"] == "여기"
        await closing


async def test_an_address_that_somebody_has_stops_the_start_in_one_sentence() -> None:
    async with door() as there:
        port = httpx.URL(there.url).port
        served = Served(FakeLanguageModel(rule), ADAPTERS, {})
        with pytest.raises(ConfigurationError, match=f"cannot listen on 127.0.0.1:{port}"):
            async with listening(ModelService(served, KEY, 1.0), ServeSettings(port=port)):
                pass


def test_tasks_are_chosen_by_name() -> None:
    assert chosen("output_message, ethics_encoder,") == {"output_message", "ethics_encoder"}
    for wrong in ("", " , ", "output_message,sumary"):
        with pytest.raises(ConfigurationError, match=r"there are .*ethics_encoder"):
            chosen(wrong)
