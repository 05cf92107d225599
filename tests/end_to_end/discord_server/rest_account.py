"""Routes of the bot's account: itself, people, guilds, the gateway's address, slash commands."""

from typing import Any

from . import payloads
from .people import People
from .permissions import application_flags
from .rest import ApiError, Call, Json, Route

COMMANDS = "/applications/{application_id}/commands"
GUILD_COMMANDS = "/applications/{application_id}/guilds/{guild_id}/commands"


class Account:
    """What a bot asks when it starts, and when it looks somebody up."""

    def __init__(self, world: People) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """Method, template, handler."""
        return [
            ("GET", "/gateway", self._gateway),
            ("GET", "/gateway/bot", self._gateway),
            ("GET", "/users/@me", self._me),
            ("GET", "/oauth2/applications/@me", self._application),
            ("GET", "/applications/@me", self._application),
            ("GET", "/users/{user_id}", self._user),
            ("POST", "/users/@me/channels", self._open_dm),
            ("GET", "/guilds/{guild_id}", self._guild),
            ("GET", "/guilds/{guild_id}/members/{user_id}", self._member),
            *((method, path, work) for path in (COMMANDS, GUILD_COMMANDS) for method, work in self._command_routes()),
        ]

    def _command_routes(self) -> list[tuple[str, Any]]:
        return [("GET", self._commands), ("PUT", self._overwrite), ("POST", self._upsert)]

    async def _gateway(self, call: Call) -> Json:
        limit = {"total": 1000, "remaining": 1000, "reset_after": 0, "max_concurrency": 1}
        return {"url": self._world.gateway_url, "shards": 1, "session_start_limit": limit}

    async def _me(self, call: Call) -> Json:
        return {**payloads.user(self._world.bot), "verified": True, "mfa_enabled": False, "locale": "en-US", "flags": 0}

    async def _application(self, call: Call) -> Json:
        bot = self._world.bot
        return {
            "id": str(bot.id), "name": bot.name, "icon": None, "description": "", "rpc_origins": [], "summary": "",
            "bot_public": True, "bot_require_code_grant": False, "verify_key": "0" * 64, "team": None, "hook": True,
            "flags": application_flags(self._world.settings.portal), "bot": payloads.user(bot),
            "owner": payloads.user(bot), "approximate_guild_count": len(self._world.guilds),
        }  # fmt: skip

    async def _user(self, call: Call) -> Json:
        user = self._world.users.get(call.id("user_id"))
        if user is None:
            raise ApiError(404, 10013, "Unknown User")
        return payloads.user(user)

    async def _open_dm(self, call: Call) -> Json:
        user = self._world.users.get(int(call.payload["recipient_id"]))
        if user is None or user is self._world.bot:
            raise ApiError(400, 50033, "Invalid Recipient(s)")
        return payloads.channel(self._world.dm(user), self._world.bot)

    async def _guild(self, call: Call) -> Json:
        guild = self._world.guilds.get(call.id("guild_id"))
        if guild is None:
            raise ApiError(404, 10004, "Unknown Guild")
        return payloads.guild(guild, self._world.bot)

    async def _member(self, call: Call) -> Json:
        guild = self._world.guilds.get(call.id("guild_id"))
        if guild is None:
            raise ApiError(404, 10004, "Unknown Guild")
        user = guild.members.get(call.id("user_id"))
        if user is None:
            raise ApiError(404, 10007, "Unknown Member")
        return payloads.full_member(guild, user, bot=self._world.bot)

    async def _commands(self, call: Call) -> list[Json]:
        return self._world.commands.registered.get(self._scope(call), [])

    async def _overwrite(self, call: Call) -> list[Json]:
        registered = self._world.commands.overwrite(call.payload or [], self._scope(call))
        self._world.changed()
        return registered

    async def _upsert(self, call: Call) -> Json:
        registered = self._world.commands.upsert(call.payload, self._scope(call))
        self._world.changed()
        return registered

    def _scope(self, call: Call) -> int | None:
        if call.id("application_id") != self._world.bot.id:
            raise ApiError(403, 20012, "You are not authorized to perform this action on this application")
        return call.id("guild_id") if "guild_id" in call.values else None
