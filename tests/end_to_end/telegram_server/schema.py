"""The Bot API's own description as a judge: is this value of that type?

The description's type language: "Integer", "String", "Boolean", "Float", "Array of X", "InputFile", and objects by
name, either with fields or with subtypes. Everything is looked up once, when the description is read.
"""

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

DESCRIPTION = Path(__file__).resolve().parents[3].parent / "shared" / "spec" / "api" / "telegram-bot-api.json"
ARRAY = "Array of "
CONSTANT = re.compile(r"(?:must be |always [\"“])(\w+)[\"”]?$")
DISCRIMINATORS = ("type", "status", "source")

PLAIN: dict[str, Callable[[Any], bool]] = {
    "Integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "Float": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "Boolean": lambda value: isinstance(value, bool),
    "String": lambda value: isinstance(value, str),
}


class Mismatch(Exception):
    """A value that does not fit the description; the text says where and why."""


@dataclass(frozen=True)
class Upload:
    """A file part of a multipart request."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Field:
    """One parameter of a method or one field of an object."""

    name: str
    types: tuple[str, ...]
    required: bool
    constant: str | None


def _fields(entry: Mapping[str, Any]) -> dict[str, Field]:
    found = {}
    for field in entry.get("fields", ()):
        constant = CONSTANT.search(field["description"]) if field["name"] in DISCRIMINATORS else None
        value = constant[1] if constant else None
        found[field["name"]] = Field(field["name"], tuple(field["types"]), field["required"], value)
    return found


class Schema:
    """Methods and types of one version of the Bot API."""

    def __init__(self, description: Mapping[str, Any]) -> None:
        self.methods = {name: _fields(entry) for name, entry in description["methods"].items()}
        self.returns = {name: tuple(entry["returns"]) for name, entry in description["methods"].items()}
        self._types = {name: _fields(entry) for name, entry in description["types"].items()}
        self._subtypes = {name: tuple(entry.get("subtypes", ())) for name, entry in description["types"].items()}

    def arguments(self, method: str, raw: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters of a call with form fields decoded; raises Mismatch on the first that does not fit."""
        fields = self.methods[method]
        # an uploaded file under another name than a parameter's is what an attach:// names
        loose = {name for name, value in raw.items() if name not in fields and isinstance(value, Upload)}
        decoded = {}
        for name, value in raw.items():
            if name in loose:
                decoded[name] = value
            elif name in fields:
                decoded[name] = self._decoded(value, fields[name].types, name)
            else:
                raise Mismatch(f"unknown parameter {name}")
        missing = [field.name for field in fields.values() if field.required and field.name not in raw]
        if missing:
            raise Mismatch(f"missing {', '.join(missing)}")
        return decoded

    def check(self, value: Any, types: Sequence[str], where: str = "") -> None:
        """Raise Mismatch unless the JSON value is of one of the types."""
        reasons = []
        for kind in types:
            try:
                return self._check_one(value, kind, where)
            except Mismatch as error:
                reasons.append(str(error))
        raise Mismatch("; or ".join(reasons))

    def _decoded(self, value: Any, types: tuple[str, ...], where: str) -> Any:
        if isinstance(value, Upload):
            if "InputFile" not in types:
                raise Mismatch(f"{where}: a file, expected {' or '.join(types)}")
            return value
        if isinstance(value, str) and "String" not in types:
            try:
                value = json.loads(value)
            except ValueError:
                raise Mismatch(f"{where}: {value[:80]!r} is not {' or '.join(types)}") from None
        elif isinstance(value, str) and "Integer" in types and re.fullmatch(r"-?\d+", value):
            value = int(value)
        self.check(value, types, where)
        return value

    def _check_one(self, value: Any, kind: str, where: str) -> None:
        if kind in PLAIN:
            if not PLAIN[kind](value):
                raise Mismatch(f"{where}: {str(value)[:80]!r} is not {kind}")
        elif kind.startswith(ARRAY):
            if not isinstance(value, list):
                raise Mismatch(f"{where}: expected {kind}")
            for place, item in enumerate(value):
                self._check_one(item, kind.removeprefix(ARRAY), f"{where}[{place}]")
        elif self._subtypes[kind]:
            self.check(value, self._subtypes[kind], where)
        else:
            self._check_object(value, kind, where)

    def _check_object(self, value: Any, kind: str, where: str) -> None:
        if not isinstance(value, dict):
            raise Mismatch(f"{where}: expected {kind}")
        fields = self._types[kind]
        for name, item in value.items():
            if name not in fields:
                raise Mismatch(f"{where}: {kind} has no field {name}")
            field = fields[name]
            if field.constant is not None and item != field.constant:
                raise Mismatch(f"{where}.{name}: {item!r} is not {field.constant!r}")
            self.check(item, field.types, f"{where}.{name}")
        missing = [field.name for field in fields.values() if field.required and field.name not in value]
        if missing:
            raise Mismatch(f"{where}: {kind} without {', '.join(missing)}")


@lru_cache(maxsize=1)
def load() -> Schema | None:
    """The description beside the checkout; None where it is missing, which a CI run does not accept."""
    if DESCRIPTION.exists():
        return Schema(json.loads(DESCRIPTION.read_bytes()))
    if os.environ.get("CI") == "true":
        raise FileNotFoundError(DESCRIPTION)
    return None
