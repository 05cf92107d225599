"""What somebody may do in a group, as Telegram says at that moment, by the numbers of accounts and groups."""

import logging
import re

import telegram
from telegram.error import TelegramError

from bot.adapters.desk import FindRights, Rights
from bot.adapters.telegram.chats import PLATFORM
from bot.adapters.telegram.sending import Sender
from core.messages import PlaceKey

log = logging.getLogger(__name__)

_GROUP = re.compile(r"-[1-9]\d{0,17}", re.ASCII)


class Doorkeeper:
    """Asks Telegram every time. What it cannot say is no right."""

    def __init__(self, bot: telegram.Bot, sender: Sender) -> None:
        self._bot = bot
        self._sender = sender

    def rights_of(self, user: telegram.User) -> FindRights:
        """What they may do, in whatever place it turns out to be about."""

        async def rights(place: PlaceKey) -> Rights:
            return await self._rights(user.id, place)

        return rights

    async def _rights(self, user_id: int, place: PlaceKey) -> Rights:
        if place.platform != PLATFORM or not _GROUP.fullmatch(place.place_id):
            return Rights()
        group = int(place.place_id)
        try:  # members are shown to every bot only where it is an administrator itself, administrators always
            admins = await self._sender.ask(lambda: self._bot.get_chat_administrators(group))
        except TelegramError as error:
            log.warning("chat %d: nobody can say what %d may do there: %s", group, user_id, error)
            return Rights()
        return next((_given(one) for one in admins if one.user.id == user_id), Rights())


def _given(admin: telegram.ChatMember) -> Rights:
    if isinstance(admin, telegram.ChatMemberOwner):
        return Rights(moderates=True, manages=True)
    if isinstance(admin, telegram.ChatMemberAdministrator):
        return Rights(moderates=admin.can_restrict_members, manages=True)
    return Rights()
