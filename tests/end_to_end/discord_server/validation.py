"""The limits that Discord's description leaves unsaid, and what this project wants of every message."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .multipart import File
from .permissions import COMPONENTS_V2
from .things import Message

Json = dict[str, Any]
MIB = 1024 * 1024
CONTENT, NONCE, CUSTOM_ID, EMBEDS_TOGETHER, ATTACHMENTS = 2000, 25, 100, 6000, 10
FILE_BYTES, REQUEST_BYTES = 10 * MIB, 25 * MIB
EMBED = {"title": 256, "description": 4096}
FIELD = {"name": 256, "value": 1024}
COMMAND_CHARACTERS = 8000


@dataclass(frozen=True)
class Violation:
    """Something a bot must not send."""

    method: str
    path: str
    why: str


def units(text: str) -> int:
    """Length in UTF-16 units, which is never less than in characters."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def message_faults(payload: Json, files: Mapping[int, File]) -> Iterator[str]:
    """What is wrong with a message that is sent or edited, beyond what the description says."""
    content = payload.get("content") or ""
    if units(content) > CONTENT:
        yield f"content: {units(content)} units, {CONTENT} at most"
    if units(str(payload.get("nonce") or "")) > NONCE:
        yield f"nonce: {NONCE} characters at most"
    yield from _mention_faults(payload)
    yield from _embed_faults(payload.get("embeds") or [])
    yield from _file_faults(payload.get("attachments") or [], files)
    for name in _custom_ids(payload.get("components") or []):
        if units(name) > CUSTOM_ID:
            yield f"custom_id: {CUSTOM_ID} characters at most"


def _mention_faults(payload: Json) -> Iterator[str]:
    allowed = payload.get("allowed_mentions")
    speaks = payload.get("content") or (payload.get("flags") or 0) & COMPONENTS_V2
    if allowed is None:
        if speaks:
            yield "allowed_mentions: missing"
    elif allowed.get("parse") or allowed.get("users") or allowed.get("roles") or allowed.get("replied_user"):
        yield "allowed_mentions: allows something"
    elif "parse" not in allowed:
        yield "allowed_mentions.parse: missing"


def _embed_faults(embeds: list[Json]) -> Iterator[str]:
    together = 0
    for embed in embeds:
        fields = embed.get("fields") or []
        for part, limits in [(embed, EMBED), *((field, FIELD) for field in fields)]:
            for name, limit in limits.items():
                length = units(part.get(name) or "")
                together += length
                if length > limit:
                    yield f"embeds.{name}: {length} units, {limit} at most"
        together += units((embed.get("footer") or {}).get("text") or "")
        together += units((embed.get("author") or {}).get("name") or "")
    if together > EMBEDS_TOGETHER:
        yield f"embeds: {together} units together, {EMBEDS_TOGETHER} at most"


def _file_faults(listed: list[Json], files: Mapping[int, File]) -> Iterator[str]:
    described = {str(one["id"]): one.get("description") for one in listed}
    if len(files) > ATTACHMENTS:
        yield f"files: {ATTACHMENTS} at most"
    for number, file in files.items():
        if len(file.data) > FILE_BYTES:
            yield f"files[{number}]: {len(file.data)} bytes, {FILE_BYTES} at most"
        if not (described.get(str(number)) or "").strip():
            yield f"files[{number}]: no description (alternative text)"


def _custom_ids(components: list[Json]) -> Iterator[str]:
    for component in components:
        if component.get("custom_id"):
            yield component["custom_id"]
        inner = component.get("components") or []
        yield from _custom_ids([*inner, *(component[key] for key in ("component", "accessory") if component.get(key))])


def command_faults(commands: list[Json]) -> Iterator[str]:
    """What is wrong with slash commands, beyond what the description says."""
    names = [(command.get("type") or 1, command["name"]) for command in commands]
    if len(set(names)) < len(names):
        yield "commands: a name twice"
    for command in commands:
        if (command.get("type") or 1) != 1:
            continue
        if not command.get("description"):
            yield f"{command['name']}: no description"
        if _characters(command) > COMMAND_CHARACTERS:
            yield f"{command['name']}: {COMMAND_CHARACTERS} characters at most"
        yield from _name_faults(command)


def _name_faults(option: Json) -> Iterator[str]:
    for name in (option["name"], *(option.get("name_localizations") or {}).values()):
        if name != name.lower() or not all(letter.isalnum() or letter in "-_'" for letter in name):
            yield f"{name!r}: not a name for a command or option"
    optional = False
    for inner in option.get("options") or []:
        yield from _name_faults(inner)
        if inner.get("required") and optional:
            yield f"{option['name']}: a required option after an optional one"
        optional = optional or not inner.get("required")


def _characters(option: Json) -> int:
    own = sum(_longest(option, key) for key in ("name", "description"))
    chosen = sum(_longest(choice, "name") + len(str(choice["value"])) for choice in option.get("choices") or [])
    return own + chosen + sum(_characters(inner) for inner in option.get("options") or [])


def _longest(option: Json, key: str) -> int:
    translated = (option.get(f"{key}_localizations") or {}).values()
    return max(len(text) for text in (option.get(key) or "", *translated))


def would_ping(message: Message) -> set[str]:
    """What a stored message pings under its allowed_mentions; without any, everything that it names."""
    allowed = message.allowed_mentions
    parse = {"everyone", "users", "roles"} if allowed is None else set(allowed.get("parse") or [])
    users = set(map(str, (allowed or {}).get("users") or []))
    roles = set(map(str, (allowed or {}).get("roles") or []))
    text = message.content
    pinged = {found for found in re.findall(r"@everyone|@here", text) if "everyone" in parse}
    pinged |= {f"<@{id}>" for id in re.findall(r"<@!?(\d+)>", text) if "users" in parse or id in users}
    pinged |= {f"<@&{id}>" for id in re.findall(r"<@&(\d+)>", text) if "roles" in parse or id in roles}
    if message.reference is not None and (allowed is None or allowed.get("replied_user")):
        pinged.add(message.reference.author.mention)
    return pinged
