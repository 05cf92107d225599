"""Asking for a command as an adapter does."""

from bot.adapters.base import Answer, Asked, Command
from core.messages import ChatKey, PersonKey
from tests.bot.conftest import HOME, MINA


def ask(
    words: str, language: str = "ko", person: PersonKey = MINA, chat: ChatKey = HOME, *, manager: bool = True
) -> Asked:
    name, _, argument = words.partition(" ")
    return Asked(person, chat, Command(name, argument), language, manager)


def button(answer: Answer, argument: str) -> int:
    """The id of the button that gives this argument."""
    return next(one.button_id for row in answer.buttons for one in row if one.command.argument == argument)
