"""One picture per expression, drawn when it is first asked for and kept on disk."""

import hashlib
import os
import tempfile
import threading
from functools import cache
from pathlib import Path

import resvg_py

from core.expression import Expression
from models.avatar.drawing import render_svg
from models.avatar.png import is_valid, text_of, with_texts
from models.avatar.raster import rasterise_apart


@cache
def drawing_version() -> str:
    """Eight hex digits that change when any line of the drawing or of the renderer's version changes."""
    digest = hashlib.sha256(f"resvg {resvg_py.__resvg_version__}".encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:8]


class AvatarStudio:
    """Pictures of her expressions under `cache_dir`, one PNG each, made at the middle of the score ranges.

    Safe to share between threads and between processes: files appear whole or not at all.
    """

    def __init__(self, cache_dir: Path) -> None:
        self._folder = cache_dir / drawing_version()
        self._drawing = threading.Lock()

    def location(self, expression: Expression) -> Path:
        """Where the picture is or will be: `<cache_dir>/<drawing version>/<tag>.png`."""
        return self._folder / f"{expression.tag}.png"

    def is_ready(self, expression: Expression) -> bool:
        """Whether the picture exists, is whole and is the one of this expression (under 1 ms)."""
        try:
            content = self.location(expression).read_bytes()
        except FileNotFoundError:
            return False
        return is_valid(content) and text_of(content, "Description") == expression.tag

    def path(self, expression: Expression) -> Path:
        """The picture's file, drawn now if it is missing or damaged.

        Drawing blocks the caller for about 0.3 s but no other thread: call it through `asyncio.to_thread`. Raises
        OSError if the cache folder cannot be written, `RasterError` if the drawing process fails.
        """
        path = self.location(expression)
        if self.is_ready(expression):
            return path
        with self._drawing:  # one drawing at a time: a second caller finds the first one's file
            if not self.is_ready(expression):
                _write_whole(path, portrait(expression))
        return path


def portrait(expression: Expression) -> bytes:
    """PNG of an expression with its tag as the text "Description" and its Korean wording as "Title"."""
    picture = rasterise_apart(render_svg(*expression.mid_scores()))
    return with_texts(picture, {"Description": expression.tag, "Title": expression.alt_text("ko")})


def _write_whole(path: Path, content: bytes) -> None:
    """Write through a temporary file in the same folder, so that nobody reads half a picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
