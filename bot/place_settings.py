"""What /settings shows and changes."""

from dataclasses import replace

from bot.adapters.desk import Answer, Button, Command
from core import texts
from core.messages import ChatKey
from core.people import Images, PlaceSettings

_STATES = {"on": True, "off": False}


def changed(settings: PlaceSettings, name: str, value: str) -> PlaceSettings:
    """With one setting changed; `channel` puts a chat in, or takes it out again. Raises ValueError."""
    match name:
        case "channel" if value:
            return replace(settings, channels=settings.channels ^ {value})
        case "name_call" if value in _STATES:
            return replace(settings, name_call=_STATES[value])
        case "images":
            return replace(settings, images=Images(value))
        case "language" if value in texts.LANGUAGES:
            return replace(settings, language=value)
    raise ValueError(f"no such setting: {name}={value}")


def settings_page(settings: PlaceSettings, chat: ChatKey, language: str) -> Answer:
    """The settings of a place, and a button for every other choice. Channels are written as `<#id>`."""

    def say(name: str, state: str) -> str:
        return texts.text(language, "settings", name, state=texts.text(language, "settings", state))

    def button(label: str, change: str) -> Button:
        return Button(label, Command("settings", change))

    lines = [texts.text(language, "settings", "title")]
    rows: list[tuple[Button, ...]] = []
    if not chat.private:
        listed = ", ".join(f"<#{channel}>" for channel in sorted(settings.channels))
        lines.append(
            texts.text(
                language, "settings", "channels", channels=listed or texts.text(language, "settings", "channels_none")
            )
        )
        lines.append(say("name_call", "on" if settings.name_call else "off"))
        here = "channel_not_here" if chat.chat_id in settings.channels else "channel_here"
        other = "off" if settings.name_call else "on"
        rows.append(
            (
                button(texts.text(language, "settings", here), f"channel={chat.chat_id}"),
                button(say("name_call", other), f"name_call={other}"),
            )
        )
    lines.append(say("images", settings.images))
    lines.append(say("language", settings.language or "unset"))
    rows.append(tuple(button(say("images", kind), f"images={kind}") for kind in Images if kind is not settings.images))
    rows.append(
        tuple(
            button(say("language", code), f"language={code}") for code in texts.LANGUAGES if code != settings.language
        )
    )
    return Answer("\n".join(lines), tuple(rows))
