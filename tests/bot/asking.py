"""Asking for a command as an adapter does."""

from bot.adapters.desk import Answer, Asked, Command, Press
from core.messages import ChatKey, PersonKey
from tests.bot.conftest import HOME, MINA


def ask(
    words: str, language: str = "ko", person: PersonKey = MINA, chat: ChatKey = HOME, *, manager: bool = True
) -> Asked:
    name, _, argument = words.partition(" ")
    return Asked(person, chat, Command(name, argument), language, manager)


def button(answer: Answer, argument: str, *filled: str) -> Press:
    """The press of the button that gives this argument, with this written into its form."""
    data = next(one.data for row in answer.buttons for one in row if one.command.argument == argument)
    return Press(data, filled=filled)
