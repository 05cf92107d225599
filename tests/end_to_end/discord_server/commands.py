"""The application's registered slash commands, and what Discord makes of a person's use of one."""

from typing import Any

from . import payloads
from .permissions import Permission
from .snowflakes import Snowflakes
from .things import Channel, Role, User

Json = dict[str, Any]
SUBCOMMAND, GROUP, STRING, INTEGER, BOOLEAN, NUMBER = 1, 2, 3, 4, 5, 10
NESTED = (SUBCOMMAND, GROUP)
ENTITIES = (User, Channel, Role)
PLAIN: dict[int, type | tuple[type, ...]] = {STRING: str, INTEGER: int, BOOLEAN: bool, NUMBER: (int, float)}


class NotOffered(Exception):
    """Discord would not offer this command, or not take it so, from this person here."""


class Commands:
    """What was registered, by guild (None: everywhere). `overwrites` counts the bulk overwrites, `last` is the last."""

    def __init__(self, snowflakes: Snowflakes, bot: User) -> None:
        self.registered: dict[int | None, list[Json]] = {}
        self.overwrites = 0
        self.last: list[Json] | None = None
        self._snowflakes = snowflakes
        self._bot = bot

    def overwrite(self, commands: list[Json], guild: int | None = None) -> list[Json]:
        """Replace all; a command that keeps its name keeps its id."""
        self.overwrites += 1
        self.last = commands
        before = {(one["type"], one["name"]): one["id"] for one in self.registered.get(guild, [])}
        self.registered[guild] = [self._stored(one, before, guild) for one in commands]
        return self.registered[guild]

    def upsert(self, command: Json, guild: int | None = None) -> Json:
        """Add one, or replace the one of its name."""
        others = [one for one in self.registered.get(guild, []) if one["name"] != command["name"]]
        before = {(one["type"], one["name"]): one["id"] for one in self.registered.get(guild, [])}
        stored = self._stored(command, before, guild)
        self.registered[guild] = [*others, stored]
        return stored

    def _stored(self, command: Json, before: dict[tuple[int, str], str], guild: int | None) -> Json:
        kind = command.get("type") or 1
        may = command.get("default_member_permissions")
        stored = {
            **command, "type": kind, "id": before.get((kind, command["name"])) or str(self._snowflakes.next()),
            "application_id": str(self._bot.id), "version": str(self._snowflakes.next()),
            "description": command.get("description") or "", "options": command.get("options") or [],
            "default_member_permissions": None if may is None else str(may),
        }  # fmt: skip
        return stored if guild is None else {**stored, "guild_id": str(guild)}

    def call(self, user: User, channel: Channel, name: str, subcommand: str | None, options: Json) -> Json:
        """The `data` of the interaction. NotOffered as Discord's clients would refuse."""
        guild = channel.guild
        everywhere, here = self.registered.get(None, []), [] if guild is None else self.registered.get(guild.id, [])
        command = next((one for one in [*here, *everywhere] if one["type"] == 1 and one["name"] == name), None)
        if command is None:
            raise NotOffered(f"/{name} is not registered")
        self._check_access(command, user, channel)
        path = _path(command, (subcommand or "").split())
        resolved: Json = {}
        known = _accepted(name, path[-1].get("options") or [], options)
        sent = [_option(one, options[one["name"]], resolved) for one in known]
        for part in reversed(path[1:]):
            sent = [{"type": part["type"], "name": part["name"], "options": sent}]
        data: Json = {"id": command["id"], "name": name, "type": 1, "options": sent}
        return {**data, "resolved": resolved} if resolved else data

    @staticmethod
    def _check_access(command: Json, user: User, channel: Channel) -> None:
        contexts = command.get("contexts")
        if channel.guild is None:
            if command.get("dm_permission") is False or "guild_id" in command or (contexts and 1 not in contexts):
                raise NotOffered("not in direct chats")
            return
        if contexts and 0 not in contexts:
            raise NotOffered("not in guilds")
        needed = command["default_member_permissions"]
        if needed is not None and Permission(int(needed)) not in channel.guild.permissions_of(user):
            raise NotOffered("not for this person")


def _path(command: Json, parts: list[str]) -> list[Json]:
    """The command, the group and the subcommand that `parts` name."""
    path = [command]
    for part in parts:
        inner = [one for one in path[-1].get("options") or [] if one["name"] == part and one["type"] in NESTED]
        if not inner:
            raise NotOffered(f"/{command['name']} has no {part}")
        path += inner
    if any(one["type"] in NESTED for one in path[-1].get("options") or []):
        raise NotOffered(f"/{command['name']} needs a subcommand")
    return path


def _accepted(name: str, known: list[Json], options: Json) -> list[Json]:
    unknown = set(options) - {one["name"] for one in known}
    missing = [one["name"] for one in known if one.get("required") and one["name"] not in options]
    if unknown or missing:
        raise NotOffered(f"/{name}: unknown {sorted(unknown)}, missing {missing}")
    return [one for one in known if one["name"] in options]


def _option(known: Json, value: Any, resolved: Json) -> Json:
    kind = known["type"]
    if isinstance(value, User):
        resolved.setdefault("users", {})[str(value.id)] = payloads.user(value)
    elif isinstance(value, Channel):
        shown = {
            "id": str(value.id),
            "name": value.name,
            "type": value.kind,
            "permissions": str(int(value.permissions)),
        }
        resolved.setdefault("channels", {})[str(value.id)] = shown
    elif isinstance(value, Role):
        shown = payloads.role(value.id, value.name, value.permissions, position=1)
        resolved.setdefault("roles", {})[str(value.id)] = shown
    elif not isinstance(value, PLAIN.get(kind, ())):
        raise NotOffered(f"{known['name']}: {value!r} is of another type")
    elif not _fits(known, value):
        raise NotOffered(f"{known['name']}: {value!r} is out of bounds")
    return {"type": kind, "name": known["name"], "value": str(value.id) if isinstance(value, ENTITIES) else value}


def _fits(known: Json, value: Any) -> bool:
    if known.get("choices"):
        return any(value == choice["value"] for choice in known["choices"])
    if isinstance(value, str):
        return int(known.get("min_length", 0)) <= len(value) <= int(known.get("max_length", 6000))
    low, high = known.get("min_value"), known.get("max_value")
    return (low is None or value >= low) and (high is None or value <= high)
