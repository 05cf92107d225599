"""Licences that are not free: their terms are accepted once, and when that was is kept."""

import json
from datetime import UTC, datetime
from pathlib import Path

from core.errors import ConfigurationError
from models.catalogue import TERMS
from models.locks import write_json


def ensure_accepted(licence: str, accepted: str | None, record: Path) -> None:
    """`accepted` is the licence a person accepts now, `record` the JSON file that remembers it: licence → terms, time.

    Raises ConfigurationError with the address of the terms while they are not accepted.
    """
    terms = TERMS.get(licence)
    if terms is None:
        return
    try:
        stored = json.loads(record.read_text(encoding="utf-8")) if record.is_file() else {}
    except ValueError as error:
        raise ConfigurationError(f"{record} cannot be read ({error}); restore or delete it") from error
    if licence in stored:
        return
    if accepted != licence:
        raise ConfigurationError(
            f"the licence {licence} is not free: read {terms}; if you accept, repeat with --accept-license {licence}"
        )
    when = datetime.now(UTC).isoformat(timespec="seconds")
    write_json(record, {**stored, licence: {"terms": terms, "accepted": when}})
