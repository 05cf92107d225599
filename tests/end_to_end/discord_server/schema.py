"""Discord's own OpenAPI description, compiled route by route as the routes are used."""

import functools
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry
from referencing.jsonschema import DRAFT202012

SCHEMA = Path(__file__).resolve().parents[3].parent / "shared" / "spec" / "api" / "discord-openapi.json"
ROOT = "urn:discord"


class Schema:
    """Judges bodies and queries; where the file is missing it accepts everything, except under CI."""

    def __init__(self, path: Path = SCHEMA) -> None:
        """FileNotFoundError where the file is missing though CI is true."""
        if not path.exists() and os.environ.get("CI") == "true":
            raise FileNotFoundError(path)
        self._document: dict[str, Any] | None = json.loads(path.read_bytes()) if path.exists() else None
        self._registry: Registry[Any] = Registry()
        self._validators: dict[str, Draft202012Validator] = {}
        if self._document is not None:
            # Discord takes numbers for ids, and its libraries send them.
            self._document["components"]["schemas"]["SnowflakeType"]["type"] = ["string", "integer"]
            self._registry = self._registry.with_resource(ROOT, DRAFT202012.create_resource(self._document))

    @property
    def present(self) -> bool:
        return self._document is not None

    def body(self, method: str, template: str, payload: Any) -> str | None:
        """Why the body is wrong, None where it is not."""
        content = self._operation(method, template).get("requestBody", {}).get("content", {})
        if "application/json" not in content:
            return None
        place = [*_place(method, template), "requestBody", "content", "application/json", "schema"]
        return self._why(place, payload)

    def query(self, method: str, template: str, query: Mapping[str, str]) -> str | None:
        """Why the query is wrong, None where it is not."""
        if not query or self._document is None:
            return None
        known = {
            one["name"]: number for number, one in enumerate(self._operation(method, template).get("parameters", []))
        }
        for name, text in query.items():
            if name not in known:
                return f"{name}: unknown in the query"
            number = known[name]
            kind = self._operation(method, template)["parameters"][number]["schema"].get("type")
            why = self._why([*_place(method, template), "parameters", str(number), "schema"], _typed(text, kind))
            if why is not None:
                return f"{name}: {why}"
        return None

    def _operation(self, method: str, template: str) -> dict[str, Any]:
        if self._document is None:
            return {}
        found: dict[str, Any] = self._document["paths"].get(template, {}).get(method.lower(), {})
        return found

    def _why(self, place: list[str], value: Any) -> str | None:
        pointer = "/".join(part.replace("~", "~0").replace("/", "~1") for part in place)
        validator = self._validators.get(pointer)
        if validator is None:
            validator = Draft202012Validator({"$ref": f"{ROOT}#/{pointer}"}, registry=self._registry)
            self._validators[pointer] = validator
        if validator.is_valid(value):
            return None
        error = best_match(validator.iter_errors(value))
        return f"{error.json_path}: {error.message[:300]}"


@functools.cache
def shared() -> Schema:
    """The one that every server of this process shares."""
    return Schema()


def _place(method: str, template: str) -> list[str]:
    return ["paths", template, method.lower()]


def _typed(text: str, kind: Any) -> Any:
    """A query value as the type that the description wants, or as it is."""
    if kind == "integer" and text.lstrip("-").isdigit():
        return int(text)
    if kind == "boolean" and text.lower() in ("0", "1", "true", "false"):
        return text.lower() in ("1", "true")
    return text
