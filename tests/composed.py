"""docker-compose.yml, Dockerfile and the .env of the documentation, read as Docker reads them."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
# whoever is served by these is ours
OURS = ("single", "gateway", "worker", "worker-gpu")
_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?:(?P<kind>:[-?])(?P<rest>[^}]*))?\}")


def services() -> dict[str, Any]:
    """As written, with its anchors and without values."""
    return dict(everything()["services"])


def everything() -> dict[str, Any]:
    """The whole file."""
    return dict(yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8")))


def variables() -> dict[str, set[str]]:
    """Name → how it is asked for: `:?` has to be set, `:-` has a default, `` is neither."""
    found: dict[str, set[str]] = {}
    for match in _VARIABLE.finditer((ROOT / "docker-compose.yml").read_text(encoding="utf-8")):
        found.setdefault(match["name"], set()).add(match["kind"] or "")
    return found


def filled(value: Any, given: Mapping[str, str]) -> Any:
    """A part of the file with the variables in it. Raises KeyError for one that has to be set and is not."""
    if isinstance(value, Mapping):
        return {name: filled(part, given) for name, part in value.items()}
    if isinstance(value, list):
        return [filled(part, given) for part in value]
    return _VARIABLE.sub(lambda match: _filled(match, given), value) if isinstance(value, str) else value


def _filled(match: re.Match[str], given: Mapping[str, str]) -> str:
    default = match["rest"] if match["kind"] == ":-" else None
    return given.get(match["name"]) or (default if default is not None else given[match["name"]])


@dataclass
class Stage:
    """A stage of the Dockerfile: (instruction, what follows) in order. `parent`: another stage, or an image."""

    name: str
    parent: str
    steps: list[tuple[str, str]] = field(default_factory=list)


def stages() -> dict[str, Stage]:
    """By name, in order."""
    found: dict[str, Stage] = {}
    for word, rest in _instructions():
        if word == "FROM":
            parent, _, name = rest.split()
            found[name] = Stage(name, parent)
        else:
            [*found.values()][-1].steps.append((word, rest))
    return found


def _instructions() -> Iterator[tuple[str, str]]:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for line in filter(None, lines.replace("\\\n", " ").splitlines()):
        word, _, rest = line.partition(" ")
        yield word, " ".join(rest.split()) if word != "HEALTHCHECK" else rest


def line_of(name: str) -> list[Stage]:
    """A stage and what it is built on, the last first."""
    known, found = stages(), []
    while name in known:
        found.append(known[name])
        name = known[name].parent
    return found


def last(name: str, word: str) -> str:
    """What an instruction says in the image of a stage."""
    return next(rest for stage in line_of(name) for said, rest in reversed(stage.steps) if said == word)


def image_environment(name: str) -> dict[str, str]:
    """What ENV sets in the image of a stage."""
    pairs = [rest for stage in reversed(line_of(name)) for word, rest in stage.steps if word == "ENV"]
    return dict(pair.split("=", 1) for rest in pairs for pair in rest.split())


def documented_env() -> dict[str, str]:
    """The .env that docs/operating.md shows."""
    text = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    block = re.search(r"```sh\n# \.env\n(.*?)```", text, re.DOTALL)
    assert block is not None
    lines = [line.partition("#")[0].strip() for line in block[1].splitlines()]
    return dict(line.split("=", 1) for line in lines if line)


def exec_form(rest: str) -> list[str]:
    """The words of an instruction that needs no shell; anything else is an error."""
    return [str(word) for word in json.loads(rest[rest.index("[") :])]
