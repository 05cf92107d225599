"""Cases as CSV and as JSON lines, as many as one message may carry."""

import csv
import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.cases import Case

# each file; below what every platform takes
LIMIT = 7 * 2**20
# a spreadsheet would run what begins like this
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Exported:
    """`rest_since`: when the first case arose that found no room; None when all did."""

    csv: bytes
    jsonl: bytes
    cases: int
    rest_since: datetime | None = None


async def exported(cases: AsyncIterator[Case], limit: int = LIMIT) -> Exported:
    """The first cases whose files stay below `limit` bytes each."""
    table, lines, count = io.BytesIO(), io.BytesIO(), 0
    async for case in cases:
        whole = row(case)
        line = json.dumps(whole, ensure_ascii=False).encode(errors="backslashreplace") + b"\n"
        flat = _csv(_flat(whole), header=not count)
        if max(table.tell() + len(flat), lines.tell() + len(line)) > limit:
            return Exported(table.getvalue(), lines.getvalue(), count, case.sanction.at)
        table.write(flat)
        lines.write(line)
        count += 1
    return Exported(table.getvalue(), lines.getvalue(), count)


def row(case: Case) -> dict[str, Any]:
    """Everything about a case, as JSON."""
    sanction = case.sanction
    return {
        "number": case.number,
        "platform": case.person.platform,
        "person": case.person.user_id,
        "place": "" if case.chat.private else case.place.place_id,
        "chat": case.chat.chat_id,
        "everywhere": case.everywhere,
        "category": sanction.category,
        "mode": sanction.mode.value,
        "step": sanction.step,
        "at": sanction.at.isoformat(),
        "period_s": int(sanction.period.total_seconds()),
        "ends": case.end.isoformat(),
        "state": case.state.value,
        "counts": case.counts,
        "prompt": sanction.evidence.prompt,
        "answer": sanction.evidence.answer,
        "blanked": case.blanked,
        "scores": dict(sanction.evidence.scores),
        "thresholds": dict(sanction.evidence.thresholds),
        "encoder": sanction.evidence.encoder,
        "events": [
            {
                "kind": event.kind.value,
                "at": event.at.isoformat(),
                "by": None if event.by is None else f"{event.by.platform}:{event.by.user_id}",
                "text": event.text,
                "period_s": None if event.period is None else int(event.period.total_seconds()),
            }
            for event in case.events
        ],
    }


def _flat(whole: dict[str, Any]) -> dict[str, str]:
    """One cell each; text that a spreadsheet would take for a formula begins with an apostrophe."""
    cells = {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in whole.items()
    }
    return {name: f"'{cell}" if cell.startswith(_FORMULA) else cell for name, cell in cells.items()}


def _csv(cells: dict[str, str], *, header: bool) -> bytes:
    written = io.StringIO()
    writer = csv.DictWriter(written, cells)
    if header:
        written.write("\ufeff")  # by which spreadsheets know the encoding
        writer.writeheader()
    writer.writerow(cells)
    return written.getvalue().encode(errors="backslashreplace")
