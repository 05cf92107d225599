"""The limits of platforms.md on what a bot sends; a break of one is the bot's mistake."""

import re
from collections.abc import Mapping
from typing import Any

from .faults import ApiError
from .people import units

TEXT_UNITS, CAPTION_UNITS, ANSWER_UNITS = 4096, 1024, 200
CALLBACK_BYTES, BUTTONS, PLACEHOLDER = 64, 100, 64
COMMANDS, DESCRIPTION = 100, 256
COMMAND = re.compile(r"[a-z0-9_]{1,32}")
LANGUAGE = re.compile(r"([a-z]{2})?")
SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
UNSEEN = re.compile(
    r"[\s\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff]*"
)
ACTIONS = {
    "typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice", "upload_document",
    "choose_sticker", "find_location", "record_video_note", "upload_video_note",
}  # fmt: skip


class RuleBroken(ApiError):
    """A 400 for what an adapter should never have sent; the server keeps it as a violation."""

    def __init__(self, description: str, reason: str | None = None) -> None:
        super().__init__(400, f"Bad Request: {description}")
        self.reason = reason or description


def check_text(text: str | None) -> str:
    """A message's text; anything but empty, up to 4,096 units."""
    if text is None or UNSEEN.fullmatch(text):
        raise RuleBroken("message text is empty")
    if units(text) > TEXT_UNITS:
        raise RuleBroken("message is too long", f"text of {units(text)} UTF-16 units")
    return text


def check_caption(caption: str | None) -> str | None:
    """A caption, up to 1,024 units."""
    if caption is not None and units(caption) > CAPTION_UNITS:
        raise RuleBroken("message caption is too long", f"caption of {units(caption)} UTF-16 units")
    return caption or None


def check_markup(markup: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """An inline keyboard, or a question for a reply, that Telegram would show."""
    if not 1 <= len((markup or {}).get("input_field_placeholder", "x")) <= PLACEHOLDER:
        raise RuleBroken("input field placeholder is too long", f"placeholder {markup!r}")
    buttons = [button for row in (markup or {}).get("inline_keyboard", ()) for button in row]
    if len(buttons) > BUTTONS:
        raise RuleBroken("reply markup is too long", f"{len(buttons)} buttons")
    for button in buttons:
        if not button["text"].strip():
            raise RuleBroken("can't parse inline keyboard button: button text must be non-empty")
        if not set(button) - {"text", "icon_custom_emoji_id", "style"}:
            raise RuleBroken("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
        if not 1 <= len(button.get("callback_data", "x").encode()) <= CALLBACK_BYTES:
            raise RuleBroken("BUTTON_DATA_INVALID", f"callback_data {button['callback_data']!r}")
    return markup


def check_commands(commands: list[dict[str, str]], language: str) -> None:
    """A list for setMyCommands."""
    if len(commands) > COMMANDS:
        raise RuleBroken("BOT_COMMANDS_TOO_MUCH", f"{len(commands)} commands")
    if not LANGUAGE.fullmatch(language):
        raise RuleBroken("LANG_CODE_INVALID", f"language_code {language!r}")
    for command in commands:
        if not COMMAND.fullmatch(command["command"]):
            raise RuleBroken("BOT_COMMAND_INVALID", f"command {command['command']!r}")
        if not 1 <= len(command["description"]) <= DESCRIPTION:
            raise RuleBroken("BOT_COMMAND_DESCRIPTION_INVALID", f"description of {command['command']}")


def check_parse_mode(arguments: Mapping[str, Any]) -> None:
    """No markup is read in what a model wrote, so no call asks for it, at any depth."""
    for name, value in arguments.items():
        if name in ("parse_mode", "quote_parse_mode"):
            raise RuleBroken("can't parse entities", f"{name} {value!r}")
        if isinstance(value, Mapping):
            check_parse_mode(value)
