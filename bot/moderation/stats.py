"""Figures about cases: as text, and as a picture that needs no font."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from bot.moderation.voice import Voice
from core import texts
from core.case_store import Stats
from core.cases import State
from core.sanctions import LADDERS, Mode

# category → the square that stands for it in the text, and its colour in the picture
_COLOURS: Mapping[str, tuple[str, str]] = {
    "love": ("🟥", "#dd2e44"),
    "politics": ("🟦", "#55acee"),
    "insult": ("🟨", "#fdcb58"),
    "hate": ("🟪", "#aa8ed6"),
}
_WIDTH, _HEIGHT, _LEFT, _FOOT, _TOP = 960, 480, 84, 50, 30
_MOST_WEEKS = 26
# digits as strokes on a grid of 4 × 6: no machine has to bring a font
_STROKES: Mapping[str, str] = {
    "0": "M0 0H4V6H0Z",
    "1": "M1 1L2 0V6",
    "2": "M0 0H4V3H0V6H4",
    "3": "M0 0H4V6H0M0 3H4",
    "4": "M0 0V3H4M4 0V6",
    "5": "M4 0H0V3H4V6H0",
    "6": "M4 0H0V6H4V3H0",
    "7": "M0 0H4L1 6",
    "8": "M0 0H4V6H0ZM0 3H4",
    "9": "M4 3H0V0H4V6H0",
    "-": "M0 3H4",
}


def stats_text(stats: Stats, since: datetime, voice: Voice) -> str:
    """Totals per category, weeks, and appeals."""
    if not stats.weeks:
        return voice.say("stats_none")
    shares = stats.share_overturned()
    lines = [voice.say("stats_title", since=voice.at(since))]
    for category in LADDERS:
        mine = [count for count in stats.weeks if count.category == category]
        lines.append(
            voice.say(
                "stats_row",
                square=_COLOURS[category][0],
                category=texts.categories(voice.language, [category]),
                n=sum(count.cases for count in mine),
                shadow=sum(count.cases for count in mine if count.mode is Mode.SHADOW),
                overturned=sum(count.cases for count in mine if count.state is State.OVERTURNED),
                share=f"{100 * shares.get(category, 0.0):.0f}",
            )
        )
    lines += [_week_line(week, counts) for week, counts in list(_weeks(stats).items())[-8:]]
    lines.append(voice.say("stats_appeals", answered=stats.answered, waiting=stats.waiting))
    if stats.mean_wait is not None and stats.longest_wait is not None:
        mean, longest = (_wait(wait, voice) for wait in (stats.mean_wait, stats.longest_wait))
        lines.append(voice.say("stats_waits", mean=mean, longest=longest))
    return "\n".join(lines)


def chart(stats: Stats) -> str:
    """SVG, 960 × 480: a bar for each week, stacked by category; the text says which colour is which."""
    weeks = list(_weeks(stats).items())[-_MOST_WEEKS:]
    most = max((sum(counts.values()) for _, counts in weeks), default=0) or 1
    slot = (_WIDTH - _LEFT - 20) / len(weeks)
    scale = (_HEIGHT - _FOOT - _TOP) / most
    parts = [_line_at(_HEIGHT - _FOOT, "0"), _line_at(_TOP, str(most))]
    if most > 1:
        middle = most // 2
        parts.append(_line_at(_HEIGHT - _FOOT - middle * scale, str(middle)))
    every = -(-len(weeks) // 12)
    for number, (week, counts) in enumerate(weeks):
        left, foot = _LEFT + number * slot, float(_HEIGHT - _FOOT)
        for category, (_, colour) in _COLOURS.items():
            height = counts[category] * scale
            foot -= height
            if height:
                parts.append(
                    f'<rect x="{left + slot * 0.15:.1f}" y="{foot:.1f}" width="{slot * 0.7:.1f}" '
                    f'height="{height:.1f}" fill="{colour}"/>'
                )
        if number % every == 0:
            parts.append(_number(f"{week:%m-%d}", left + slot / 2, _HEIGHT - _FOOT + 20))
    body = "".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}">'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>{body}</svg>'
    )


def _weeks(stats: Stats) -> dict[date, Counter[str]]:
    """Monday → cases per category, without gaps."""
    counted: dict[date, Counter[str]] = {}
    if not stats.weeks:
        return counted
    week, last = min(count.week for count in stats.weeks), max(count.week for count in stats.weeks)
    while week <= last:
        counted[week] = Counter()
        week += timedelta(weeks=1)
    for count in stats.weeks:
        counted[count.week][count.category] += count.cases
    return counted


def _week_line(week: date, counts: Counter[str]) -> str:
    shown: Sequence[str] = [f"{_COLOURS[name][0]} {counts[name]}" for name in _COLOURS if counts[name]]
    return f"{week:%m-%d}: {'  '.join(shown) or '0'}"


def _wait(wait: timedelta, voice: Voice) -> str:
    return texts.period(voice.language, wait)


def _line_at(y: float, number: str) -> str:
    line = f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - 20}" stroke="#cccccc"/>'
    return line + _number(number, _LEFT / 2, y - 6)


def _number(text: str, middle: float, top: float) -> str:
    """Digits as strokes, centred."""
    step, size = 12, 2
    left = middle - (len(text) * step - 4) / 2
    strokes = "".join(
        f'<path transform="translate({left + place * step:.1f} {top:.1f}) scale({size})" d="{_STROKES[char]}"/>'
        for place, char in enumerate(text)
    )
    return f'<g fill="none" stroke="#444444" stroke-width="0.8" stroke-linejoin="round">{strokes}</g>'
