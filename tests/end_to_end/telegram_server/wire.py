"""How calls and answers are written."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import BodyPartReader, web

from .faults import HTML, ApiError
from .schema import Upload

# the parameters that are strings, for `guessed`
STRINGS = {
    "text",
    "caption",
    "action",
    "url",
    "secret_token",
    "language_code",
    "callback_query_id",
    "photo",
    "document",
}


def response(done: Any) -> web.Response:
    """A result or an ApiError as Telegram answers it."""
    if not isinstance(done, ApiError):
        return _written(200, {"ok": True, "result": done})
    if done.status in HTML:
        page = f"<html><body><h1>{done.status} {done.description}</h1></body></html>"
        return web.Response(status=done.status, text=page, content_type="text/html")
    return _written(done.status, done.body())


def _written(status: int, body: dict[str, Any]) -> web.Response:
    encoded = json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return web.Response(status=status, body=encoded, content_type="application/json")


def guessed(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Form fields decoded without the description that says which are not strings."""
    return {
        name: value if name in STRINGS or not isinstance(value, str) else _json(value) for name, value in raw.items()
    }


def _json(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value


async def parameters(request: web.Request) -> dict[str, Any]:
    """What a request carries, however it is written: query, JSON, form or multipart."""
    found: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        found |= await request.json()
    elif request.content_type == "application/x-www-form-urlencoded":
        found |= parse_qsl(await request.text(), keep_blank_values=True)
    elif request.content_type == "multipart/form-data":
        async for part in await request.multipart():
            if isinstance(part, BodyPartReader) and part.name:
                content = bytes(await part.read())
                found[part.name] = Upload(part.filename, content) if part.filename else content.decode()
    return found
