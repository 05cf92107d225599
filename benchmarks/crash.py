"""kill -9 at every named point of the turn, restart, and look for what was lost or doubled (README.md)."""

import argparse
import json
import multiprocessing
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import product
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # `python benchmarks/crash.py` works as well as `-m`

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from benchmarks._crash_check import Files, Verdict, check, left_behind
from benchmarks._crash_life import EXACT, RANDOM, Life, live
from benchmarks._script import PEOPLE, ROUNDS

SEED = 20260601
MESSAGES = 2 * ROUNDS * len(PEOPLE)
# fewer than the turns that have a bookkeeping, so that every point is passed this often
LAST_PASSING = 12
# a random moment needs to know how long earlier transactions took; two people's can be under way at once
FIRST_PASSING = {point: 1 if point in EXACT else 4 for point in (*EXACT, *RANDOM)}
# a second on an idle machine; a busy one may take its time
LONGEST_LIFE_S = 600.0
# up to this many times what the transaction took so far; some kills come late on purpose
RANDOM_STRETCH = 1.2
# exit status; the figures printed then are those so far
INTERRUPTED = 130
TABLE_WIDTH = 100

Processes = multiprocessing.get_context("forkserver")


@dataclass
class Tally:
    """Sums over the kills of one point. `inside`: kills that came before the transaction returned."""

    kills: int = 0
    inside: int = 0
    left: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    doubled: int = 0
    integrity_failures: int = 0
    unfinished: int = 0

    def add(self, verdict: Verdict) -> None:
        """Count what a check found."""
        self.lost += verdict.lost.total()
        self.doubled += verdict.doubled.total()
        self.integrity_failures += bool(verdict.damage)
        self.unfinished += verdict.unfinished


def main() -> int:
    """Every point, `-n` times. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=20, metavar="TIMES", help="kills at each point (default: 20)")
    parser.add_argument("--seed", type=int, default=SEED, help="decides which message is hit and when")
    given = parser.parse_args()
    Processes.set_forkserver_preload(["benchmarks._crash_life"])  # each life is a fork, without the imports
    tallies = {point: Tally() for point in (*EXACT, *RANDOM)}
    columns = (TextColumn("{task.description:<30}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("", total=given.n * len(tallies))
        try:
            # one kill at each point after the other, so that an interrupted run has seen all of them
            for index, point in product(range(given.n), tallies):
                progress.update(bar, description=point)
                _kill_once(
                    point, index, random.Random(f"{given.seed} {point} {index}"), tallies[point], progress.console
                )
                progress.advance(bar)
        except KeyboardInterrupt:
            _report(tallies)
            return INTERRUPTED
    return _report(tallies)


def _kill_once(point: str, index: int, rng: random.Random, tally: Tally, console: Console) -> None:
    """A series of three lives: killed, restarted, and told everything once more as platforms do after an outage."""
    folder = Path(tempfile.mkdtemp(prefix="ohlora-crash-"))
    files, recognises = Files(folder), index % 2 == 1
    passing = rng.randint(FIRST_PASSING[point], LAST_PASSING)
    life = Life(folder, 0, recognises, hears=True, point=point, passing=passing)
    tally.inside += _die(life, rng)
    tally.left.update(left_behind(files))
    _survive(Life(folder, 1, recognises, hears=False))
    after_restart = check(files, recognises=recognises)
    _survive(Life(folder, 2, recognises, hears=True))
    at_the_end = check(files, recognises=recognises, everything=MESSAGES)
    tally.kills += 1  # only now: an interrupted series was not checked
    for verdict in (after_restart, at_the_end):
        tally.add(verdict)
    if after_restart.clean and at_the_end.clean:
        shutil.rmtree(folder)
    else:
        console.print(f"{point}, kill {index + 1}, kept in {folder}:", after_restart, at_the_end)


def _die(life: Life, rng: random.Random) -> bool:
    """Live until killed; whether that was inside a transaction. Raises RuntimeError if it survived."""
    ours, theirs = Processes.Pipe()
    process = Processes.Process(target=live, args=(life, theirs))
    process.start()
    theirs.close()
    inside = False
    with ours:
        if life.point in RANDOM and ours.poll(LONGEST_LIFE_S):
            time.sleep(rng.uniform(0, ours.recv() * RANDOM_STRETCH))
            process.kill()
            inside = _ended_silently(ours)
        process.join(LONGEST_LIFE_S)
    status = process.exitcode
    if status != -signal.SIGKILL:
        process.kill()
        raise RuntimeError(f"{life.point!r} was not reached (exit status {status}); see {life.folder}")
    return inside


def _ended_silently(connection: Connection) -> bool:
    try:
        connection.recv()
    except EOFError:
        return True
    return False


def _survive(life: Life) -> None:
    """Live to the end. Raises RuntimeError when the service did not come up or did not finish."""
    ours, theirs = Processes.Pipe()
    process = Processes.Process(target=live, args=(life, theirs))
    with ours, theirs:
        process.start()
        process.join(LONGEST_LIFE_S)
    status = process.exitcode
    if status != 0:
        process.kill()
        raise RuntimeError(f"the restarted service ended with {status}; see {life.folder}/service.log")


def _report(tallies: dict[str, Tally]) -> int:
    caption = "left: messages unanswered / replies undelivered / bookkeeping due, before the restart"
    table = Table(title="kill -9, restart, check", caption=caption)
    table.add_column("point", no_wrap=True)
    for title in ("kills", "inside", "left", "lost", "doubled", "damaged", "open"):
        table.add_column(title, justify="right")
    for point, tally in tallies.items():
        left = "/".join(str(tally.left[name]) for name in ("unanswered", "undelivered", "unremembered"))
        inside = str(tally.inside) if point in RANDOM else ""
        found = (tally.lost, tally.doubled, tally.integrity_failures, tally.unfinished)
        table.add_row(point, str(tally.kills), inside, left, *map(str, found))
    Console(width=TABLE_WIDTH).print(table)
    names = ("kills", "lost", "doubled", "integrity_failures", "unfinished")
    figures = {name: sum(getattr(tally, name) for tally in tallies.values()) for name in names}
    print(json.dumps(figures))
    return 1 if figures["lost"] or figures["doubled"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
