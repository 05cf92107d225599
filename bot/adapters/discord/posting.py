"""From our replies to Discord's messages: the answer with her face, notices for everybody, notices for one."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import discord

from bot.adapters import wording
from bot.adapters.base import Begin, Faces
from bot.adapters.discord.delivery import REQUEST_S, Attempt
from bot.adapters.discord.markup import LONGEST
from bot.adapters.discord.permissions import missing
from bot.adapters.pieces import pieces
from core import texts
from core.errors import DeliveryRefused
from core.messages import IncomingMessage, Notice, Reply

log = logging.getLogger(__name__)

# an interaction's token lives 15 minutes; what may come too late goes out as an ordinary message
TOKEN_LIVES = timedelta(minutes=14, seconds=30)
_NOTHING_VISIBLE = "…"
# without these a reply is text alone
_PLAIN = ["attach_files", "read_message_history"]

_Edit = Callable[..., Awaitable[object]]


@dataclass(frozen=True, slots=True)
class _Post:
    """One message of a reply."""

    reply: Reply
    number: int
    text: str
    picture: Path | None
    again: bool = False

    @property
    def nonce(self) -> str:
        """By which Discord knows a repetition; another one where what it knows is gone (`again`)."""
        return f"{self.reply.to.message_id}.{self.number}{'+' if self.again else ''}"

    def files(self, lacking: list[str]) -> list[discord.File]:
        """Her face, anew for each try: the library closes files."""
        face = self.reply.expression
        if self.picture is None or face is None or "attach_files" in lacking:
            return []
        try:
            alternative = face.alt_text(self.reply.to.language)
            return [discord.File(self.picture, f"aurora_{face.tag}.png", description=alternative)]
        except OSError as error:
            log.warning("the picture %s is gone: %s", self.picture, error)
            return []


class Poster:
    """Posts replies; a repetition with the same message id shows nothing twice."""

    def __init__(self, client: discord.Client, faces: Faces) -> None:
        self._client = client
        self._faces = faces
        self._held: dict[str, asyncio.Future[discord.Message]] = {}  # message id → what stands for its reply

    async def hold(self, message: IncomingMessage, notice: Notice) -> None:
        """Show the notice where the reply will be."""
        if (hook := self._hook(message)) is not None:
            await hook.edit_message(_ORIGINAL, content=notice.text)
            return
        showing = self._held[message.message_id] = asyncio.ensure_future(self._place(message, notice.text))
        await asyncio.shield(showing)  # also when nobody waits any more: its id is needed to replace it

    async def post(self, reply: Reply, begin: Begin) -> None:
        """Raises DeliveryError, DeliveryRefused."""
        attempt, message = Attempt(begin), reply.to
        shown = await self._shown(message)
        parts = pieces(wording.for_all(reply), LONGEST, fences=True)
        if reply.text and not parts:
            parts = [_NOTHING_VISIBLE]
        if not await self._told(reply, attempt):
            parts.append(texts.text(message.language, "platform", "elsewhere"))
        path = await self._faces.of(reply) if reply.text else None
        posts = [_Post(reply, number, part, path if number == 0 else None) for number, part in enumerate(parts)]
        if posts and await self._replaced(posts[0], shown, attempt):
            del posts[0]
        elif not posts:
            await self._taken_away(message, shown, attempt)
        for post in posts:
            await self._said(post, attempt)

    async def _told(self, reply: Reply, attempt: Attempt) -> bool:
        """What concerns nobody but the person, where nobody else reads it; False when that place is closed."""
        message = reply.to
        for number, part in enumerate(pieces(wording.for_one(reply), LONGEST)):
            try:
                chat = await attempt.make(lambda: self._client.create_dm(discord.Object(int(message.person.user_id))))
                await attempt.make(partial(chat.send, part, nonce=f"{message.message_id}.p{number}"))
            except DeliveryRefused as error:
                log.info("message %s: its author takes no private messages: %s", message.message_id, error)
                return False
        return True

    async def _replaced(self, post: _Post, shown: discord.Message | None, attempt: Attempt) -> bool:
        """Put it where something waits for it: a slash command, or what `hold` showed."""
        message = post.reply.to
        if (hook := self._hook(message)) is not None:
            return await self._edited(post, partial(hook.edit_message, _ORIGINAL), [], attempt)
        return shown is not None and await self._edited(post, shown.edit, self._lacking(message), attempt)

    async def _edited(self, post: _Post, edit: _Edit, lacking: list[str], attempt: Attempt) -> bool:
        """What stands there becomes the post; False when it is gone: somebody deleted it, or it took too long."""

        async def change(lacking: list[str]) -> None:
            await edit(content=post.text, attachments=post.files(lacking))

        for less in (lacking, _PLAIN):  # perhaps the picture is what is not allowed
            try:
                await attempt.make(partial(change, less))
                return True
            except DeliveryRefused as error:
                log.info("message %s: what waits for its reply is not changed: %s", post.reply.to.message_id, error)
        return False

    async def _taken_away(self, message: IncomingMessage, shown: discord.Message | None, attempt: Attempt) -> None:
        """Nothing waits for a reply any more."""
        with contextlib.suppress(DeliveryRefused):  # gone already
            if (hook := self._hook(message)) is not None:
                await attempt.make(partial(hook.delete_message, _ORIGINAL))
            elif shown is not None:
                await attempt.make(shown.delete)

    async def _said(self, post: _Post, attempt: Attempt) -> None:
        """As a message of its own."""
        message = await self._sent(post, attempt)
        if message.content == post.text:
            return
        # the nonce was known: this stood for the reply, before a crash or before somebody deleted it
        if not await self._edited(post, message.edit, self._lacking(post.reply.to), attempt):
            await self._sent(replace(post, again=True), attempt)

    async def _sent(self, post: _Post, attempt: Attempt) -> discord.Message:
        try:
            return await attempt.make(partial(self._send, post, self._lacking(post.reply.to)))
        except DeliveryRefused as error:  # perhaps the picture or the quotation is what is not allowed
            log.info("message %s: its reply is sent as plain text: %s", post.reply.to.message_id, error)
            return await attempt.make(partial(self._send, post, _PLAIN))

    async def _send(self, post: _Post, lacking: list[str]) -> discord.Message:
        message = post.reply.to
        chat = self._client.get_partial_messageable(int(message.chat.chat_id))
        quoted = not message.chat.private and not message.via and "read_message_history" not in lacking
        return await chat.send(
            post.text,
            files=post.files(lacking),
            nonce=post.nonce,
            reference=_reference(message) if quoted else None,  # type: ignore[arg-type]
            mention_author=False,
        )

    async def _place(self, message: IncomingMessage, text: str) -> discord.Message:
        post = _Post(Reply(message), 0, text, None)
        async with asyncio.timeout(REQUEST_S):  # the reply waits for it
            try:
                return await self._send(post, self._lacking(message))
            except discord.HTTPException:  # perhaps the quotation is what is not allowed
                return await self._send(post, _PLAIN)

    async def _shown(self, message: IncomingMessage) -> discord.Message | None:
        """What `hold` showed for it."""
        showing = self._held.pop(message.message_id, None)
        if showing is None:
            return None
        try:
            return await showing
        except Exception as error:
            log.info("message %s: nothing stood for its reply: %s", message.message_id, error)
            return None

    def _hook(self, message: IncomingMessage) -> discord.Webhook | None:
        """The way back to a slash command, while it is open."""
        age = discord.utils.utcnow() - message.sent_at
        application = self._client.application_id
        if not message.via or application is None or age > TOKEN_LIVES:
            return None
        return discord.Webhook.partial(application, message.via, client=self._client)

    def _lacking(self, message: IncomingMessage) -> list[str]:
        channel = self._client.get_channel(int(message.chat.chat_id))
        return missing(channel) if isinstance(channel, (discord.abc.GuildChannel, discord.Thread)) else []


# Discord's own name for the answer to an interaction; the library's types know ids only
_ORIGINAL: Any = "@original"


def _reference(message: IncomingMessage) -> discord.MessageReference:
    return discord.MessageReference(
        message_id=int(message.message_id), channel_id=int(message.chat.chat_id), fail_if_not_exists=False
    )
