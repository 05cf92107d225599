"""`ohlora train llm` on a base with random weights: what it learns, what it leaves, how it stops and goes on."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load_file
from transformers import TrainerCallback

from core.errors import ConfigurationError
from core.tasks import Rejected
from models.causal_lm import CausalLM, Sampling
from models.datasets.schema import Split
from models.training import families, llm, run
from models.training.commands import Asked
from models.training.commands import llm as train_llm
from models.training.llm_rows import SPECS, examples
from models.training.run_config import LlmRun

# transformers says so of PEFT, and PEFT of nothing here
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing.*:FutureWarning")

STEPS, STOPPED_AT = 32, 7


def rows(split: str, count: int) -> list[dict[str, str]]:
    return [
        {
            "intent": "hello", "data_type": split, "input_data": f"안녕 {'야' * (number % 3)}", "memory": "",
            "output_message": "안녕! 나는 오로라야", "summary": "인사함",
            "eyes": "보통", "mouth": "크게", "pose": "없음",
        }
        for number in range(count)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "rows.jsonl"
    lines = [json.dumps(row, ensure_ascii=False) for row in [*rows("train", 16), *rows("valid", 2)]]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def config(data: Path) -> LlmRun:
    return LlmRun.of(
        task="output_message", base="random:llama", rank=4, epochs=8, batch=2, accumulate=2, rate=1e-2, data=data,
        checkpoint_steps=1000,
    )  # fmt: skip


@dataclass(frozen=True)
class Trained:
    folder: Path
    report: dict[str, Any]


@pytest.fixture(scope="module")
def trained(config: LlmRun, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("trained") / "adapter"
    return Trained(folder, llm.train(config, folder))


def test_the_loss_falls(trained: Trained) -> None:
    losses = [entry["loss"] for entry in trained.report["log"]]
    assert losses[-1] < losses[0] / 2


def test_the_report_says_how_it_was_trained(trained: Trained, config: LlmRun) -> None:
    stored = json.loads((trained.folder / "training.json").read_text(encoding="utf-8"))
    assert stored == trained.report
    assert (stored["task"], stored["base"], stored["rows"]) == ("output_message", "random:llama", 16)
    assert stored["log"][-1]["step"] == STEPS
    assert {"loss", "learning_rate", "epoch"} <= set(stored["log"][0])
    assert stored["seconds"] > 0
    assert stored["peak_memory_mb"] > 100
    assert LlmRun.model_validate(stored["arguments"]) == config == LlmRun.load(trained.folder / "run.json")


def test_a_finished_run_leaves_no_checkpoints(trained: Trained) -> None:
    assert {path.suffix for path in trained.folder.rglob("*") if path.is_file()} <= {".safetensors", ".json", ".md"}


def test_the_adapter_answers_in_the_engine_and_ends_on_its_mark(trained: Trained, tmp_path: Path) -> None:
    base = families.locate("random:llama", tmp_path)
    model = CausalLM(base, {"output_message": trained.folder}, seed=1)
    (completion,) = model.complete("output_message", [Sampling("안녕 (답변 시작)", "(답변 종료)", 40, 0.1)])
    assert completion.text == "안녕! 나는 오로라야"
    assert completion.ended


def test_where_the_adapter_is_there_the_inference_test_runs_instead(
    trained: Trained, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (trained.folder / llm.WEIGHTS).stat().st_mtime_ns
    values = {"task": "output_message", "base": "random:llama", "data": data}
    train_llm(Asked(values, output=trained.folder), trained.folder)
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert figures["rows"] == 2 == figures["ok"] + figures["format_errors"]
    assert (trained.folder / llm.WEIGHTS).stat().st_mtime_ns == before


class _CtrlC(TrainerCallback):
    """Presses Ctrl-C in the middle of a step."""

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step == STOPPED_AT - 1:
            signal.raise_signal(signal.SIGINT)


@pytest.fixture
def pressed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    made = llm.trainer_for

    def with_ctrl_c(*args: Any) -> Any:
        trainer = made(*args)
        trainer.add_callback(_CtrlC())
        return trainer

    monkeypatch.setattr(llm, "trainer_for", with_ctrl_c)
    before = signal.getsignal(signal.SIGINT)
    yield
    assert signal.getsignal(signal.SIGINT) is before


def test_stopping_and_going_on_equals_not_stopping(
    pressed: None, trained: Trained, config: LlmRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "adapter"
    with pytest.raises(run.Stopped):
        llm.train(config, folder)
    monkeypatch.undo()
    assert (folder / run.CHECKPOINTS / f"checkpoint-{STOPPED_AT}" / llm.WEIGHTS).is_file()
    with pytest.raises(ConfigurationError, match="--resume"):
        llm.train(config, folder)
    report = llm.train(LlmRun.load(folder / run.CONFIG), folder, resume=True)
    assert [entry["step"] for entry in report["log"]] == list(range(1, STEPS + 1))
    once, twice = load_file(trained.folder / llm.WEIGHTS), load_file(folder / llm.WEIGHTS)
    assert all((once[name] == twice[name]).all() for name in once.keys() | twice.keys())


def test_ctrl_c_at_the_command_leaves_a_checkpoint_and_says_how_to_go_on(data: Path, tmp_path: Path) -> None:
    output = tmp_path / "adapter"
    options = {"task": "output_message", "base": "random:llama", "epochs": 500, "batch": 2, "checkpoint-steps": 1}
    command = [sys.executable, "-W", "ignore", "-m", "bot.cli", "train", "llm", f"--data={data}", f"--output={output}"]
    command += [f"--{name}={value}" for name, value in options.items()]
    environment = os.environ | {"OHLORA_DATA_DIR": str(tmp_path)}
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=root, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        seen = ""
        for char in iter(lambda: process.stderr.read(1), ""):
            seen = seen[-2000:] + char
            if re.search(r" ([2-9]|\d\d+)/4000 ", seen):  # a step after the first: its checkpoint is written
                break
        assert process.poll() is None, seen
        process.send_signal(signal.SIGINT)
        said = " ".join(process.stderr.read().split())
    assert process.returncode == 130
    assert f"ohlora train llm --resume --output {output}" in said
    assert list((output / run.CHECKPOINTS).glob("checkpoint-*/trainer_state.json"))


@pytest.mark.parametrize("task", SPECS)
def test_every_completion_ends_on_the_mark_of_its_task_and_passes_its_gate(task: str) -> None:
    splits: tuple[Split, ...] = ("train", "valid")
    for split in splits:
        for example in examples(LlmRun.of(task=task, base="polyglot-ko-1.3b"), split):
            text, mark, rest = example.completion.partition(SPECS[task].stop)
            assert (mark, rest) == (SPECS[task].stop, "")
            assert "{" not in example.prompt + text
            assert not isinstance(SPECS[task].parse(text, True), Rejected), text


def test_the_tutor_is_asked_behind_the_text_it_found_or_told_that_there_is_none() -> None:
    prompts = [example.prompt for example in examples(LlmRun.of(task="tutor", augment=False), "valid")]
    assert all(prompt.startswith("(제공된 정보) ") and " (사용자 질문) " in prompt for prompt in prompts)
    nothing = [
        prompt for prompt in prompts if prompt.startswith("(제공된 정보) 알맞은 정보를 찾을 수 없음 (사용자 질문)")
    ]
    assert 0 < len(nothing) < len(prompts)
