"""The process of one side: `python -m benchmarks._inference_side KIND PROFILE THREADS SEED`. JSON lines in and out.

KIND is original or ours, with -bare behind it for one without the four tasks. It ends when its input does.
"""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks._inference_load import Way, talk


def main() -> None:
    """Load, say so, and carry out one load after another."""
    # what libraries print must not end up between the answers
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    kind, bare = sys.argv[1].removesuffix("-bare"), sys.argv[1].endswith("-bare")
    with asyncio.Runner() as runner:
        way = runner.run(_open(kind, Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), bare))
        print(json.dumps({"ready": True}), file=out, flush=True)
        for line in sys.stdin:
            print(json.dumps(runner.run(_carry_out(way, **json.loads(line)))), file=out, flush=True)
        runner.run(way.close())


async def _open(kind: str, profile: Path, threads: int, seed: int, bare: bool) -> Way:
    """Each way imports what it needs and no more: our service has no torch in it."""
    if kind == "original":
        from benchmarks._original_way import open_original

        return open_original(profile, threads, seed, bare=bare)
    from benchmarks._inference_ours import OurWay

    ours = OurWay(profile, threads, seed, bare=bare)
    await ours.device.start()
    return ours


async def _carry_out(way: Way, load: str, **given: Any) -> Mapping[str, Any]:
    if load == "talk":
        return await talk(way, **given)
    if load == "learn":
        await way.learn(**given)
        return {}
    from benchmarks._inference_ours import OurWay, flood

    assert isinstance(way, OurWay)  # there is no queue in the original that could be fair
    return await flood(way, **given)


if __name__ == "__main__":
    main()
