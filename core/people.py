"""What is known of people and places beside what they said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from core.sanctions import Mode


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
    "" where nobody chose one. `modes`, `thresholds`, `ladders`: wishes by category, of which core.rules makes rules.
    `review_chat`: where its moderators see new cases and appeals; `moderator_role`: who they are, beside the platform's
    own moderators; "" for neither.
    """

    channels: frozenset[str] = frozenset()
    name_call: bool = True
    images: Images = Images.ALWAYS
    language: str = ""
    modes: Mapping[str, Mode] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)
    ladders: Mapping[str, tuple[timedelta, ...]] = field(default_factory=dict)
    review_chat: str = ""
    moderator_role: str = ""
