"""What is known of models, how they are named, and what downloads are held to."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from core.errors import ConfigurationError
from models.catalogue import ADAPTERS, BASES, TERMS, known, known_in
from models.downloads import Source
from models.licences import ensure_accepted
from models.locks import Lock, Stored, verify
from models.training.run_config import LlmRun


@pytest.mark.parametrize(
    ("name", "repository"),
    [
        ("polyglot-ko-1.3b", "EleutherAI/polyglot-ko-1.3b"),
        ("EleutherAI/polyglot-ko-1.3b", "EleutherAI/polyglot-ko-1.3b"),
        ("polyglot-ko-1.3b@0123abc", "EleutherAI/polyglot-ko-1.3b"),
        ("polyglot-ko-5.8b", None),
        ("someone/polyglot-ko-1.3b", None),
    ],
)
def test_a_base_is_known_by_its_name_and_its_repository(name: str, repository: str | None) -> None:
    base = known(name)
    assert (base.repository if base else None) == repository


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (r"C:\Users\someone\models\kanana-1.5-2.1b-base", "kanana-1.5-2.1b-base"),
        (r"C:\Users\someone\.cache\hub\models--EleutherAI--polyglot-ko-1.3b\snapshots\0123abc", "polyglot-ko-1.3b"),
        ("/home/someone/polyglot-ko-1.3b/", "polyglot-ko-1.3b"),
        ("google/gemma-2-2b-it", "gemma-2-2b-it"),
        (r"C:\Users\someone\models\original", None),
        ("", None),
    ],
)
def test_a_path_of_another_computer_tells_the_base_by_its_parts(path: str, name: str | None) -> None:
    base = known_in(path)
    assert (base.name if base else None) == name


def test_every_original_adapter_has_the_base_and_rank_that_training_takes() -> None:
    for adapter in ADAPTERS.values():
        run = LlmRun.of(task=adapter.task, base=adapter.base)
        assert BASES[adapter.base].name == run.base
        assert adapter.rank == run.rank


def test_only_gemma_has_terms_to_accept() -> None:
    assert {base.name for base in BASES.values() if base.terms} == {"gemma-2-2b-it"}


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("polyglot-ko-1.3b", Source("EleutherAI/polyglot-ko-1.3b", "main")),
        ("owner/model", Source("owner/model", "main")),
        ("owner/model@v1", Source("owner/model", "v1")),
        ("owner/model/a/b@v1", Source("owner/model", "v1", "a/b")),
        ("gpt2", Source("gpt2", "main")),
    ],
)
def test_a_source_is_read_as_people_write_it(text: str, source: Source) -> None:
    assert Source.of(text) == source


def test_each_source_has_a_lock_of_its_own() -> None:
    texts = ["owner/model", "owner/model@v1", "owner/model/v1", "owner/model@refs/pr/1", "owner/other"]
    assert len({Source.of(text).lock for text in texts}) == len(texts)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_file({"weight": np.ones(8, np.float32)}, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    return tmp_path


def locked(folder: Path) -> Lock:
    return Lock("owner/model", "main", "0123", {path.name: Stored.of(path) for path in folder.iterdir()})


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "is missing"), (b"{ }", "has 3 bytes instead of 2"), (b"[]", "was altered")],
)
def test_what_differs_from_the_lock_is_named(folder: Path, content: bytes | None, said: str) -> None:
    lock = locked(folder)
    assert verify(folder, lock) == 2
    path = folder / "config.json"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=said) as error:
        verify(folder, lock)
    assert str(path) in str(error.value)


def test_weights_without_a_lock_must_at_least_be_readable(folder: Path) -> None:
    assert verify(folder, None) == 1
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(ConfigurationError, match=r"model\.safetensors is damaged"):
        verify(folder, None)
    weights.unlink()
    with pytest.raises(ConfigurationError, match="no safetensors"):
        verify(folder, None)


def test_a_lock_is_read_as_it_was_written(folder: Path) -> None:
    lock, path = locked(folder), folder / "lock.json"
    assert Lock.load(path) is None
    lock.save(path)
    assert Lock.load(path) == lock


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"files": {"a": 1}}', '{"files": {}, "commit": "x"}'])
def test_a_damaged_lock_is_named(content: str, tmp_path: Path) -> None:
    path = tmp_path / "lock.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"lock\.json is no lock"):
        Lock.load(path)


def test_terms_stay_accepted_and_others_are_kept(tmp_path: Path) -> None:
    record = tmp_path / "licences.json"
    ensure_accepted("apache-2.0", None, record)
    assert not record.exists()
    with pytest.raises(ConfigurationError, match=r"https://ai\.google\.dev/gemma/terms"):
        ensure_accepted("gemma", None, record)
    record.write_text('{"another": {}}', encoding="utf-8")
    ensure_accepted("gemma", "gemma", record)
    ensure_accepted("gemma", None, record)
    stored = json.loads(record.read_text(encoding="utf-8"))
    assert set(stored) == {"another", "gemma"}
    assert stored["gemma"]["terms"] == TERMS["gemma"]
