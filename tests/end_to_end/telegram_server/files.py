"""Files the bot uploaded: refused, or kept by `file_id`."""

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .faults import bad
from .schema import Upload

PHOTO_BYTES = 10 * 1024 * 1024
PHOTO_SIDES = 10_000
PHOTO_RATIO = 20
DOCUMENT_BYTES = 50 * 1024 * 1024
THUMBNAIL = 320
KEPT_CONTENT = 1024 * 1024


class OverLimit(Exception):
    """A file larger than Telegram takes; the text is Telegram's description."""


@dataclass(frozen=True)
class Media:
    """A file as a message carries it. `content` is kept for small documents only."""

    kind: str
    file_id: str
    file_unique_id: str
    sha: str
    size: int
    width: int = 0
    height: int = 0
    name: str = ""
    content: bytes = b""

    def fields(self) -> dict[str, Any]:
        """The message's field for it."""
        if self.kind == "photo":
            return {"photo": [self._thumbnail(), self._file() | {"width": self.width, "height": self.height}]}
        return {"document": {**self._file(), "file_name": self.name}}

    @property
    def thumbnail_id(self) -> str:
        """The smaller size of a photo is a file too."""
        return f"{self.file_id}-s"

    def _file(self) -> dict[str, Any]:
        return {"file_id": self.file_id, "file_unique_id": self.file_unique_id, "file_size": self.size}

    def _thumbnail(self) -> dict[str, Any]:
        scale = min(1.0, THUMBNAIL / max(self.width, self.height))
        sides = {"width": max(1, round(self.width * scale)), "height": max(1, round(self.height * scale))}
        return {"file_id": self.thumbnail_id, "file_unique_id": f"{self.file_unique_id}-s", **sides}


class Files:
    """Every file sent so far, by every `file_id` that names it."""

    def __init__(self) -> None:
        self.uploads = 0
        self._known: dict[str, Media] = {}

    def find(self, file_id: str, kind: str) -> Media:
        """The file of a `file_id` (or 400, as for any other string)."""
        media = self._known.get(file_id)
        if media is None:
            raise bad("wrong file identifier/HTTP URL specified")
        if media.kind != kind:
            raise bad(f"can't use file of type {media.kind.title()} as {kind.title()}")
        return media

    def get(self, file_id: str) -> Media:
        """The file of a `file_id`, of whatever kind."""
        if file_id not in self._known:
            raise bad("invalid file_id")
        return self._known[file_id]

    def store(self, upload: Upload, kind: str) -> Media:
        """Keep an upload; raises OverLimit where it is larger than allowed, 400 where it is no image."""
        content = upload.content
        if not content:
            raise bad("file must be non-empty")
        width, height = self._photo_sides(content) if kind == "photo" else (0, 0)
        if len(content) > DOCUMENT_BYTES:
            raise OverLimit("file is too big")
        self.uploads += 1
        media = Media(
            kind,
            f"AgAC{kind}{self.uploads:06}",
            f"AQAD{self.uploads:06}",
            hashlib.sha256(content).hexdigest(),
            len(content),
            width,
            height,
            upload.name,
            content if kind == "document" and len(content) <= KEPT_CONTENT else b"",
        )
        self._known[media.file_id] = media
        if kind == "photo":
            self._known[media.thumbnail_id] = media
        return media

    @staticmethod
    def _photo_sides(content: bytes) -> tuple[int, int]:
        if len(content) > PHOTO_BYTES:
            limit = f"the maximum size is {PHOTO_BYTES} bytes"
            raise OverLimit(f"file of size {len(content)} bytes is too big for a photo; {limit}")
        width, height = image_sides(content)
        if width + height > PHOTO_SIDES or max(width, height) > PHOTO_RATIO * min(width, height):
            raise OverLimit("PHOTO_INVALID_DIMENSIONS")
        return width, height


def image_sides(content: bytes) -> tuple[int, int]:
    """Width and height from the header of a PNG or JPEG (400 otherwise)."""
    if content[:8] == b"\x89PNG\r\n\x1a\n" and len(content) >= 24:
        width, height = struct.unpack(">II", content[16:24])
        return width, height
    for marker, place in _jpeg_segments(content):
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", content[place + 5 : place + 9])
            return width, height
    raise bad("IMAGE_PROCESS_FAILED")


def _jpeg_segments(content: bytes) -> Iterator[tuple[int, int]]:
    place = 2
    while content[:2] == b"\xff\xd8" and place + 9 <= len(content) and content[place] == 0xFF:
        yield content[place + 1], place
        place += 2 + struct.unpack(">H", content[place + 2 : place + 4])[0]
