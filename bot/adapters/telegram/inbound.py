"""From Telegram's messages to ours: who says something, what, and whether to her."""

import re
from dataclasses import dataclass

import telegram
from telegram.constants import ChatType, MessageEntityType

from bot.adapters import menu
from bot.adapters.calls import calls_her
from bot.adapters.desk import Command
from bot.adapters.telegram.chats import chat_key, person_key
from core.messages import IncomingMessage
from core.people import PlaceSettings

TALK = "chat"
# In groups Telegram sends everybody's commands to her that name no bot; those she does not know are for others.
COMMANDS = ("start", "memory", "forget_me", "standing", "about", "settings", "mod", "appeal")
# what follows these is somebody's own words, as they are
MODERATION = ("mod", "appeal")

_HEARD_IN = (ChatType.PRIVATE, ChatType.GROUP, ChatType.SUPERGROUP)
# `/mod verb` with somebody behind it: a mention, a name, or the number of an account
_NAMES = re.compile(r"\S+\s+(?:<@|(?P<name>@)|[a-z]+:\w|\d+(?:\s|$))", re.ASCII)


@dataclass(frozen=True, slots=True)
class Me:
    """Her own account. Telegram compares user names without regard to case."""

    user_id: int
    username: str


@dataclass(frozen=True, slots=True)
class Said:
    """A message's text without her mention and without its command. `command`: "" where there is none."""

    text: str
    command: str = ""
    to_me: bool = False
    to_other: bool = False

    @property
    def as_command(self) -> Command | None:
        """What to do beside talking."""
        if self.command not in COMMANDS or self.to_other:
            return None
        verb, *rest = self.text.split(None, 1) if self.command in MODERATION else (" ".join(self.text.split()),)
        return Command(self.command, " ".join([verb, *rest]))


def is_spoken(message: telegram.Message) -> bool:
    """Whether a person said it themselves: not a bot, a channel, an anonymous admin, or somebody else before."""
    user = message.from_user
    person = user is not None and not user.is_bot and message.sender_chat is None
    own = message.forward_origin is None and message.chat.type in _HEARD_IN
    return person and own and bool(_text(message) or message.effective_attachment)


def said(message: telegram.Message, me: Me) -> Said:
    """What a message says, and to whom it says so itself."""
    units = _text(message).encode("utf-16-le", "surrogatepass")
    command, kept, at, to_me, to_other = "", [], 0, False, False
    for entity in sorted(message.entities or message.caption_entities, key=lambda entity: entity.offset):
        start, end = 2 * entity.offset, 2 * (entity.offset + entity.length)
        named, person = _decoded(units[start:end]), ""
        if entity.type == MessageEntityType.BOT_COMMAND and start == 0:
            command, _, whom = named.removeprefix("/").lower().partition("@")
            to_me, to_other = to_me or whom == me.username.lower(), whom not in ("", me.username.lower())
        elif _names(entity, named, me) and command not in MODERATION:
            to_me = True
        elif command == "mod" and entity.type == MessageEntityType.TEXT_MENTION and entity.user is not None:
            person = f"<@{entity.user.id}>"
        else:
            continue
        kept += [_decoded(units[at:start]), person]
        at = end
    kept.append(_decoded(units[at:]))
    text = " ".join(part for part in map(str.strip, kept) if part)
    if command == "forget" and text.startswith("-me"):  # as it is called elsewhere; Telegram's commands end at a hyphen
        command, text = "forget_me", text.removeprefix("-me").strip()
    unknown = command and command not in (TALK, *COMMANDS)
    return Said(f"/{command} {text}".rstrip() if unknown else text, command, to_me, to_other)


def is_own(message: telegram.Message) -> bool:
    """Whether a person wrote it, word for word: what another bot put into their mouth does not speak for them."""
    return is_spoken(message) and message.via_bot is None


def about_whom(message: telegram.Message, command: Command) -> Command:
    """A /mod command that names nobody, about the person whose message it replies to."""
    answered = message.reply_to_message
    if command.name != "mod" or _NAMES.match(command.argument) or answered is None or not is_spoken(answered):
        return command
    assert answered.from_user is not None
    return menu.about(command, str(answered.from_user.id))


def by_name(command: Command) -> bool:
    """Whether a /mod command names somebody by an @name, which says nothing about whose account it is."""
    found = _NAMES.match(command.argument) if command.name == "mod" else None
    if found is None or not found["name"]:
        return False
    options = menu.VERBS.get(menu.verb_of(command.argument.split()[0]), ())
    return any(option.kind is menu.Kind.PERSON for option in options)


def heard(
    message: telegram.Message, what: Said, me: Me, settings: PlaceSettings, language: str
) -> IncomingMessage | None:
    """What she is told, if a spoken message is meant for her. `language`: where the place has none."""
    user = message.from_user
    if user is None or not (_directed(message, what, me) or _overheard(message, what, settings)):
        return None
    chat = chat_key(message)
    return IncomingMessage(
        person=person_key(user),
        chat=chat,
        message_id=str(message.message_id),
        text=what.text,
        sent_at=message.date,
        language=language_for(user, chat.private, settings, language),
    )


def language_for(user: telegram.User, private: bool, settings: PlaceSettings, default: str) -> str:
    """Of notices: what the place chose, else the person's own where nobody else reads them."""
    if settings.language or not (private and user.language_code):
        return settings.language or default
    return "ko" if user.language_code.lower().startswith("ko") else "en"


def _directed(message: telegram.Message, what: Said, me: Me) -> bool:
    if what.to_other:
        return False
    if message.chat.type == ChatType.PRIVATE or what.command == TALK or what.to_me:
        return True
    answered = message.reply_to_message
    if answered is None or answered.from_user is None:
        return False
    # every message in a topic answers, for Telegram, the message that opened it
    return answered.from_user.id == me.user_id and answered.forum_topic_created is None


def _overheard(message: telegram.Message, what: Said, settings: PlaceSettings) -> bool:
    if what.command or not what.text:
        return False
    return chat_key(message).chat_id in settings.channels or (settings.name_call and calls_her(what.text))


def _names(entity: telegram.MessageEntity, named: str, me: Me) -> bool:
    if entity.type == MessageEntityType.TEXT_MENTION:
        return entity.user is not None and entity.user.id == me.user_id
    return entity.type == MessageEntityType.MENTION and named.lower() == f"@{me.username.lower()}"


def _text(message: telegram.Message) -> str:
    return message.text or message.caption or ""


def _decoded(units: bytes) -> str:
    return units.decode("utf-16-le", "replace")  # half a pair cannot be kept, nor sent
