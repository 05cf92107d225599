"""PNG files: validity, and a text chunk that names what the picture shows.

Chunk layout: length (4 bytes, big-endian), type (4), data, CRC-32 of type and data (4).
"""

import struct
import zlib
from collections.abc import Iterator

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEAD = struct.Struct(">I4s")
_CRC = struct.Struct(">I")


class InvalidPngError(ValueError):
    """The bytes are no complete PNG."""


def _chunk(kind: bytes, data: bytes) -> bytes:
    return _HEAD.pack(len(data), kind) + data + _CRC.pack(zlib.crc32(kind + data))


def _mark(keyword: str) -> bytes:
    """What precedes the text in iTXt: keyword, its end, not compressed (two bytes), no language, no translation."""
    return keyword.encode("latin-1") + b"\0\0\0\0\0"


def chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Type and data of every chunk, IEND included; raises `InvalidPngError` where the file is cut or damaged."""
    if not png.startswith(_SIGNATURE):
        raise InvalidPngError("no PNG signature")
    at, kind = len(_SIGNATURE), b""
    while kind != b"IEND":
        if at + _HEAD.size > len(png):
            raise InvalidPngError(f"PNG ends before IEND, at byte {len(png)}")
        length, kind = _HEAD.unpack_from(png, at)
        end = at + _HEAD.size + length
        if end + _CRC.size > len(png):
            raise InvalidPngError(f"chunk {kind!r} at byte {at} is cut off")
        data = png[at + _HEAD.size : end]
        if _CRC.unpack_from(png, end)[0] != zlib.crc32(kind + data):
            raise InvalidPngError(f"chunk {kind!r} at byte {at} has a wrong checksum")
        yield kind, data
        at = end + _CRC.size


def is_valid(png: bytes) -> bool:
    """Whether every chunk up to IEND is complete and undamaged."""
    try:
        return [kind for kind, _ in chunks(png)][:1] == [b"IHDR"]
    except InvalidPngError:
        return False


def with_texts(png: bytes, texts: dict[str, str]) -> bytes:
    """The PNG with one UTF-8 iTXt chunk per keyword (Latin letters, at most 79), right after IHDR."""
    out = [_SIGNATURE]
    for kind, data in chunks(png):
        out.append(_chunk(kind, data))
        if kind == b"IHDR":
            out += [_chunk(b"iTXt", _mark(keyword) + text.encode()) for keyword, text in texts.items()]
    return b"".join(out)


def text_of(png: bytes, keyword: str) -> str | None:
    """The text stored under `keyword`, or None."""
    mark = _mark(keyword)
    for kind, data in chunks(png):
        if kind == b"iTXt" and data.startswith(mark):
            return data.removeprefix(mark).decode()
    return None
