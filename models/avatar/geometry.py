"""Points, paths and the turning head.

Paths are written once, in the coordinates of the 512 x 512 picture with the face straight ahead, as SVG path data with
absolute `M L Q C Z` only. A `Warp` then moves every coordinate, so that one drawing serves all head poses.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

Point = tuple[float, float]
Warp = Callable[[float, float], Point]

SIZE = 512
CENTRE = 256.0
_PIVOT: Point = (256.0, 352.0)
_TOKEN = re.compile(r"[A-Z]|-?\d+(?:\.\d+)?")


def mix(start: float, end: float, share: float) -> float:
    """Linear interpolation; `share` outside 0..1 extrapolates."""
    return start + (end - start) * share


def ramp(value: float, stops: list[Point]) -> float:
    """Piecewise linear curve through `stops` (x rising), constant outside them."""
    if value <= stops[0][0]:
        return stops[0][1]
    for (x0, y0), (x1, y1) in pairwise(stops):
        if value <= x1:
            return mix(y0, y1, (value - x0) / (x1 - x0))
    return stops[-1][1]


def warped(path: str, warp: Warp) -> str:
    """The same path with every coordinate pair moved by `warp`."""
    out: list[str] = []
    pending: float | None = None
    for token in _TOKEN.findall(path):
        if token.isalpha():
            out.append(token)
        elif pending is None:
            pending = float(token)
        else:
            x, y = warp(pending, float(token))
            out.append(f"{x:.1f} {y:.1f}")
            pending = None
    return " ".join(out)


def blended(start: str, end: str, share: float) -> str:
    """The path between two paths of the same structure."""
    pairs = zip(_TOKEN.findall(start), _TOKEN.findall(end), strict=True)
    return " ".join(a if a.isalpha() else f"{mix(float(a), float(b), share):.2f}" for a, b in pairs)


def cut(start: Point, first: Point, second: Point, end: Point, share: float) -> str:
    """The beginning of a cubic curve, up to `share` of its parameter, as path data."""

    def between(a: Point, b: Point) -> Point:
        return (mix(a[0], b[0], share), mix(a[1], b[1], share))

    ab, bc, cd = between(start, first), between(first, second), between(second, end)
    abc, bcd = between(ab, bc), between(bc, cd)
    numbers = (*start, *ab, *abc, *between(abc, bcd))
    return "M {:.2f} {:.2f} C {:.2f} {:.2f} {:.2f} {:.2f} {:.2f} {:.2f}".format(*numbers)


def ellipse(x: float, y: float, rx: float, ry: float) -> str:
    """An ellipse as four cubic curves, so that a `Warp` can bend it."""
    kx, ky = rx * 0.5523, ry * 0.5523
    return (
        f"M {x - rx} {y} C {x - rx} {y - ky} {x - kx} {y - ry} {x} {y - ry} "
        f"C {x + kx} {y - ry} {x + rx} {y - ky} {x + rx} {y} C {x + rx} {y + ky} {x + kx} {y + ry} {x} {y + ry} "
        f"C {x - kx} {y + ry} {x - rx} {y + ky} {x - rx} {y} Z"
    )


def shape(path: str, fill: str, more: str = "") -> str:
    """A filled path element."""
    return f'<path d="{path}" fill="{fill}" {more}/>'


def line(path: str, colour: str, width: float, more: str = "") -> str:
    """A stroked path element with round ends."""
    return (
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width:.2f}" '
        f'stroke-linecap="round" stroke-linejoin="round" {more}/>'
    )


@dataclass(frozen=True)
class Head:
    """Where the head looks: `turn` 0 is straight ahead, 1 is 30° towards the right of the picture."""

    turn: float

    @property
    def yaw(self) -> float:
        """Rotation about the vertical axis in radians."""
        return math.radians(30.0 * self.turn)

    def tilted(self, x: float, y: float, weight: float = 1.0) -> Point:
        """Lean the head about the neck; `weight` 0 leaves the point where it is."""
        angle = math.radians(mix(-2.0, 5.5, self.turn)) * weight
        dx, dy = x - _PIVOT[0], y - _PIVOT[1]
        cos, sin = math.cos(angle), math.sin(angle)
        return (_PIVOT[0] + dx * cos - dy * sin, _PIVOT[1] + dx * sin + dy * cos)

    def face(self, x: float, y: float, depth: float = 70.0) -> Point:
        """A point on the curved front of the face, `depth` before the turning axis at the midline."""
        return self.rounded(x, y, depth, 112.0)

    def rounded(self, x: float, y: float, depth: float, radius: float) -> Point:
        """A point on a curved surface with `depth` in the middle and none at `radius` from it."""
        u = x - CENTRE
        z = depth * math.sqrt(max(0.0, 1.0 - (u / radius) ** 2))
        turned = CENTRE - 9.0 * self.turn + u * math.cos(self.yaw) + z * math.sin(self.yaw)
        return self.tilted(turned, y)

    def fringe(self, x: float, y: float) -> Point:
        """A point of the bangs: fixed at the crown, moving with the forehead at the tips."""
        depth = 84.0 * min(1.0, max(0.25, (y - 60.0) / 110.0))
        return self.rounded(x, y, depth, 132.0)

    def outline(self, x: float, y: float) -> Point:
        """A point whose turn is already drawn; it only leans."""
        return self.tilted(x, y)

    def hanging(self, depth: float) -> Warp:
        """Long hair: follows the head above the shoulders and rests on the body below."""

        def move(x: float, y: float) -> Point:
            hold = min(1.0, max(0.0, (470.0 - y) / 190.0))
            hold = hold * hold * (3.0 - 2.0 * hold)
            return self.tilted(x + depth * math.sin(self.yaw) * hold, y, hold)

        return move
