"""What is known of people and places beside what they said."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Person:
    """`introduced`: was told that 오로라 is an AI and what is kept. `paused`: nothing is remembered or recalled."""

    introduced: bool = False
    paused: bool = False


class Images(StrEnum):
    """When a reply carries her face."""

    ALWAYS = "always"
    CHANGE = "change"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class PlaceSettings:
    """What the managers of a server or group chose; in a private chat, the person.

    `channels`: ids of the chats where she answers everything. `name_call`: "로라야 …" calls her. `language` of notices:
    "" where nobody chose one.
    """

    channels: frozenset[str] = frozenset()
    name_call: bool = True
    images: Images = Images.ALWAYS
    language: str = ""
