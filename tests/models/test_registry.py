"""A profile is complete, or one sentence says which file is not and what to do."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from core.errors import ConfigurationError
from models.registry import Profile, packed, unpacked


@pytest.fixture
def copy(tiny_profile: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_profile, tmp_path / "profile"))


def test_a_complete_profile_is_accepted_and_read(tiny_profile: Path) -> None:
    profile = Profile(tiny_profile)
    profile.verify()
    index = profile.recall()
    assert index is not None
    assert index.prompts.shape == (len(index.rows), 32)
    assert profile.version == "tiny-0"


def test_a_profile_without_persona_rows_recalls_nothing(copy: Path) -> None:
    (copy / "recall.jsonl").unlink()
    Profile(copy).verify()
    assert Profile(copy).recall() is None


FILES = (
    "base/model.safetensors",
    "base/tokenizer.json",
    "adapters/memory/adapter_model.safetensors",
    "memory_encoder/model.safetensors",
    "ethics_encoder/model.safetensors",
    "thresholds.json",
    "recall.safetensors",
)


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "garbage", "folder"])
def test_a_missing_or_damaged_file_is_named_in_one_sentence(copy: Path, file: str, damage: str) -> None:
    path = copy / file
    content = path.read_bytes()
    path.unlink()
    match damage:
        case "empty":
            path.write_bytes(b"")
        case "cut":
            path.write_bytes(content[: len(content) // 2])
        case "garbage":
            path.write_bytes(b"\xff\x00\xff" * 100)
        case "folder":
            path.mkdir()
    with pytest.raises(ConfigurationError, match="make bundled") as error:
        Profile(copy).verify()
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "stored",
    [
        [],
        {"memory": 0.6},
        {"memory": "high", "recall": 0.5, "ethics": {"acts": {}, "veto": 0.5}, "version": "x"},
        {"memory": 0.6, "recall": 0.5, "ethics": {"acts": [0.9], "veto": 0.5}, "version": "x"},
        {"memory": 0.6, "ethics": {"acts": {}, "veto": 0.5}, "version": "x"},
        {"memory": 0.6, "recall": 0.5, "ethics": {"acts": {}, "veto": 0.5}},
    ],
)
def test_thresholds_that_lack_something_are_refused(copy: Path, stored: object) -> None:
    (copy / "thresholds.json").write_text(json.dumps(stored), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"thresholds\.json"):
        Profile(copy).verify()


@pytest.mark.parametrize("lines", ["", "{}\n", '{"question": "a", "answer": "b", "kind": "plain"}\n', "no json\n"])
def test_persona_rows_that_do_not_fit_their_vectors_are_refused(copy: Path, lines: str) -> None:
    (copy / "recall.jsonl").write_text(lines, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"recall\."):
        Profile(copy).verify()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="nowhere"):
        Profile(tmp_path / "nowhere").verify()


def test_packed_vectors_come_back_as_the_same_directions() -> None:
    vectors = np.random.default_rng(1).normal(size=(50, 256)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    again = unpacked(packed(vectors))
    assert (np.sum(vectors * again, axis=1) > 0.999).all()
    assert np.allclose(np.linalg.norm(again, axis=1), 1, atol=1e-6)


def test_a_packed_vector_of_zeros_is_refused() -> None:
    with pytest.raises(ValueError, match="zeros"):
        unpacked(np.zeros((1, 8), np.int8))
