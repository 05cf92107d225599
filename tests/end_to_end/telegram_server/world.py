"""People and chats, and what people do in them."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from .objects import Callback, Chat, Content, Message, Topic
from .people import ADMINISTRATORS, RIGHTS, Member, User, entities_of
from .updates import Update, Updates

T = TypeVar("T")
ANONYMOUS = User(1087968824, "Group", "GroupAnonymousBot", is_bot=True)
CHANNEL_BOT = User(136817688, "Channel", "Channel_Bot", is_bot=True)
SERVICE = User(777000, "Telegram")
HIDDEN = "누군가"
SERVICE_FIELDS = {"migrate_to_chat_id", "migrate_from_chat_id", "new_chat_members", "left_chat_member"}


class World:
    """Telegram without its wires: who is there, who said what, and which of it the bot hears."""

    def __init__(self, *, bot_id: int, username: str = "ohlora_bot", privacy: bool = True) -> None:
        self.me = User(bot_id, "오로라", username, is_bot=True)
        self.privacy = privacy
        self.users: dict[int, User] = {}
        self.chats: dict[int, Chat] = {}
        self.callbacks: dict[str, Callback] = {}
        self._moved = asyncio.Event()
        self.updates = Updates(self.changed)

    # Who is there

    def user(
        self,
        first_name: str,
        *,
        id: int | None = None,
        language_code: str | None = "ko",
        username: str | None = None,
        is_bot: bool = False,
    ) -> User:
        """Somebody new."""
        number = id or 10_000_001 + len(self.users)
        person = User(number, first_name, username, language_code, is_bot)
        self.users[number] = person
        return person

    def private(self, user: User, *, started: bool = True) -> Chat:
        """Their chat with the bot: the same one every time; unless `started`, the bot cannot write first."""
        if user.id not in self.chats:
            chat = Chat(user.id, "private", Member(self.me), user=user, started=started)
            chat.members[user.id] = Member(user)
            self.chats[user.id] = chat
        return self.chats[user.id]

    def group(
        self,
        title: str,
        *,
        kind: str = "supergroup",
        forum: bool = False,
        privacy: bool | None = None,
        members: Sequence[User] = (),
        admins: Sequence[User | Member] = (),
        bot_admin: bool = False,
    ) -> Chat:
        """A group ("group" or "supergroup") the bot is in. The first of `admins` is the creator; a Member says more."""
        number = (-4_000_001 if kind == "group" else -1_002_000_000_001) - len(self.chats)
        bot = Member(self.me, "administrator" if bot_admin else "member")
        chat = Chat(number, kind, bot, title, forum=forum, privacy=self.privacy if privacy is None else privacy)
        for place, one in enumerate(admins):
            status = "administrator" if place else "creator"
            chat.members.update({one.user.id: one} if isinstance(one, Member) else {one.id: Member(one, status)})
        chat.members |= {person.id: Member(person) for person in members}
        chat.members[self.me.id] = bot
        self.chats[number] = chat
        return chat

    def channel(self, title: str, *, linked: Chat | None = None, username: str | None = None) -> Chat:
        """A channel with the bot as an administrator; posts are forwarded to the `linked` group."""
        number = -1_003_000_000_001 - len(self.chats)
        chat = Chat(number, "channel", Member(self.me, "administrator"), title, linked=linked, username=username)
        chat.members[self.me.id] = chat.bot
        self.chats[number] = chat
        if linked is not None:
            linked.linked = chat
        return chat

    # What people do

    async def say(
        self,
        user: User,
        chat: Chat,
        text: str | None = None,
        *,
        reply_to: Message | None = None,
        topic: Topic | None = None,
        forwarded: bool | User | Chat = False,
        anonymous: bool = False,
        as_channel: Chat | None = None,
        entities: list[dict[str, Any]] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> Message:
        """Write a message; `message.update` is None where the bot does not hear it. `extra` adds fields (a sticker)."""
        if chat.private and chat.bot.status == "kicked":
            raise ValueError("who blocked the bot unblocks it first")
        fields = dict(extra or {})
        sender = user
        if anonymous or as_channel:
            sender = ANONYMOUS if anonymous else CHANNEL_BOT
            fields["sender_chat"] = (as_channel or chat).json()
        if topic is None and reply_to is not None:
            topic = reply_to.topic
        message = Message(chat, sender, Content(text), reply_to, topic, fields, entities)
        if forwarded:
            message.extra["forward_origin"] = self._origin(forwarded, message.date)
        chat.started = True
        chat.members.setdefault(user.id, Member(user))
        self._tell("message", message)
        return message

    async def edit(self, message: Message, text: str) -> Update | None:
        """Change one's own message."""
        message.change(replace(message.content, text=text), time.monotonic())
        return self._tell("edited_channel_post" if message.chat.kind == "channel" else "edited_message", message)

    async def delete(self, message: Message) -> None:
        """Delete a message; Telegram does not tell bots."""
        message.deleted = True
        self.changed()

    async def post(self, channel: Chat, text: str) -> Message:
        """Post in a channel, and into its linked group."""
        post = Message(channel, None, Content(text), extra={"sender_chat": channel.json()})
        self._tell("channel_post", post)
        if channel.linked is not None:
            origin = self._origin(channel, post.date) | {"message_id": post.id}
            extra = {"sender_chat": channel.json(), "is_automatic_forward": True, "forward_origin": origin}
            self._tell("message", Message(channel.linked, SERVICE, Content(text), extra=extra))
        return post

    async def press(self, user: User, message: Message, button: str, *, forged: bool = False) -> Callback:
        """Press an inline button, named by its text or data; a `forged` press sends data that no button has."""
        data = next(
            (one["callback_data"] for one in message.buttons if button in (one["text"], one.get("callback_data"))), None
        )
        if data is None and not forged:
            raise LookupError(f"no button {button!r} among {message.buttons}")
        callback = Callback(str(4_000_000_000_001 + len(self.callbacks)), user, message, data or button)
        self.callbacks[callback.id] = callback
        callback.update = self.updates.add("callback_query", callback.json())
        return callback

    def replay(self, callback: Callback) -> None:
        """Hand a pressed button in once more, in an update of its own: Telegram never does, others might."""
        self.updates.add("callback_query", callback.json())

    async def block(self, user: User) -> Update | None:
        """Block the bot."""
        return self._place_bot(self.private(user), "kicked", user)

    async def unblock(self, user: User) -> Update | None:
        """Unblock the bot."""
        return self._place_bot(self.private(user), "member", user)

    async def move_bot(self, chat: Chat, status: str, by: User) -> Update | None:
        """Make the bot "member", "administrator", "left" or "kicked" in a group or channel."""
        return self._place_bot(chat, status, by)

    async def upgrade(self, group: Chat, by: User) -> Chat:
        """Make a basic group a supergroup, which has another id."""
        members = [one for one in group.members.values() if one.user != self.me]
        plain = [one.user for one in members if one.status not in ADMINISTRATORS]
        admins = [one for one in members if one.status in ADMINISTRATORS]
        new = self.group(group.title or "", privacy=group.privacy, members=plain, admins=admins)
        group.migrated_to = new.id
        self._tell("message", Message(group, by, extra={"migrate_to_chat_id": new.id}))
        self._tell("message", Message(new, by, extra={"migrate_from_chat_id": group.id}))
        return new

    # What a test waits for

    def changed(self) -> None:
        """Let everyone who waits look again."""
        self._moved.set()
        self._moved = asyncio.Event()

    async def until(self, predicate: Callable[[], T], timeout: float = 10.0) -> T:  # noqa: ASYNC109
        """Wait until something is so; returns what the predicate returned."""
        try:
            async with asyncio.timeout(timeout):
                while not (found := predicate()):
                    await self._moved.wait()
                return found
        except TimeoutError:
            raise TimeoutError(f"not so after {timeout} s; {self.describe()}") from None

    def describe(self) -> str:
        """One line for whoever waited in vain."""
        return f"{len(self.updates.pending)} updates pending"

    def repeat(self, update: Update) -> None:
        """Deliver an update once more."""
        self.updates.repeat(update)

    def shuffle(self, on: bool = True) -> None:
        """Deliver in a random order from now on; nothing gets lost by it."""
        self.updates.shuffled = on

    # What the bot hears

    def _tell(self, kind: str, message: Message) -> Update | None:
        if not self._heard(message):
            self.changed()
            return None
        message.update = self.updates.add(kind, message.json())
        return message.update

    def _heard(self, message: Message) -> bool:
        chat = message.chat
        if chat.private or not chat.bot.present:
            return chat.private
        if message.sender is not None and message.sender.is_bot and "sender_chat" not in message.extra:
            return False  # bots do not see bots
        if not chat.privacy or chat.bot.status == "administrator" or SERVICE_FIELDS & message.extra.keys():
            return True
        return (message.reply_to is not None and message.reply_to.from_bot) or self._addressed(message)

    def _addressed(self, message: Message) -> bool:
        text, me = message.words or message.extra.get("caption", ""), f"@{self.me.username}".casefold()
        for entity in entities_of(text) if message.entities is None else message.entities:
            start = entity["offset"] * 2
            named = text.encode("utf-16-le")[start : start + entity["length"] * 2].decode("utf-16-le").casefold()
            if entity["type"] == "mention" and named == me:
                return True
            if entity["type"] == "bot_command" and start == 0 and ("@" not in named or named.endswith(me)):
                return True
        return False

    def _place_bot(self, chat: Chat, status: str, by: User) -> Update | None:
        old = chat.bot.json()
        chat.bot.status = status
        chat.bot.rights = frozenset(RIGHTS)
        change = {"chat": chat.json(), "from": by.json(), "date": int(time.time()), "old_chat_member": old}
        return self.updates.add("my_chat_member", {**change, "new_chat_member": chat.bot.json()})

    @staticmethod
    def _origin(forwarded: bool | User | Chat, date: int) -> dict[str, Any]:
        if isinstance(forwarded, User):
            return {"type": "user", "date": date, "sender_user": forwarded.json()}
        if isinstance(forwarded, Chat):
            return {"type": "channel", "date": date, "chat": forwarded.json(), "message_id": 1}
        return {"type": "hidden_user", "date": date, "sender_user_name": HIDDEN}
