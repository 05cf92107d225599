"""Figures about cases: as text, and as a picture."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from io import BytesIO

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
_MOST_WEEKS = 26


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


def chart(stats: Stats) -> bytes:
    """PNG: a bar for each of the latest weeks, stacked by category."""
    from matplotlib.figure import Figure  # half a second, which only moderators should wait for
    from matplotlib.ticker import MaxNLocator

    weeks = list(_weeks(stats).items())[-_MOST_WEEKS:]
    figure = Figure(figsize=(7.2, 3.6))
    # a layout that is worked out would draw everything twice
    axes = figure.subplots(gridspec_kw={"left": 0.08, "right": 0.99, "bottom": 0.1, "top": 0.9})
    foot = [0] * len(weeks)
    for category, (_, colour) in _COLOURS.items():
        tops = [below + counted[category] for below, (_, counted) in zip(foot, weeks, strict=True)]
        # its fonts have no Hangul; the text beside names the colours in the reader's language
        axes.stairs(tops, baseline=foot, fill=True, color=colour, label=category)
        foot = tops
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y", alpha=0.3)
    shown = range(0, len(weeks), -(-len(weeks) // 9))
    axes.set_xticks([number + 0.5 for number in shown], [f"{weeks[number][0]:%m-%d}" for number in shown])
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, ncols=len(_COLOURS), loc="lower left", bbox_to_anchor=(0, 1))
    picture = BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()


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
