"""/mod settings: what a place's moderators choose about sanctions, within what the operator allows."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.adapters.desk import Answer, Asked, Button, Command
from bot.moderation.bench import Bench
from bot.moderation.news import News
from bot.moderation.voice import Voice
from bot.moderation.words import DEFAULT, Unclear, Wanted
from core import texts
from core.messages import PlaceKey
from core.people import PlaceSettings
from core.rules import Rules
from core.sanctions import Mode

log = logging.getLogger(__name__)

_ABOUT_A_CATEGORY = ("mode", "threshold", "ladder")
# who moderates, and where they are told: not for everybody who moderates to decide
_ABOUT_THE_PLACE = ("review", "role")


class PlaceRules:
    """Shows and changes them."""

    def __init__(self, bench: Bench, news: News) -> None:
        self._bench = bench
        self._news = news

    async def do(self, asked: Asked, wanted: Wanted, place: PlaceKey | None) -> Answer:
        """The page, after the change. Raises Unclear, NoModerator, RecordError."""
        by = await self._bench.moderator(asked, place)
        voice = self._bench.voice(asked)
        if place is None:
            return Answer(voice.say("settings_where"))
        settings = await self._bench.places.chosen(place)
        given = wanted.given
        if any(name in given for name in _ABOUT_THE_PLACE) and not (by.operator or (await asked.rights(place)).manages):
            who = asked.person
            log.warning("refused: %s:%s does not manage place %s", who.platform, who.user_id, place.place_id)
            return Answer(texts.text(asked.language, "settings", "managers_only"))
        wish = _changed(settings, given, asked, place)
        if wish != settings:
            if beyond := self._beyond(wish, given):
                return Answer(voice.say("out_of_bounds", what=voice.say(beyond)))
            await self._bench.places.change(place, wish)
            log.info("place %s: rules changed by %s:%s", place.place_id, by.person.platform, by.person.user_id)
            if wish.review_chat != settings.review_chat:
                self._news.look_again()
        return settings_page(wish, self._bench.rulebook.of(wish), place, self._bench.rulebook.bounds.modes, voice)

    def _beyond(self, wish: PlaceSettings, given: Mapping[str, Any]) -> str:
        """Which part of a wish the operator does not allow; "" when all of it is fine."""
        category = given.get("category", "")
        rules = self._bench.rulebook.of(wish)
        if "mode" in given and rules.modes[category] is not wish.modes.get(category, Mode.ENFORCE):
            return "mode"
        # one that is off has no threshold until it is on again
        on = self._bench.rulebook.of(replace(wish, modes={}))
        if category in wish.thresholds and on.thresholds.acts[category] != wish.thresholds[category]:
            return "threshold"
        if category in wish.ladders and tuple(rules.ladders[category]) != wish.ladders[category]:
            return "ladder"
        return ""


def settings_page(
    settings: PlaceSettings, rules: Rules, place: PlaceKey, modes: frozenset[Mode], voice: Voice
) -> Answer:
    """What holds in a place, and a button for every other mode."""
    lines = [voice.say("settings_title", place=place.place_id)]
    rows = []
    for category in rules.ladders:
        threshold = rules.thresholds.acts.get(category)
        lines.append(
            voice.say(
                "settings_row",
                category=texts.categories(voice.language, [category]),
                mode=voice.word("mode", rules.modes[category]),
                threshold="–" if threshold is None else f"{threshold:.4f}",
                ladder=" → ".join(voice.period(step) for step in rules.ladders[category]),
            )
        )
        rows.append(
            tuple(
                Button(
                    f"{texts.categories(voice.language, [category])}: {voice.word('mode', mode)}",
                    Command("mod", f"settings in={place.place_id} category={category} mode={mode.value}"),
                )
                for mode in Mode
                if mode in modes and mode is not rules.modes[category]
            )
        )
    lines.append(voice.say("settings_review", chat=f"<#{settings.review_chat}>" if settings.review_chat else "–"))
    lines.append(voice.say("settings_role", role=settings.moderator_role or "–"))
    if settings.moderator_role:
        lines.append(voice.say("settings_role_hint"))
    lines.append(voice.say("settings_usage", place=place.place_id))
    return Answer("\n".join(lines), tuple(row for row in rows if row))


def _changed(settings: PlaceSettings, given: Mapping[str, Any], asked: Asked, place: PlaceKey) -> PlaceSettings:
    """The settings as they were wished for. Raises Unclear when no category is named where one has to be."""
    category = given.get("category")
    if category is None and any(name in given for name in _ABOUT_A_CATEGORY):
        raise Unclear("category")
    if category is not None and "mode" in given:
        settings = replace(settings, modes={**settings.modes, category: Mode(given["mode"])})
    if category is not None and "threshold" in given:
        settings = replace(settings, thresholds=_with(settings.thresholds, category, given["threshold"]))
    if category is not None and "ladder" in given:
        settings = replace(settings, ladders=_with(settings.ladders, category, given["ladder"]))
    if "review" in given:
        settings = replace(settings, review_chat=asked.chat.chat_id if given["review"] == "here" else "")
    if "role" in given:
        # Discord's @everyone has the number of its server; it means nobody in particular
        nobody = given["role"] in ("off", place.place_id)
        settings = replace(settings, moderator_role="" if nobody else given["role"])
    return settings


def _with(chosen: Mapping[str, Any], category: str, value: float | tuple[timedelta, ...] | str) -> dict[str, Any]:
    kept = {name: old for name, old in chosen.items() if name != category}
    return kept if value == DEFAULT else {**kept, category: value}
