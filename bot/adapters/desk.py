"""What platforms hand to the commands, and what they get back to show."""

from dataclasses import dataclass, field
from typing import Protocol

from core.messages import ChatKey, PersonKey, PlaceKey


@dataclass(frozen=True, slots=True)
class Command:
    """A command as a person gave it: `/forget 3` is Command("forget", "3")."""

    name: str
    argument: str = ""


@dataclass(frozen=True, slots=True)
class Rights:
    """What the platform says, just now, that somebody may do in a server or group. `roles`: ids of roles there."""

    moderates: bool = False
    manages: bool = False
    roles: frozenset[str] = frozenset()


class FindRights(Protocol):
    """Asks the platform what whoever asks may do in a place; nothing where it cannot say."""

    async def __call__(self, place: PlaceKey) -> Rights:
        """Found out now, never remembered."""
        ...


async def no_rights(place: PlaceKey) -> Rights:
    """Of a platform where nobody moderates."""
    del place
    return Rights()


@dataclass(frozen=True, slots=True)
class Asked:
    """A command, by whom and where. `manager`: the platform vouches that the person manages this place.

    `event`: the platform's id of this command or press, by which one that comes twice is known; "" where it has none.
    """

    person: PersonKey
    chat: ChatKey
    command: Command
    language: str
    manager: bool = False
    rights: FindRights = field(default=no_rights, compare=False)
    event: str = ""


@dataclass(frozen=True, slots=True)
class Button:
    """Pressing it gives a command. `data` is what the platform hands back in a Press: at most 64 plain characters.

    `form`: the command needs words that the person is asked for first (CommandDesk.form).
    """

    label: str
    command: Command
    data: str = ""
    form: str = ""


Rows = tuple[tuple[Button, ...], ...]


@dataclass(frozen=True, slots=True)
class Press:
    """A button that was pressed. `message_id`: the message it is under. `filled`: what was written into its form."""

    data: str
    message_id: str = ""
    filled: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """One thing to write. `long`: it may have several lines. `longest`: in characters."""

    label: str
    longest: int
    long: bool = False
    needed: bool = True


@dataclass(frozen=True, slots=True)
class Form:
    """What a button asks for before it does anything. `instead`: the same as a command, where there are no forms."""

    title: str
    fields: tuple[Field, ...]
    instead: str


@dataclass(frozen=True, slots=True)
class File:
    """A file to hand to the person."""

    name: str
    content: bytes

    @property
    def readable(self) -> bool:
        """Whether it is text."""
        return not self.name.endswith(".png")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command shows, to nobody but who asked. `buttons`: rows of at most five, at most five rows.

    `text` is plain: nothing in it is markup but `<#id>`, a channel, and `<@id>`, a person. `aside`: the message under
    the pressed button stays as it is, and this is shown beside it. `instead`: what to say where there are no buttons.
    """

    text: str
    buttons: Rows = ()
    files: tuple[File, ...] = ()
    aside: bool = False
    instead: str = ""


class CommandDesk(Protocol):
    """Where commands go; it never raises for a fault of the service, its answer says so."""

    async def run(self, asked: Asked) -> Answer:
        """What to show."""
        ...

    async def pressed(self, asked: Asked, press: Press) -> Answer:
        """What to show after a button; `asked.command` does not matter."""
        ...

    def form(self, data: str, language: str) -> Form | None:
        """What to ask for before a button with this data counts as pressed; None: nothing. At once, without rights."""
        ...
