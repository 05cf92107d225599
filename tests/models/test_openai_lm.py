"""Language model and encoder over model servers: what is asked, what is read, who is asked again, and what is said."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

import numpy as np
import pytest
from aiohttp.test_utils import unused_port
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from core.errors import ConfigurationError, EngineError, EngineOverloaded, GenerationFailed
from core.messages import PersonKey
from core.ports import Completion, Prompt
from core.recall import PersonaIndex, PersonaRow
from core.tasks import ANSWER_END
from models.fakes import FakeEncoder
from models.model_servers import ModelServers
from models.openai_lm import OpenAIEncoder, OpenAILanguageModel, verify_encoder
from tests.model_server import DROP, HANG, NO_JSON, ModelServer

KEY = "hush-hush-4711"
TASKS = {"output_message": "aurora", "summary": "short"}
PROMPT = Prompt("output_message", "로라야 안녕 (답변 시작)", ANSWER_END, 32, 0.6, PersonKey("test", "mina"))
SAID = Completion("나는 aurora", ended=True, tokens=6)


def server(port: int = 0, key: str = "") -> ModelServer:
    models = {name: lambda prompt, name=name: f" 나는 {name} {ANSWER_END} 끝" for name in ("base", "aurora", "short")}
    return ModelServer(models, {"aurora": "base", "short": "base"}, key, port)


@dataclass
class House:
    """Some servers that know every model, and a language model over them."""

    servers: list[ModelServer]
    pool: ModelServers
    language: OpenAILanguageModel

    @property
    def asked(self) -> list[int]:
        """How many completions each server was asked for."""
        return [len(server.requests) for server in self.servers]


@asynccontextmanager
async def house(*servers: ModelServer, urls: tuple[str, ...] = (), timeout_s: float = 5.0) -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        for one in servers:
            await stack.enter_async_context(one)
        everywhere = [*urls, *(one.url for one in servers)]
        patience = {"timeout_s": timeout_s, "pause_s": 0.05, "retry_s": 0.01}
        pool = await stack.enter_async_context(ModelServers(everywhere, KEY, **patience))
        await pool.require(TASKS.values())
        yield House([*servers], pool, OpenAILanguageModel(pool, TASKS, words(), {"add_special_tokens": False}))


def words() -> Tokenizer:
    """Every word is a token."""
    tokenizer = Tokenizer(WordLevel({"?": 0}, "?"))
    tokenizer.pre_tokenizer = Whitespace()
    return tokenizer


async def test_a_request_says_what_the_prompt_says_and_nothing_of_the_person() -> None:
    async with house(server(key=KEY)) as there:
        assert await there.language.complete(PROMPT) == SAID
        [request] = there.servers[0].requests
    assert request == {
        "model": "aurora", "prompt": PROMPT.text, "stop": [ANSWER_END], "max_tokens": 32, "temperature": 0.6,
        "add_special_tokens": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "reason", "usage", "completion"),
    [
        (" 응! ", "stop", {"completion_tokens": 3}, Completion("응!", True, 3)),
        (" 응! (답변 종료) 그리고", "length", {"completion_tokens": 9}, Completion("응!", True, 9)),
        ("응 그리고 또", "length", {"completion_tokens": 3}, Completion("응 그리고 또", False, 3)),
        ("응 그리고 또", "length", None, Completion("응 그리고 또", False, 3)),
        ("응 그리고", None, {}, Completion("응 그리고", False, 2)),
    ],
)
async def test_a_completion_ends_before_its_mark_whatever_the_server_sends(
    text: str, reason: str | None, usage: dict[str, int] | None, completion: Completion
) -> None:
    async with house(server()) as there:
        there.servers[0].faults.append({"choices": [{"text": text, "finish_reason": reason}], "usage": usage})
        assert await there.language.complete(PROMPT) == completion


async def test_tokens_are_counted_without_asking_anybody() -> None:
    async with house(server()) as there:
        assert there.language.count_tokens("summary", "하나 둘 셋") == 3
        assert there.asked == [0]


@pytest.mark.parametrize(
    ("fault", "error", "times"),
    [
        (429, EngineOverloaded, 4),
        (503, EngineOverloaded, 4),
        (500, GenerationFailed, 1),
        (502, GenerationFailed, 1),
        (404, GenerationFailed, 1),
        (400, GenerationFailed, 1),
        (307, GenerationFailed, 1),
        (401, GenerationFailed, 1),
        (DROP, GenerationFailed, 1),
        (NO_JSON, GenerationFailed, 1),
        ({"choices": []}, GenerationFailed, 1),
        ({"choices": [{}]}, GenerationFailed, 1),
    ],
)
async def test_only_what_was_surely_not_computed_is_asked_again(
    fault: int | str, error: type[EngineError], times: int
) -> None:
    async with house(server()) as there:
        there.servers[0].faults.extend([fault] * 9)
        with pytest.raises(error) as failure:
            await there.language.complete(PROMPT)
        assert there.asked == [times]
    assert "\n" not in str(failure.value)
    assert KEY not in str(failure.value)
    assert PROMPT.text not in str(failure.value)


async def test_a_busy_server_is_asked_until_it_has_time() -> None:
    async with house(server()) as there:
        there.servers[0].faults.extend([429, 503, 429])
        assert await there.language.complete(PROMPT) == SAID


async def test_a_request_that_may_be_under_way_is_not_sent_to_the_same_server_again() -> None:
    async with house(server(), timeout_s=0.2) as there:
        there.servers[0].faults.append(HANG)
        with pytest.raises(GenerationFailed, match=r"did not answer within 0\.2 s"):
            await there.language.complete(PROMPT)
        assert there.asked == [1]


async def test_a_prompt_that_nobody_needs_any_more_is_given_up() -> None:
    async with house(server()) as there:
        there.servers[0].gate.clear()
        with pytest.raises(EngineOverloaded, match=r"not done within 0\.05 s"):
            await there.language.complete(replace(PROMPT, within_s=0.05))
        there.servers[0].gate.set()


@pytest.mark.parametrize("fault", [HANG, DROP, 500, 503, 404, 401])
async def test_another_server_takes_what_one_did_not_answer(fault: int | str) -> None:
    async with house(server(), server(), timeout_s=1.0) as there:
        there.servers[0].faults.append(fault)
        assert await there.language.complete(PROMPT) == SAID
        assert there.asked == [1, 1]


async def test_no_server_takes_what_every_one_would_refuse() -> None:
    async with house(server(), server()) as there:
        there.servers[0].faults.append(400)
        with pytest.raises(GenerationFailed, match="refused the request"):
            await there.language.complete(PROMPT)
        assert there.asked == [1, 0]


async def test_a_server_that_ran_too_long_gets_no_second_request_while_the_other_is_busy() -> None:
    async with house(server(), server(), timeout_s=1.0) as there:
        there.servers[0].faults.append(HANG)
        there.servers[1].faults.extend([429, 429])
        assert await there.language.complete(PROMPT) == SAID
        assert there.asked == [1, 3]


async def test_a_failed_server_is_left_alone_until_it_lists_its_models_again() -> None:
    async with house(server(), server()) as there:
        there.servers[0].faults.append(500)
        there.servers[0].listing.clear()
        await there.language.complete(PROMPT)
        await there.language.complete(PROMPT)
        assert there.asked == [1, 2]
        there.servers[0].listing.set()
        await revived(there.servers[0].url)
        await there.language.complete(PROMPT)
        assert there.asked == [2, 2]


async def revived(url: str) -> None:
    """Until nobody waits any more for a server to list its models."""
    await asyncio.gather(*(task for task in asyncio.all_tasks() if task.get_name() == f"revive {url}"))


async def test_requests_go_where_the_least_is_under_way() -> None:
    async with house(server(), server()) as there:
        for one in there.servers:
            one.gate.clear()
        under_way = [asyncio.create_task(there.language.complete(PROMPT)) for _ in range(4)]
        for one in there.servers:
            for _ in range(2):
                await one.arrived.get()
            one.gate.set()
        assert await asyncio.gather(*under_way) == [SAID] * 4


async def test_a_server_that_is_down_at_the_start_joins_when_it_comes_up(caplog: pytest.LogCaptureFixture) -> None:
    port = unused_port()
    late = server(port)
    async with house(server(), urls=(f"http://127.0.0.1:{port}/v1",)) as there:
        assert f"127.0.0.1:{port}/v1 cannot be reached" in caplog.text
        assert await there.language.complete(PROMPT) == SAID
        async with late:
            await revived(late.url)
            await there.language.complete(PROMPT)
            assert len(late.requests) == 1


async def test_without_any_server_one_sentence_says_which_does_not_answer() -> None:
    async with house(server()) as there:
        await there.servers[0].__aexit__(None, None, None)
        with pytest.raises(GenerationFailed, match=f"the model server {there.servers[0].url} cannot be reached"):
            await there.language.complete(PROMPT)


async def test_models_may_live_on_different_servers() -> None:
    first, second = server(), server()
    del first.models["short"], second.models["aurora"]
    async with house(first, second) as there:
        assert (await there.language.complete(PROMPT)).text == "나는 aurora"
        assert (await there.language.complete(replace(PROMPT, task="summary"))).text == "나는 short"
        assert there.asked == [1, 1]


async def test_a_missing_model_stops_the_start_with_what_there_is_instead() -> None:
    lacking = server()
    del lacking.models["aurora"]
    down = f"http://127.0.0.1:{unused_port()}/v1"
    with pytest.raises(ConfigurationError) as failure:
        async with house(lacking, urls=(down,)):
            pass
    assert "no model server has aurora (models.remote)" in str(failure.value)
    assert f"{lacking.url} has base, short" in str(failure.value)
    assert f"{down} cannot be reached" in str(failure.value)


async def test_a_wrong_key_stops_the_start_without_telling_any_key() -> None:
    with pytest.raises(ConfigurationError, match=r"refuses the API key.*OHLORA_MODELS__REMOTE__API_KEY") as failure:
        async with house(server(key="another-key")):
            pass
    assert KEY not in str(failure.value)
    assert "another-key" not in str(failure.value)


async def test_the_key_is_in_no_log_however_much_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with house(server(key=KEY), server(key=KEY)) as there:
        there.servers[0].faults.append(500)
        await there.language.complete(PROMPT)
    assert "asked last until" in caplog.text
    assert KEY not in caplog.text


@pytest.mark.parametrize("listed", [True, False])
async def test_an_adapter_that_answers_like_its_base_stops_the_start(listed: bool) -> None:
    unloaded = server()
    unloaded.models["short"] = unloaded.models["base"]
    if not listed:
        unloaded.parents.clear()
    async with house(unloaded) as there:
        said = f"summary: at {there.servers[0].url} the model short answers just as its base base"
        with pytest.raises(ConfigurationError, match=re.escape(said)):
            await there.language.verify("" if listed else "base")
        greedy = there.servers[0].requests
    assert {request["temperature"] for request in greedy} == {0.0}
    assert sorted(request["model"] for request in greedy) == ["aurora", "base", "short"]


async def test_each_server_has_to_show_its_adapters() -> None:
    unloaded = server()
    unloaded.models["aurora"] = unloaded.models["base"]
    async with house(server(), unloaded) as there:
        with pytest.raises(ConfigurationError, match=re.escape(f"output_message: at {unloaded.url}")):
            await there.language.verify()


@pytest.mark.parametrize("base", ["", "elsewhere", "aurora"])
async def test_a_model_whose_base_is_not_served_beside_it_is_not_compared(base: str) -> None:
    alone = server()
    alone.parents.clear()
    del alone.models["short"]
    async with house(alone, server()) as there:
        await OpenAILanguageModel(there.pool, {"output_message": "aurora"}, words()).verify(base)
        assert there.asked == [0, 2]


async def test_a_model_that_fails_its_first_request_stops_the_start() -> None:
    async with house(server()) as there:
        there.servers[0].faults.append(500)
        with pytest.raises(ConfigurationError, match=r"aurora at http.* does not answer"):
            await there.language.verify()


async def test_vectors_have_length_one_and_the_order_of_their_texts() -> None:
    texts = ["안녕", "오늘 날씨가 좋다", "산책하러 갈까?"]
    async with house(server()) as there:
        vectors = await OpenAIEncoder(there.pool, "short").encode(texts)
        [request] = there.servers[0].requests
    np.testing.assert_allclose(vectors, await FakeEncoder().encode(texts), atol=1e-6)
    assert vectors.dtype == np.float32
    assert (request["model"], request["input"]) == ("short", texts)


@pytest.mark.parametrize(
    "data",
    [
        [],
        [{"index": 0, "embedding": [1.0, 0.0]}],
        [{"index": 0, "embedding": [1.0, 0.0]}, {"index": 1, "embedding": [0.0, 0.0]}],
        [{"index": 0, "embedding": [1.0, 0.0]}, {"index": 1, "embedding": [1.0]}],
        [{"index": 0}, {"index": 1}],
        [{"index": 0, "embedding": "AAAA"}, {"index": 1, "embedding": "AAAA"}],
        None,
    ],
)
async def test_vectors_that_are_missing_or_empty_are_an_error(data: object) -> None:
    async with house(server()) as there:
        there.servers[0].faults.append({"data": data})
        with pytest.raises(GenerationFailed, match="short answered"):
            await OpenAIEncoder(there.pool, "short").encode(["안녕", "정치"])


async def test_an_encoder_that_is_not_the_one_of_the_profile_is_an_error() -> None:
    rows = (PersonaRow("[이름: 민수] 내 이름 뭐게", "민수!", "memory"), PersonaRow("이름이 뭐야?", "오로라!", "plain"))
    own = await FakeEncoder().encode([row.question for row in rows])
    async with house(server()) as there:
        encoder = OpenAIEncoder(there.pool, "short")
        await verify_encoder(encoder, PersonaIndex(rows, own, own, 0.5))
        for other in (own[::-1], own[:, :16]):
            with pytest.raises(ConfigurationError, match="not the one of this profile"):
                await verify_encoder(encoder, PersonaIndex(rows, other, other, 0.5))
