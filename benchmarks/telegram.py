"""Telegram under load and with faults: what is lost, doubled, late or too early (README.md)."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # `python benchmarks/telegram.py` works as well as `-m`

from rich.console import Console

from benchmarks._figures import Figures
from benchmarks._platform import answered, run
from benchmarks._telegram_faults import faults
from benchmarks._telegram_town import SCALE, town

SEED = 20260601
MESSAGES_EACH = 5
GROUPS = 10
PER_SECOND = 50


def main() -> int:
    """Load, then faults. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=50, metavar="TIMES", help="of each fault (default: 50)")
    parser.add_argument("--people", type=int, default=200, help="who talk at once (default: 200)")
    parser.add_argument("--seconds", type=int, default=20, help="of the steady stream (default: 20)")
    parser.add_argument("--seed", type=int, default=SEED, help="decides waits and moments")
    parser.add_argument("--profile", type=Path, help="leave cProfile's figures of the service under load here")
    given = parser.parse_args()
    figures = Figures(Console(stderr=True))
    folder = Path(tempfile.mkdtemp(prefix="ohlora-telegram-"))
    run(_measure(given, folder, figures))
    return figures.report("Telegram", folder)


async def _measure(given: argparse.Namespace, folder: Path, figures: Figures) -> None:
    faces = ("--faces", str(folder / "faces"))
    profile = ("--profile", str(given.profile)) if given.profile else ()
    figures.numbers["scale"] = SCALE
    if given.people:
        await _load(given.people, given.seconds, folder / "load", (*faces, *profile), figures)
    if given.n:
        await faults(given.n, given.seed, folder, faces, figures)


async def _load(people: int, seconds: int, folder: Path, options: Sequence[str], figures: Figures) -> None:
    """Everybody at once, privately and in a group; then a steady stream in private chats."""
    async with town(folder, people, *options, groups=GROUPS) as place:
        await place.start()
        burst = [
            said
            for _ in range(MESSAGES_EACH)
            for person in range(people)
            for said in (place.privately(person), place.in_group(person, person % GROUPS))
        ]
        await place.say(burst)
        await answered(place.shown, burst, place.service)
        steady = [place.privately(number % people) for number in range(PER_SECOND * seconds)]
        await place.say(steady, 1 / PER_SECOND)
        await answered(place.shown, steady, place.service)
        await place.service.stop()
        figures.add("burst", await place.verdict(burst, across_chats=True, certain=True))
        figures.add("steady", await place.verdict(steady, across_chats=True, certain=True))
        await place.judge(figures)
        waits = await place.waits()
        figures.numbers["burst_s"] = round(max(waits[one.mark] for one in burst), 2)
        figures.latencies([1000 * waits[one.mark] for one in steady])


if __name__ == "__main__":
    raise SystemExit(main())
