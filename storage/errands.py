"""What the streams between gateways and workers hold, as JSON with a version."""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from core.messages import MessageKey

VERSION = 1
_FIELD = "v"


class Failure(StrEnum):
    """Why there is no reply."""

    OVERLOADED = "overloaded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Errand:
    """A message that waits in the record, for whoever has the partition; twice: it may read otherwise now."""

    partition: int
    key: MessageKey


@dataclass(frozen=True, slots=True)
class Delivered:
    """An errand as a worker gets it. `entry`: its id in the stream; `before`: how often a worker had it already."""

    entry: str
    errand: Errand
    before: int = 0


@dataclass(frozen=True, slots=True)
class Reference:
    """What became of an errand: a committed turn; turn 0: there is nothing to deliver.

    `cases`: the numbers of those of the turn, as in bot.turns.Committed. `position`, `wait_s`: as in EngineOverloaded.
    """

    key: MessageKey
    turn_id: int = 0
    cases: tuple[int, ...] | None = ()
    failure: Failure | None = None
    position: int = 0
    wait_s: float = 0.0


def of_errand(errand: Errand) -> dict[str, str]:
    """The fields of its entry."""
    return _packed(errand.key, {})


def to_delivered(partition: int, entry: str, fields: dict[str, str], before: int = 0) -> Delivered | None:
    """None for what a newer version wrote: a newer worker will take it."""
    unpacked = _unpacked(fields)
    return Delivered(entry, Errand(partition, unpacked[0]), before) if unpacked else None


def of_reference(reference: Reference) -> dict[str, str]:
    """The fields of its entry."""
    said: dict[str, Any] = {"turn": reference.turn_id, "cases": reference.cases}
    if reference.failure is not None:
        said |= {"failure": reference.failure, "position": reference.position, "wait_s": reference.wait_s}
    return _packed(reference.key, said)


def to_reference(fields: dict[str, str]) -> Reference | None:
    """None for what a newer version wrote."""
    unpacked = _unpacked(fields)
    if unpacked is None:
        return None
    key, said = unpacked
    failure = Failure(said["failure"]) if "failure" in said else None
    cases = None if said["cases"] is None else tuple(said["cases"])
    return Reference(key, said["turn"], cases, failure, said.get("position", 0), said.get("wait_s", 0.0))


def _packed(key: MessageKey, said: dict[str, Any]) -> dict[str, str]:
    which = (key.platform, key.chat_id, key.message_id)
    return {_FIELD + str(VERSION): json.dumps({"key": which, **said}, separators=(",", ":"))}


def _unpacked(fields: dict[str, str]) -> tuple[MessageKey, dict[str, Any]] | None:
    packed = fields.get(_FIELD + str(VERSION))
    if packed is None:
        return None
    said = json.loads(packed)
    return MessageKey(*said["key"]), said
