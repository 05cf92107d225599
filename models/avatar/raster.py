"""SVG → PNG.

`resvg_py` keeps Python's global lock for the whole rendering (measured: 280 ms without a tick of any other thread; 5 ms
at most when rendered apart), so a thread does not keep an event loop alive: what serves people renders in a process.
"""

import subprocess
import sys

import resvg_py

_PROGRAM = """
import sys, resvg_py
svg = sys.stdin.buffer.read().decode()
sys.stdout.buffer.write(bytes(resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True)))
"""
_LIMIT_S = 30.0


class RasterError(RuntimeError):
    """The rendering process failed or took too long; the message holds its last words."""


def rasterise(svg: str) -> bytes:
    """PNG bytes of an SVG, in the size that the SVG states (512 x 512 for ours).

    Takes 0.2-0.3 s on one core, and no other thread runs meanwhile. Raises ValueError for a broken SVG.
    """
    return bytes(resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True))


def rasterise_apart(svg: str) -> bytes:
    """The same in a short-lived process; other threads go on. Raises `RasterError`."""
    try:
        command = [sys.executable, "-I", "-c", _PROGRAM]
        done = subprocess.run(command, input=svg.encode(), capture_output=True, timeout=_LIMIT_S, check=True)
    except subprocess.CalledProcessError as error:
        last = error.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise RasterError(f"drawing failed with exit status {error.returncode}: {' '.join(last)}") from error
    except subprocess.TimeoutExpired as error:
        raise RasterError(f"drawing took longer than {_LIMIT_S:.0f} s") from error
    return done.stdout
