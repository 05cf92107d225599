"""Commands and buttons: who asks, with which rights, and where Telegram shows the answer."""

import logging
import re
from dataclasses import replace

import telegram
from telegram.constants import CallbackQueryLimit, ChatAction
from telegram.error import BadRequest, Forbidden, TelegramError

from bot.adapters.base import Host
from bot.adapters.desk import Answer, Asked, Command, Form, Press
from bot.adapters.pieces import pieces, units
from bot.adapters.telegram.answers import Answers, readable
from bot.adapters.telegram.chats import Place, chat_key, person_key, place_of, private_key
from bot.adapters.telegram.forms import Forms, Origin
from bot.adapters.telegram.inbound import Me, by_name, language_for
from bot.adapters.telegram.rights import Doorkeeper
from bot.adapters.telegram.sending import Sender, Showing
from bot.adapters.telegram.writing import Writer
from core import texts
from core.messages import ChatKey

log = logging.getLogger(__name__)

_ALERT = int(CallbackQueryLimit.ANSWER_CALLBACK_QUERY_TEXT_LENGTH)
# their answers are for nobody but the person
_PRIVATE = ("memory", "forget_me", "standing", "mod", "appeal")
# what a link to her says when somebody presses Start: the cases of a group, or where they stand
_LINKED = re.compile(r"standing|mod(-[1-9]\d{0,17})", re.ASCII)


class Desk:
    """Hands commands in and shows the answers."""

    def __init__(self, bot: telegram.Bot, sender: Sender, writer: Writer, host: Host, me: Me) -> None:
        self._bot = bot
        self._sender = sender
        self._write = writer
        self._host = host
        self._me = me
        self._doorkeeper = Doorkeeper(bot, sender)
        self._answers = Answers(writer)
        self._forms = Forms(writer)

    async def command(self, message: telegram.Message, command: Command) -> None:
        """What somebody asked for with /…"""
        user, chat = message.from_user, chat_key(message)
        assert user is not None
        event = f"{message.chat.id}/{message.message_id}"
        if not chat.private and command.name in _PRIVATE:
            asked = await self._asked(user, private_key(user), command, event)
            await self._privately(message, replace(asked, chat=chat) if command.name == "mod" else asked)
            return
        if not chat.private and command.name == "start":
            command = Command("about", command.argument)
        asked = await self._asked(user, chat, command, event)
        place = place_of(chat, None if chat.private else message.message_id)
        await self._answers.show(place, await self._answer(asked), chat, asked.language)
        if command.name == "start" and (linked := _linked(command.argument)):
            await self._answers.show(place, await self._answer(replace(asked, command=linked)), chat, asked.language)

    async def pressed(self, query: telegram.CallbackQuery) -> None:
        """A button; whoever pressed it sees that something happened, in any case."""
        message, said = query.message, ""
        answer: Answer | None = None
        try:
            if message is None:
                log.warning("refused: %d pressed a button under no message of hers", query.from_user.id)
                return
            chat, data = chat_key(message), query.data or ""
            origin = Origin(data, str(message.message_id), chat)
            form = self._host.commands.form(data, await self._language(query.from_user, chat))
            if form is not None:
                said = await self._ask_for_words(query.from_user, form, origin)
                return
            asked = await self._asked(query.from_user, chat, Command(""), query.id)
            answer = await self._host.commands.pressed(asked, Press(data, origin.message_id))
            if answer.aside:  # the message is somebody else's, or a page still of use
                said, answer = await self._aside(query.from_user, answer, chat), None
        finally:
            await self._acknowledge(query, said)
        if answer is not None:
            await self._answers.replace(message, answer, chat, asked.language)

    def asked_for(self, message: telegram.Message) -> Origin | None:
        """The button whose question for words a message answers."""
        return self._forms.answered(message)

    async def filled(self, message: telegram.Message, origin: Origin) -> None:
        """The words that a button needed: now it counts as pressed, with the rights of this moment."""
        user, here = message.from_user, chat_key(message)
        assert user is not None
        event = f"{message.chat.id}/{message.message_id}"
        asked = await self._asked(user, here, Command(""), event)
        press = Press(origin.data, origin.message_id, (message.text or "",))
        answer = await self._host.commands.pressed(replace(asked, chat=origin.chat), press)
        await self._answers.show(Place(user.id), answer, here, asked.language)

    async def _privately(self, message: telegram.Message, asked: Asked) -> None:
        """An answer that does not show in the group it was asked in."""
        user, chat, name = message.from_user, chat_key(message), asked.command.name
        assert user is not None
        here, text = private_key(user), "answered_privately"
        try:
            if name == "mod":  # what cannot be shown is not done either
                await self._sender.ask(lambda: self._bot.send_chat_action(user.id, ChatAction.TYPING))
            await self._answers.show(Place(user.id), await self._answer(asked), here, asked.language)
            if name != "mod":
                return
        except (BadRequest, Forbidden):  # the person never started her, or blocked her
            text = "start_first"
        language = await self._language(user, chat)
        said = texts.text(language, "platform", text, link=self._link(name, chat))
        await self._write.text(place_of(chat, message.message_id), said, Showing())

    async def _ask_for_words(self, user: telegram.User, form: Form, origin: Origin) -> str:
        """What to say at the button: where the question is."""
        language = await self._language(user, private_key(user))
        try:
            await self._forms.ask(user.id, form, origin, language)
        except (BadRequest, Forbidden):
            return texts.text(language, "platform", "start_first", link=self._link("", origin.chat))
        return "" if origin.chat.private else texts.text(language, "platform", "answered_privately")

    async def _aside(self, user: telegram.User, answer: Answer, chat: ChatKey) -> str:
        """What to say at the button; more than fits there goes to the private chat of who pressed it."""
        here = private_key(user)
        language = await self._language(user, here)
        text = readable(answer.text, chat, language)
        if not (answer.buttons or answer.files) and units(text) <= _ALERT:
            return text
        try:
            await self._answers.show(Place(user.id), answer, here, language)
        except (BadRequest, Forbidden):
            return texts.text(language, "platform", "start_first", link=self._link("", chat))
        return texts.text(language, "platform", "answered_privately")

    async def _answer(self, asked: Asked) -> Answer:
        if by_name(asked.command):
            return Answer(texts.text(asked.language, "platform", "name_is_nobody"))
        return await self._host.commands.run(asked)

    async def _asked(self, user: telegram.User, chat: ChatKey, command: Command, event: str) -> Asked:
        rights = self._doorkeeper.rights_of(user)
        manager = chat.private
        if not chat.private and command.name in ("settings", ""):  # only their pages have buttons in groups
            manager = (await rights(chat.place)).manages
        return Asked(person_key(user), chat, command, await self._language(user, chat), manager, rights, event)

    async def _language(self, user: telegram.User, chat: ChatKey) -> str:
        return language_for(user, chat.private, await self._host.places.of(chat), self._host.language)

    def _link(self, name: str, chat: ChatKey) -> str:
        """To her; with what she shows at once when it is followed."""
        start = {"mod": f"?start=mod{chat.place_id}", "appeal": "?start=standing"}.get(name, "")
        return f"https://t.me/{self._me.username}{start}"

    async def _acknowledge(self, query: telegram.CallbackQuery, said: str) -> None:
        text = next(iter(pieces(said, _ALERT)), None)
        try:
            await self._sender.ask(lambda: self._bot.answer_callback_query(query.id, text, show_alert=bool(text)))
        except TelegramError as error:
            log.info("a pressed button is not acknowledged: %s", error)


def _linked(argument: str) -> Command | None:
    """The command that a link to her stands for."""
    found = _LINKED.fullmatch(argument)
    if found is None:
        return None
    return Command("mod", f"cases in={found[1]}") if found[1] else Command("standing")
