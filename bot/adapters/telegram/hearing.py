"""Updates one by one: each message to the inbox, each command and button to a task of its own."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from weakref import WeakValueDictionary

import telegram
from cachetools import LRUCache

from bot.adapters.base import Host
from bot.adapters.telegram import inbound
from bot.adapters.telegram.chats import chat_key, group_key
from bot.adapters.telegram.commands import Desk
from bot.adapters.telegram.inbound import Me

log = logging.getLogger(__name__)

ALLOWED = (telegram.Update.MESSAGE, telegram.Update.EDITED_MESSAGE, telegram.Update.CALLBACK_QUERY)

_REMEMBERED = 10_000
# commands under way; who comes then has to ask again
_MOST_TASKS = 1_000
_GRACE_S = 5.0


class Ear:
    """Hears updates. A message is in the inbox, or its author has an apology, when `hear` returns."""

    def __init__(self, host: Host, desk: Desk, me: Me) -> None:
        self._host = host
        self._desk = desk
        self._me = me
        self._tasks: set[asyncio.Task[None]] = set()
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._asked: LRUCache[int, bool] = LRUCache(_REMEMBERED)  # updates with a command or a pressed button
        self._albums: LRUCache[str, bool] = LRUCache(_REMEMBERED)

    async def hear(self, updates: Sequence[telegram.Update]) -> None:
        """Each person's in their order; different persons do not wait for each other."""
        persons: dict[int, list[telegram.Update]] = defaultdict(list)
        for update in sorted(updates, key=lambda update: update.update_id):
            persons[_person(update)].append(update)
        await asyncio.gather(*(self._in_order(theirs) for theirs in persons.values()))

    async def close(self) -> None:
        """Commands under way have a moment to end."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_GRACE_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _in_order(self, updates: list[telegram.Update]) -> None:
        for update in updates:
            try:
                await self._take(update)
            except Exception:  # it would fail again, and keep everything behind it waiting
                log.exception("update %d was not understood", update.update_id)

    async def _take(self, update: telegram.Update) -> None:
        if update.callback_query is not None:
            self._start(update, partial(self._desk.pressed, update.callback_query))
        elif update.message is not None and update.message.migrate_to_chat_id is not None:
            await self._host.places.moved(chat_key(update.message), group_key(update.message.migrate_to_chat_id))
        elif update.message is not None:
            await self._message(update, update.message)
        elif update.edited_message is not None and inbound.is_spoken(update.edited_message):
            changed = update.edited_message
            text = inbound.said(changed, self._me).text
            await self._host.messages.amend(chat_key(changed), str(changed.message_id), text)

    async def _message(self, update: telegram.Update, message: telegram.Message) -> None:
        what = inbound.said(message, self._me)
        if work := self._work(message, what):
            if inbound.is_own(message):
                self._start(update, work)
            else:
                _refuse(message, what)
            return
        if not inbound.is_spoken(message):
            return
        if not what.text and self._more_of_an_album(message):
            return
        settings = await self._host.places.of(chat_key(message))
        incoming = inbound.heard(message, what, self._me, settings, self._host.language)
        if incoming is not None:
            await self._host.messages.receive(incoming)

    def _work(self, message: telegram.Message, what: inbound.Said) -> Callable[[], Awaitable[None]] | None:
        """What a message asks for beside talking."""
        if command := what.as_command:
            return partial(self._desk.command, message, inbound.about_whom(message, command))
        if message.text and (origin := self._desk.asked_for(message)):
            return partial(self._desk.filled, message, origin)
        return None

    def _more_of_an_album(self, message: telegram.Message) -> bool:
        """Each picture of an album is a message; only one of those without words is worth an answer."""
        album = message.media_group_id
        if album is None:
            return False
        known = album in self._albums
        self._albums[album] = True
        return known

    def _start(self, update: telegram.Update, work: Callable[[], Awaitable[None]]) -> None:
        if update.update_id in self._asked:
            log.info("update %d: Telegram delivered it once more", update.update_id)
            return
        if len(self._tasks) >= _MOST_TASKS:
            log.warning("update %d: too many commands are under way", update.update_id)
            return
        self._asked[update.update_id] = True
        task = asyncio.create_task(self._after_the_last(update, work))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def _after_the_last(self, update: telegram.Update, work: Callable[[], Awaitable[None]]) -> None:
        """A person's commands, one by one: what is switched on and off again ends off."""
        lock = self._locks.setdefault(_person(update), asyncio.Lock())
        async with lock:
            await work()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a command was not answered", exc_info=error)


def _refuse(message: telegram.Message, what: inbound.Said) -> None:
    """Forwarded, anonymous, of a channel or through another bot: it says nothing about who wants it."""
    if what.command in inbound.MODERATION:
        user, chat = message.from_user, message.sender_chat
        log.warning(
            "refused: /%s in chat %d, message %d, is of nobody in particular: account %d, chat %d",
            what.command, message.chat.id, message.message_id, user.id if user else 0, chat.id if chat else 0,
        )  # fmt: skip


def _person(update: telegram.Update) -> int:
    return update.effective_user.id if update.effective_user is not None else 0
