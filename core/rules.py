"""What a place's moderators may set about sanctions, within what the operator allows. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from core.ethics import Thresholds
from core.people import PlaceSettings
from core.sanctions import LONGEST, Mode, step_period


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far a place may go; a block closes all of 오로라, so by default a place may only be milder.

    `looser`: cosine that a threshold may lie below the encoder's own. `harsher`: how many times as long as the
    operator's a place's step may last; a warning stays one. `steps`: the most a ladder may have.
    """

    modes: frozenset[Mode] = frozenset(Mode)
    looser: float = 0.0
    harsher: float = 1.0
    steps: int = 10


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds in a place. Categories that are off are not in `thresholds.acts`."""

    modes: Mapping[str, Mode]
    thresholds: Thresholds
    ladders: Mapping[str, Sequence[timedelta]]


@dataclass(slots=True)
class Rulebook:
    """What the operator decides. May be rewritten while turns go on: each of them is judged by what it began with."""

    thresholds: Thresholds
    ladders: Mapping[str, Sequence[timedelta]]
    bounds: Bounds

    def of(self, place: PlaceSettings) -> Rules:
        """What holds in a place from now on."""
        return rules_of(place, self.ladders, self.thresholds, self.bounds)

    def become(self, other: "Rulebook") -> None:
        """The same as another, from now on."""
        self.thresholds, self.ladders, self.bounds = other.thresholds, other.ladders, other.bounds


def rules_of(
    place: PlaceSettings, ladders: Mapping[str, Sequence[timedelta]], thresholds: Thresholds, bounds: Bounds
) -> Rules:
    """The rules that hold in a place: its wishes, each pulled to the nearest that the operator allows.

    `ladders` and `thresholds` are the operator's; the veto of `normal` is nobody else's to set.
    """
    modes = {category: _mode(place, category, bounds) for category in ladders}
    acts = {
        category: min(max(place.thresholds.get(category, own), own - bounds.looser), max(own, 1.0))
        for category, own in thresholds.acts.items()
        if modes.get(category) is not Mode.OFF
    }
    climbed = {category: _ladder(place.ladders.get(category, ()), own, bounds) for category, own in ladders.items()}
    return Rules(modes, Thresholds(acts, thresholds.veto), climbed)


def _mode(place: PlaceSettings, category: str, bounds: Bounds) -> Mode:
    wish = place.modes.get(category, Mode.ENFORCE)
    return wish if wish in bounds.modes else Mode.ENFORCE


def _ladder(wish: Sequence[timedelta], own: Sequence[timedelta], bounds: Bounds) -> Sequence[timedelta]:
    if not wish:
        return own
    longest = (min(step_period(own, step) * bounds.harsher, LONGEST) for step in range(1, bounds.steps + 1))
    return tuple(min(max(period, timedelta(0)), limit) for period, limit in zip(wish, longest, strict=False))
