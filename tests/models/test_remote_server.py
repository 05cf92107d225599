"""The same ports over a real model server: llama-cpp-python with a tiny model and LoRA files.

It runs where llama-cpp-python[server] and gguf are installed (`pip install 'llama-cpp-python[server]' gguf`).
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import pytest_asyncio
from aiohttp.test_utils import unused_port
from tokenizers import Tokenizer, decoders
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel

from core.errors import ConfigurationError, GenerationFailed
from core.messages import PersonKey
from core.ports import Prompt
from core.tasks import ANSWER_END, TASKS
from models.model_servers import ModelServers
from models.openai_lm import OpenAIEncoder, OpenAILanguageModel

pytest.importorskip("llama_cpp", reason="llama-cpp-python[server] is not installed")
gguf = pytest.importorskip("gguf", reason="gguf is not installed")

pytestmark = pytest.mark.asyncio(loop_scope="module")

WIDTH, LAYERS, HEADS, HIDDEN, RANK, CONTEXT = 32, 2, 2, 64, 4, 256
KEY = "hush-hush-4711"
ADAPTERS = {task.name: f"aurora-{task.name}" for task in TASKS}
UNLOADED = "aurora-unloaded"
MERGE = ("Ġ", "Ġ")
PROMPT = Prompt("output_message", "로라야 안녕 (답변 시작)", ANSWER_END, 24, 0.0, PersonKey("test", "mina"))


def byte_tokens() -> list[str]:
    """One token a byte as byte-level BPE writes it, behind the end of text, and the merge that llama.cpp insists on."""
    return ["<|end|>", *sorted(ByteLevel.alphabet()), "".join(MERGE)]


def write_model(path: Path) -> None:
    """A Llama with random weights."""
    rng, tokens = np.random.default_rng(1), byte_tokens()
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.CONTROL, *[gguf.TokenType.NORMAL] * (len(tokens) - 1)])
    writer.add_token_merges([" ".join(MERGE)])
    writer.add_eos_token_id(0)
    writer.add_add_bos_token(False)
    shapes = {"token_embd": (len(tokens), WIDTH), "output": (len(tokens), WIDTH)}
    for layer in range(LAYERS):
        shapes |= {f"blk.{layer}.attn_{part}": (WIDTH, WIDTH) for part in ("q", "k", "v", "output")}
        shapes |= {f"blk.{layer}.ffn_{part}": (HIDDEN, WIDTH) for part in ("gate", "up")}
        shapes |= {f"blk.{layer}.ffn_down": (WIDTH, HIDDEN)}
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", rng.normal(0, 0.3, shape).astype(np.float32))
    for name in ("output_norm", *(f"blk.{layer}.{norm}_norm" for layer in range(LAYERS) for norm in ("attn", "ffn"))):
        writer.add_tensor(f"{name}.weight", np.ones(WIDTH, np.float32))
    _close(writer)


def write_adapter(path: Path, seed: int) -> None:
    """A LoRA file for it; seed 0 changes nothing."""
    rng = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 16.0)
    for layer in range(LAYERS):
        for part in ("q", "v", "output"):
            name = f"blk.{layer}.attn_{part}.weight"
            writer.add_tensor(f"{name}.lora_a", rng.normal(0, 0.5, (RANK, WIDTH)).astype(np.float32))
            writer.add_tensor(f"{name}.lora_b", rng.normal(0, 0.5 if seed else 0, (WIDTH, RANK)).astype(np.float32))
    _close(writer)


def _close(writer: Any) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A server process with the base, an adapter for each task, one that changes nothing, and an encoder."""
    folder, port = tmp_path_factory.mktemp("gguf"), unused_port()
    write_model(folder / "base.gguf")
    common = {"model": str(folder / "base.gguf"), "n_ctx": CONTEXT, "n_threads": 1, "verbose": False}
    models = [{**common, "model_alias": "base"}, {**common, "model_alias": "encoder", "embedding": True}]
    for seed, name in enumerate([UNLOADED, *ADAPTERS.values()]):
        write_adapter(folder / f"{name}.gguf", seed)
        models.append({**common, "model_alias": name, "lora_path": str(folder / f"{name}.gguf")})
    config = folder / "server.json"
    config.write_text(json.dumps({"host": "127.0.0.1", "port": port, "api_key": KEY, "models": models}))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "llama_cpp.server", "--config_file", str(config)),
        env={**os.environ, "PYTHONWARNINGS": "ignore"}, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        said = b""
        while b"Uvicorn running" not in said:
            line = await process.stderr.readline()
            assert line, said.decode()
            said += line
        drained = asyncio.create_task(process.stderr.read())
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
    await drained


@pytest_asyncio.fixture(loop_scope="module")
async def servers(url: str) -> AsyncIterator[ModelServers]:
    async with ModelServers([url], KEY) as opened:
        await opened.require([*ADAPTERS.values(), "base"])
        yield opened


def language(servers: ModelServers, models: dict[str, str] = ADAPTERS) -> OpenAILanguageModel:
    tokenizer = Tokenizer(BPE({token: number for number, token in enumerate(byte_tokens())}, [MERGE]))
    tokenizer.pre_tokenizer, tokenizer.decoder = ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    return OpenAILanguageModel(servers, models, tokenizer)


async def test_each_task_has_an_adapter_of_its_own(servers: ModelServers) -> None:
    wanted = [replace(PROMPT, task=task) for task in ADAPTERS]
    texts = {(await language(servers).complete(prompt)).text for prompt in wanted}
    assert len(texts) == len(ADAPTERS)


async def test_the_limit_and_the_mark_are_kept(servers: ModelServers, url: str) -> None:
    body = {"model": ADAPTERS["summary"], "prompt": PROMPT.text, "max_tokens": 24, "temperature": 0.0}
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {KEY}"}, trust_env=False) as client:
        raw = (await client.post(f"{url}/completions", json=body)).json()["choices"][0]["text"]
    whole = await language(servers).complete(replace(PROMPT, task="summary"))
    assert (whole.text, whole.ended, whole.tokens) == (raw.strip(), False, 24)
    mark = next(char for char in raw[len(raw) // 2 :] if char.isprintable() and char != " ")
    stopped = await language(servers).complete(replace(PROMPT, task="summary", stop=mark))
    assert stopped.ended
    assert stopped.text == raw.partition(mark)[0].strip()


async def test_only_an_adapter_that_changes_nothing_stops_the_start(servers: ModelServers) -> None:
    await language(servers).verify("base")
    with pytest.raises(ConfigurationError, match=f"the model {UNLOADED} answers just as its base base"):
        await language(servers, {"summary": UNLOADED}).verify("base")


async def test_its_vectors_have_length_one(servers: ModelServers) -> None:
    texts = ["안녕", "오늘 날씨가 좋다", "안녕"]
    vectors = await OpenAIEncoder(servers, "encoder").encode(texts)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors.shape[0] == len(texts)
    np.testing.assert_allclose(vectors[0], vectors[2], atol=1e-4)


async def test_a_prompt_that_does_not_fit_is_an_error_of_that_request_alone(servers: ModelServers) -> None:
    asked = language(servers)
    with pytest.raises(GenerationFailed):
        await asked.complete(replace(PROMPT, text="가" * CONTEXT))
    assert (await asked.complete(PROMPT)).tokens > 0
