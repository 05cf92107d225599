"""LoRA adapters: which base one belongs to, where it lies, and whether it fits, before anything is loaded.

A published adapter names its base by a path of the computer it was trained on. That path is never followed: `--base`,
the folder the adapter lies in, or the catalogue decides.
"""

import json
import shutil
import warnings
from collections.abc import Callable, Mapping
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING

from safetensors import SafetensorError, safe_open

from core.errors import ConfigurationError
from models import downloads
from models.catalogue import folder_name, known_in
from models.downloads import Source, located
from models.locks import Lock

if TYPE_CHECKING:
    from peft import LoraConfig

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"

Shapes = Mapping[str, tuple[int, ...]]


def checked_config(adapter: Path, base: Path) -> "LoraConfig":
    """The adapter's own configuration with `base` in place of whatever path it names, to be given to PEFT.

    Raises ConfigurationError, one sentence, when a file is missing or damaged, the weights are pickled, or the shapes
    are not those that the configuration of `base` asks for. Reads headers only.
    """
    config = _config(adapter)
    found, expected = _found(adapter), _expected(config, adapter, base)
    wrong = [
        f"{name} is {_shape(found, name)} instead of {_shape(expected, name)}"
        for name in sorted(found.keys() | expected.keys())
        if found.get(name) != expected.get(name)
    ]
    if wrong:
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        raise ConfigurationError(f"the adapter {adapter} does not fit the base {base}: {wrong[0]}{more}")
    config.base_model_name_or_path = str(base)
    return config


def base_of(adapter: Path, given: str | None = None) -> str:
    """The name or folder of the base that an adapter belongs to.

    `given` wins; then the folder it lies in, {base}/adapters/{task}, of a profile or of `ohlora train llm`; then what
    its configuration names, if the catalogue knows that. Raises ConfigurationError that asks for --base otherwise.
    """
    if given:
        return given
    around = adapter.absolute().parent.parent
    if (around / "base" / "config.json").is_file():
        return str(around / "base")
    stated = _stored(adapter).get("base_model_name_or_path")
    base = known_in(around.name) or known_in(str(stated))
    if base is None:
        raise ConfigurationError(f"{adapter} names {stated!r} as its base, which is not known here; say it with --base")
    return base.name


def place(task: str, base: str, models: Path) -> Path:
    """Where an adapter lies under the folder of models, pulled or trained: LlmRun.place says the same."""
    return models / folder_name(base) / "adapters" / task


def lock_of(folder: Path) -> Path:
    """The lock of an adapter that was pulled lies beside its folder."""
    return folder.with_name(f"{folder.name}.lock.json")


def install(source: Source, base: str, folder: Path, agree: Callable[[str], None]) -> None:
    """Pull an adapter, check it against its base, and copy it to `folder`, all of it or nothing.

    Raises ConfigurationError when it does not fit, or when something that was not pulled is in the way.
    """
    if (folder / WEIGHTS).exists() and not lock_of(folder).is_file():
        raise ConfigurationError(f"{folder} holds an adapter that was not pulled; move it away first")
    base_folder = located(base)
    came = downloads.pull(source, agree)
    checked_config(came, base_folder)
    lock = Lock.load(source.lock)
    assert lock is not None  # pull has written it
    names = {name.removeprefix(f"{source.folder}/"): file for name, file in lock.files.items()}
    new = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    for name in names:
        (new / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(came / name, new / name)
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)
    Lock(lock.repository, lock.revision, lock.commit, names).save(lock_of(folder))


def _stored(adapter: Path) -> dict[str, object]:
    path = adapter / CONFIG
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} is missing or damaged ({error}); restore it or pull it again") from error
    if not isinstance(stored, dict) or stored.get("peft_type") != "LORA":
        raise ConfigurationError(f"{path} describes no LoRA adapter, and no other kind is served")
    return stored


def _config(adapter: Path) -> "LoraConfig":
    from peft import LoraConfig

    _stored(adapter)
    try:
        config: LoraConfig = LoraConfig.from_pretrained(str(adapter))
    except (TypeError, ValueError, KeyError) as error:
        raise ConfigurationError(f"{adapter / CONFIG} is no LoRA configuration: {error}") from error
    return config


def _found(adapter: Path) -> Shapes:
    """Key → shape, as the header of the weights says."""
    path = adapter / WEIGHTS
    if not path.is_file():
        pickled = " (its weights are pickled, which can run code when read)" if any(adapter.glob("*.bin")) else ""
        raise ConfigurationError(f"{path} is missing{pickled}; weights load as safetensors only")
    try:
        with safe_open(path, framework="numpy") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118, it is no dict
    except (OSError, SafetensorError) as error:
        raise ConfigurationError(f"{path} is damaged ({error}); restore it or pull it again") from error


def _expected(config: "LoraConfig", adapter: Path, base: Path) -> Shapes:
    """Key → shape of the adapter that PEFT would make for this base, without a number of either."""
    import torch
    from huggingface_hub.errors import StrictDataclassError
    from peft import get_peft_model, get_peft_model_state_dict
    from transformers import AutoConfig, AutoModelForCausalLM

    from models.wide_heads import accept_wide_heads

    accept_wide_heads()
    if not (base / "config.json").is_file():
        raise ConfigurationError(f"{base} holds no base model: config.json is missing")
    asked = copy(config)
    asked.base_model_name_or_path = None
    try:
        with torch.device("meta"), warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of transformers to PEFT
            model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(base))  # type: ignore[no-untyped-call]
            tuned = get_peft_model(model, asked, low_cpu_mem_usage=True)
    except (OSError, ValueError, TypeError, KeyError, StrictDataclassError) as error:
        cause = " ".join(str(error).split())
        raise ConfigurationError(f"the adapter {adapter} does not fit the base {base}: {cause}") from error
    weights = get_peft_model_state_dict(tuned, save_embedding_layers=False)
    return {name: tuple(weight.shape) for name, weight in weights.items()}


def _shape(shapes: Shapes, name: str) -> str:
    return "×".join(map(str, shapes[name])) if name in shapes else "not there"
