"""Adapters of the real models' shapes, scaled down: told to their base whatever path they name, checked, served."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from core.errors import ConfigurationError
from models.adapters import CONFIG, WEIGHTS, base_of, checked_config
from models.causal_lm import CausalLM, Sampling
from tests.models.scaled_down import TASKS, make_scaled_down, rewrite

# transformers says so of PEFT
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing.*:FutureWarning")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("original")
    make_scaled_down(root)
    return root


@pytest.fixture
def adapter(models: Path, tmp_path: Path) -> Path:
    """A copy to damage, away from its base."""
    return Path(shutil.copytree(models / "polyglot-ko-1.3b" / "adapters" / "memory", tmp_path / "lora"))


@pytest.mark.parametrize("name", TASKS)
def test_adapters_that_name_a_foreign_path_load_over_their_base_and_complete_a_batch(name: str, models: Path) -> None:
    adapters = {task: models / name / "adapters" / task for task in TASKS[name]}
    for folder in adapters.values():
        base = Path(base_of(folder))
        assert base == models / name / "base"
        config = checked_config(folder, base)
        assert config.base_model_name_or_path == str(base)
        assert config.r == 8
    served = CausalLM(models / name / "base", adapters, seed=1)
    rows = [Sampling(prompt, "(끝)", 6, 0) for prompt in ("안녕", "오늘 뭐 했어? (답변 시작)", "응")]
    one, other = (served.complete(task, rows) for task in adapters)
    assert len(one) == len(other) == 3
    assert all(0 < completion.tokens <= 6 for completion in one + other)
    assert one != other  # each adapter says something of its own


def test_what_is_given_wins_then_the_place_then_what_the_catalogue_knows(models: Path, adapter: Path) -> None:
    assert base_of(adapter, "bundled") == "bundled"
    with pytest.raises(ConfigurationError, match=r"the_base.*--base"):
        base_of(adapter)
    rewrite(adapter, base_model_name_or_path=r"C:\Users\someone\kanana-1.5-2.1b-base")
    assert base_of(adapter) == "kanana-1.5-2.1b-base"
    trained = Path(shutil.copytree(adapter, adapter.parent / "polyglot-ko-1.3b" / "adapters" / "memory"))
    assert base_of(trained) == "polyglot-ko-1.3b"


def said(adapter: Path, base: Path) -> str:
    with pytest.raises(ConfigurationError) as error:
        checked_config(adapter, base)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_an_adapter_of_another_family_does_not_fit(models: Path, adapter: Path) -> None:
    base = models / "kanana-1.5-2.1b-base" / "base"
    assert f"the adapter {adapter} does not fit the base {base}" in said(adapter, base)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("rank", "is 8×64 instead of 4×64"),
        ("width", "lora_A.weight is 8×32 instead of 8×64"),
        ("fewer layers", "is not there instead of"),
        ("more layers", "instead of not there"),
        ("a layer of the base", "embed_in.weight is 4×4 instead of not there"),
    ],
)
def test_shapes_that_do_not_fit_are_named_before_anything_is_loaded(
    change: str, expected: str, models: Path, adapter: Path
) -> None:
    weights = load_file(adapter / WEIGHTS)
    name = next(name for name in sorted(weights) if "lora_A" in name)
    match change:
        case "rank":
            rewrite(adapter, r=4)
        case "width":
            weights[name] = np.ascontiguousarray(weights[name][:, :32])
        case "fewer layers":
            del weights[name]
        case "more layers":
            weights[name.replace("layers.0", "layers.9")] = weights[name]
        case "a layer of the base":
            weights["base_model.model.gpt_neox.embed_in.weight"] = np.ones((4, 4), np.float32)
    save_file(weights, adapter / WEIGHTS)
    assert expected in said(adapter, models / "polyglot-ko-1.3b" / "base")


@pytest.mark.parametrize(
    ("file", "content", "expected"),
    [
        (CONFIG, None, "adapter_config.json is missing or damaged"),
        (CONFIG, b"{", "adapter_config.json is missing or damaged"),
        (CONFIG, b'{"peft_type": "PREFIX_TUNING"}', "describes no LoRA adapter"),
        (CONFIG, b'{"peft_type": "LORA", "r": 0, "task_type": "CAUSAL_LM"}', "does not fit"),
        (WEIGHTS, None, "weights load as safetensors only"),
        (WEIGHTS, b"\xff\x00", "adapter_model.safetensors is damaged"),
    ],
)
def test_a_missing_or_damaged_file_is_named(
    file: str, content: bytes | None, expected: str, models: Path, adapter: Path
) -> None:
    (adapter / file).unlink()
    if content is not None:
        (adapter / file).write_bytes(content)
    assert expected in said(adapter, models / "polyglot-ko-1.3b" / "base")


def test_an_adapter_that_adds_nothing_to_its_base_is_refused(models: Path, adapter: Path) -> None:
    weights = load_file(adapter / WEIGHTS)
    save_file({name: np.zeros_like(it) if "lora_B" in name else it for name, it in weights.items()}, adapter / WEIGHTS)
    with pytest.raises(ConfigurationError, match="answers like its base"):
        CausalLM(models / "polyglot-ko-1.3b" / "base", {"memory": adapter})


def test_pickled_weights_are_refused(models: Path, adapter: Path) -> None:
    (adapter / WEIGHTS).rename(adapter / "adapter_model.bin")
    assert "pickled" in said(adapter, models / "polyglot-ko-1.3b" / "base")


def test_a_folder_without_a_base_is_named(adapter: Path, tmp_path: Path) -> None:
    assert "config.json is missing" in said(adapter, tmp_path / "nothing")
