"""Discord under load and with faults: what is lost, doubled or late (README.md)."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # `python benchmarks/discord.py` works as well as `-m`

from rich.console import Console

from benchmarks._discord_faults import faults
from benchmarks._discord_town import Town, town
from benchmarks._figures import Figures
from benchmarks._marks import Said
from benchmarks._platform import answered, run

SEED = 20260601
MESSAGES_EACH = 5
PER_SECOND = 50


def main() -> int:
    """Load, then faults. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=50, metavar="TIMES", help="of each fault (default: 50)")
    parser.add_argument("--people", type=int, default=200, help="who talk at once (default: 200)")
    parser.add_argument("--seconds", type=int, default=20, help="of the steady stream (default: 20)")
    parser.add_argument("--seed", type=int, default=SEED, help="decides waits and moments")
    parser.add_argument("--quick", action="store_true", help="shorten the library's pauses and the adapter's patience")
    parser.add_argument("--profile", type=Path, help="leave cProfile's figures of the service under load here")
    given = parser.parse_args()
    figures = Figures(Console(stderr=True))
    folder = Path(tempfile.mkdtemp(prefix="ohlora-discord-"))
    run(_measure(given, folder, figures))
    return figures.report("Discord", folder)


async def _measure(given: argparse.Namespace, folder: Path, figures: Figures) -> None:
    faces = ("--faces", str(folder / "faces"))
    profile = ("--profile", str(given.profile)) if given.profile else ()
    if given.people:
        await _load(given.people, given.seconds, folder / "load", (*faces, *profile), figures)
    if given.n:
        await faults(given.n, given.seed, folder, (*faces, *(("--quick",) if given.quick else ())), figures)


async def _load(people: int, seconds: int, folder: Path, options: Sequence[str], figures: Figures) -> None:
    """Everybody at once, then a steady stream."""
    async with town(folder, people, *options) as place:
        await place.start()
        burst = [_anywhere(place, person, turn) for turn in range(MESSAGES_EACH) for person in range(people)]
        await place.say(burst)
        await answered(place.shown, burst, place.service)
        steady = [_anywhere(place, number % people, number // people) for number in range(PER_SECOND * seconds)]
        await place.say(steady, 1 / PER_SECOND)
        await answered(place.shown, steady, place.service)
        await place.service.stop()
        figures.add("burst", await place.verdict(burst, across_chats=True))
        figures.add("steady", await place.verdict(steady, across_chats=True))
        await place.judge(figures)
        waits = await place.waits()
        figures.numbers["burst_s"] = round(max(waits[one.mark] for one in burst), 2)
        figures.latencies([1000 * waits[one.mark] for one in steady])


def _anywhere(place: Town, person: int, turn: int) -> Said:
    """Every other message of a person privately, the others in one channel of the guild after the other."""
    if (person + turn) % 2:
        return place.in_channel(person, (person + turn) // 2 % len(place.channels))
    return place.privately(person)


if __name__ == "__main__":
    raise SystemExit(main())
