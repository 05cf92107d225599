"""Reads a request's body without copying the files in it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

NAME = re.compile(rb'\bname="([^"]*)"')
FILENAME = re.compile(rb'\bfilename="([^"]*)"')
FIELD = re.compile(r"files\[(\d+)\]")
BOUNDARY = re.compile(r'boundary="?([^";]+)')


@dataclass(frozen=True)
class File:
    """A file as it came in; `data` is a view of the request's body."""

    filename: str
    data: memoryview


@dataclass(frozen=True)
class Body:
    """What a request carries: its JSON (None where it has none) and its files by number."""

    payload: Any
    files: dict[int, File]


def read(body: bytes, content_type: str) -> Body:
    """JSON, or multipart with `payload_json` and `files[n]`; ValueError where it is neither."""
    if not body:
        return Body(None, {})
    boundary = BOUNDARY.search(content_type)
    if not content_type.startswith("multipart/form-data") or boundary is None:
        return Body(json.loads(body), {})
    payload: Any = None
    files: dict[int, File] = {}
    for head, data in _parts(body, boundary[1].encode()):
        name = NAME.search(head)
        field = "" if name is None else name[1].decode()
        if field == "payload_json":
            payload = json.loads(bytes(data))
        elif number := FIELD.fullmatch(field):
            called = FILENAME.search(head)
            files[int(number[1])] = File("file" if called is None else called[1].decode(), data)
        else:
            raise ValueError(f"unknown form field {field!r}")
    return Body(payload, files)


def _parts(body: bytes, boundary: bytes) -> Iterator[tuple[bytes, memoryview]]:
    whole, mark = memoryview(body), b"--" + boundary
    start = body.find(mark)
    while start >= 0:
        head = start + len(mark) + 2
        split = body.find(b"\r\n\r\n", head)
        end = body.find(b"\r\n" + mark, head)
        if split < 0 or end < 0:
            return
        yield body[head:split], whole[split + 4 : end]
        start = end + 2
