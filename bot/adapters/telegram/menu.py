"""The list of commands that Telegram shows, for each kind of chat and in both languages."""

import hashlib
import json
import logging

import telegram
from telegram import (
    BotCommand,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
)
from telegram.error import TelegramError

from core import texts
from core.ports import Notes

log = logging.getLogger(__name__)

_IN_GROUPS = ("chat", "memory", "forget_me", "standing", "about", "appeal")
_SCOPES = (
    (BotCommandScopeAllPrivateChats(), ("start", *_IN_GROUPS, "settings", "mod")),
    (BotCommandScopeAllGroupChats(), _IN_GROUPS),
    (BotCommandScopeAllChatAdministrators(), (*_IN_GROUPS, "settings", "mod")),
)
# Telegram's code for a language → ours; "" is everybody whose language has no list of its own
_LANGUAGES = {"": "en", "ko": "ko"}


async def tell_commands(bot: telegram.Bot, notes: Notes) -> None:
    """Set them where they changed since the last time. What fails is tried again at the next start."""
    lists = [
        (scope, code, [BotCommand(name, texts.text(language, "command", name)) for name in names])
        for scope, names in _SCOPES
        for code, language in _LANGUAGES.items()
    ]
    written = json.dumps([(scope.type, code, [one.to_dict() for one in commands]) for scope, code, commands in lists])
    digest = hashlib.sha256(written.encode()).hexdigest()
    note = f"telegram:{bot.id}:commands"
    if await notes.read(note) == digest:
        return
    try:
        for scope, code, commands in lists:
            await bot.set_my_commands(commands, scope, code or None)
    except TelegramError as error:
        log.warning("Telegram's list of commands is not up to date: %s", error)
        return
    await notes.write(note, digest)
