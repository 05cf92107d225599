"""What every part of the desk works with, and who is a moderator."""

from dataclasses import dataclass

from bot.adapters.desk import Asked
from bot.moderation.voice import Voice
from bot.places import Places
from core import Policy
from core.case_store import CaseStore
from core.messages import PersonKey, PlaceKey
from core.moderation import Moderator
from core.ports import Clock
from core.rules import Rulebook, Rules


class NoModerator(Exception):
    """Whoever asks has no rights in the place; None: nobody could tell which place is meant."""

    def __init__(self, place: PlaceKey | None) -> None:
        super().__init__(place)
        self.place = place


@dataclass(frozen=True, slots=True)
class Bench:
    """`operators`: by their platform's number, from the settings."""

    cases: CaseStore
    places: Places
    clock: Clock
    policy: Policy
    rulebook: Rulebook
    operators: frozenset[PersonKey] = frozenset()

    def voice(self, asked: Asked) -> Voice:
        """For whoever asks."""
        return Voice(asked.language, self.policy.zone, asked.person.platform)

    async def moderator(self, asked: Asked, place: PlaceKey | None) -> Moderator:
        """Whoever asks, with the rights they have at this moment. Raises NoModerator, RecordError."""
        if asked.person in self.operators:
            return Moderator(asked.person, place, operator=True)
        if place is not None and place.platform == asked.person.platform:
            rights = await asked.rights(place)
            if rights.moderates or (rights.roles and (await self.places.chosen(place)).moderator_role in rights.roles):
                return Moderator(asked.person, place)
        raise NoModerator(place)

    async def rules(self, place: PlaceKey) -> Rules:
        """What holds in a place. Raises RecordError."""
        return self.rulebook.of(await self.places.chosen(place))
