"""The real process with real, tiny models."""

import asyncio
import base64
import os
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import pytest_asyncio

from core.errors import ConfigurationError, EngineError, GenerationFailed
from core.messages import PersonKey
from core.ports import Prompt
from core.tasks import ANSWER_END, TASKS
from models.device import DeviceProcess
from models.engine import Engine
from models.ports import EngineEncoder, EngineLanguageModel
from models.registry import Profile
from models.serving import LANES

pytestmark = pytest.mark.asyncio(loop_scope="module")

NEVER = "이 글은 나오지 않는다"
GREEDY = 0.0
PROMPTS = ("안녕 (답변 시작)", "로라야 오늘 뭐 했어? (답변 시작)", "내일은 혜나랑 카페에 갈 거야, 좋지? 😊 (답변 시작)")
MINA = PersonKey("console", "mina")


def row(prompt: str, limit: int = 16, stop: str = NEVER, temperature: float = GREEDY) -> dict[str, Any]:
    return {"prompt": prompt, "stop": stop, "max_new_tokens": limit, "temperature": temperature}


def children() -> list[psutil.Process]:
    """Device processes of this test run; helpers that are just ending do not count."""
    found = []
    for child in psutil.Process().children(recursive=True):
        try:
            if "models.worker" in child.cmdline():
                found.append(child)
        except psutil.Error:
            continue
    return found


@pytest_asyncio.fixture(loop_scope="module")
async def own(tiny_profile: Path) -> AsyncIterator[DeviceProcess]:
    """A device that a test may break."""
    device = DeviceProcess(Profile(tiny_profile).weights, threads=1)
    yield device
    await device.close()


async def test_each_task_has_an_adapter_of_its_own(device: DeviceProcess) -> None:
    texts = {(await device.run(task.name, [row(PROMPTS[1])]))[0]["text"] for task in TASKS}
    assert len(texts) == len(TASKS)


async def test_each_row_ends_on_its_own_mark_as_text_or_at_its_own_limit(device: DeviceProcess) -> None:
    (whole,) = await device.run("summary", [row(PROMPTS[1], limit=24)])
    middle = len(whole["text"]) // 2
    mark = whole["text"][middle : middle + 3]
    stopped, short, unstopped = await device.run(
        "summary", [row(PROMPTS[1], 24, stop=mark), row(PROMPTS[0], 3), row(PROMPTS[1], 24)]
    )
    assert stopped["text"] == whole["text"].partition(mark)[0].strip()
    assert stopped["ended"]
    assert stopped["tokens"] < whole["tokens"]
    assert (short["tokens"], short["ended"]) == (3, False)
    assert unstopped == whole


async def test_what_people_type_is_never_a_control_token(device: DeviceProcess, tiny_profile: Path) -> None:
    tokenizer = Profile(tiny_profile).tokenizer()
    for typed in ("<eos>", "<pad>", "<0x41>"):
        ids = tokenizer.encode(typed, add_special_tokens=False).ids
        assert len(ids) > len(typed) // 2, typed
    with_eos, with_text = await device.run("memory", [row("안녕 <eos> (요약 시작)"), row("안녕 (요약 시작)")])
    assert with_eos["text"] != with_text["text"]


async def test_vectors_are_of_length_one_and_the_same_in_any_company(device: DeviceProcess) -> None:
    texts = ["안녕", "오늘 날씨가 정말 좋다. 산책하러 갈까?", "鬱"]
    results = await device.run("memory_encoder", [{"texts": texts[:2]}, {"texts": texts[2:]}])
    vectors = [np.frombuffer(base64.b64decode(result["vectors"]), "<f4").reshape(-1, 32) for result in results]
    assert [len(matrix) for matrix in vectors] == [2, 1]
    np.testing.assert_allclose(np.linalg.norm(np.vstack(vectors), axis=1), 1, atol=1e-5)
    (alone,) = await device.run("memory_encoder", [{"texts": [texts[0]]}])
    np.testing.assert_allclose(np.frombuffer(base64.b64decode(alone["vectors"]), "<f4"), vectors[0][0], atol=1e-5)
    (other,) = await device.run("ethics_encoder", [{"texts": [texts[0]]}])
    assert other != alone


@pytest.mark.parametrize(
    ("lane", "request_"),
    [("no_such_adapter", row("안녕")), ("output_message", {"prompt": "안녕"}), ("memory_encoder", {"text": "안녕"})],
)
async def test_a_refused_batch_says_why_and_the_process_lives_on(
    device: DeviceProcess, lane: str, request_: dict[str, Any]
) -> None:
    with pytest.raises(GenerationFailed, match=lane) as refusal:
        await device.run(lane, [request_])
    assert "\n" not in str(refusal.value)
    assert (await device.run("memory", [row("안녕", 2)]))[0]["tokens"] == 2


async def test_the_ports_of_core_reach_the_models_through_the_engine(tiny_profile: Path, own: DeviceProcess) -> None:
    engine = Engine(own, LANES)
    language = EngineLanguageModel(engine, dict.fromkeys(LANES, Profile(tiny_profile).tokenizer()))
    encoder = EngineEncoder(engine, "ethics_encoder")
    wanted = [Prompt("output_message", prompt, ANSWER_END, 4, GREEDY, MINA) for prompt in PROMPTS]
    completions, vectors = await asyncio.gather(
        asyncio.gather(*map(language.complete, wanted)), encoder.encode(["안녕", "정치"])
    )
    assert [completion.tokens for completion in completions] == [4, 4, 4]
    assert vectors.shape == (2, 32)
    assert language.count_tokens("memory", "안녕 (답변 시작)") == 2

    # the process is killed under a batch: a new one computes it
    (process,) = [child for child in children() if child.pid == own.pid]
    process.suspend()  # so that no answer comes before the kill, however slow this test is
    again = [asyncio.create_task(language.complete(prompt)) for prompt in wanted]
    await asyncio.sleep(0.1)
    process.kill()
    assert await asyncio.gather(*again) == completions
    assert own.pid not in (None, process.pid)

    # closing fails who still waits, and leaves nothing behind
    pid = own.pid
    psutil.Process(pid).suspend()
    waiting = asyncio.create_task(language.complete(wanted_of(PROMPTS[0], 400)))
    await asyncio.sleep(0.1)
    await engine.close()
    with pytest.raises(EngineError):
        await waiting
    assert pid is not None
    assert not psutil.pid_exists(pid)


def wanted_of(prompt: str, tokens: int) -> Prompt:
    return Prompt("output_message", prompt, NEVER, tokens, 1.0, MINA)


async def test_the_event_loop_stays_responsive_while_the_device_computes(device: DeviceProcess) -> None:
    """The best of three runs: what is left is ours, the rest is other programs on this machine."""
    stalls = []
    for _ in range(3):
        batch = asyncio.create_task(device.run("output_message", [row(prompt, 100) for prompt in PROMPTS * 4]))
        worst = 0.0
        while not batch.done():
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            worst = max(worst, time.perf_counter() - before - 0.001)
        await batch
        stalls.append(worst)
    assert min(stalls) < 0.020


async def test_a_cancelled_batch_does_not_answer_the_next_one(own: DeviceProcess) -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(own.start(), 0.2)  # cancelled while the models load
    assert own.pid is None
    batch = asyncio.create_task(own.run("output_message", [row(PROMPTS[0], 400)]))
    await asyncio.sleep(0.2)
    batch.cancel()
    with pytest.raises(asyncio.CancelledError):
        await batch
    assert own.pid is None


async def test_a_folder_that_does_not_load_is_said_in_one_sentence(tiny_profile: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(tiny_profile, broken)
    (broken / "memory_encoder" / "config.json").write_text("{", encoding="utf-8")
    device = DeviceProcess(Profile(broken).weights, threads=1)
    with pytest.raises(ConfigurationError, match="do not load") as error:
        await device.start()
    assert str(broken) in str(error.value)
    assert "\n" not in str(error.value)
    await device.close()


async def test_the_process_ends_with_the_pipe_of_its_service_and_not_with_ctrl_c(tiny_profile: Path) -> None:
    pipe = asyncio.subprocess.PIPE
    worker = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "models.worker",
        Profile(tiny_profile).weights.to_json(),
        "1",
        "",
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
    )
    assert worker.stdin is not None
    assert worker.stdout is not None
    assert await worker.stdout.readline() == b'{"ready": true}\n'
    os.kill(worker.pid, signal.SIGINT)
    worker.stdin.write(b'{"batch": 1, "lane": "memory_encoder", "requests": [{"texts": ["a"]}]}\n')
    assert b"results" in await worker.stdout.readline()
    worker.stdin.close()
    assert await asyncio.wait_for(worker.wait(), 20) == 0
