"""Eyes, lashes, eyelid creases and brows.

Each eye is drawn in its own coordinates: x grows from the nose to the temple, y downwards, the origin in the middle.
"""

import math

from models.avatar.geometry import CENTRE, Head, Point, Warp, cut, ellipse, line, mix, ramp, shape, warped
from models.avatar.scene import sparkle

DEFINITIONS = """
<linearGradient id="iris" x1="0" y1="0" x2="0" y2="1">
<stop offset="0" stop-color="#1d1450"/><stop offset=".3" stop-color="#4a2fa8"/><stop offset=".58" stop-color="#3f7fd6"/>
<stop offset=".8" stop-color="#37cfc4"/><stop offset="1" stop-color="#b4ffdf"/></linearGradient>
<linearGradient id="eyeball" x1="0" y1="0" x2="0" y2="1">
<stop offset="0" stop-color="#c9c6e6"/><stop offset=".45" stop-color="#fdfcff"/><stop offset="1" stop-color="#f4f1fb"/>
</linearGradient>
<linearGradient id="lash" x1="0" y1="0" x2="0" y2="1">
<stop offset="0" stop-color="#3d1f52"/><stop offset="1" stop-color="#190c2e"/></linearGradient>"""

_LASH = "#1f1035"
_CROSS = 46.0
_LEVEL = 248.0


def openness(eyes: float) -> float:
    """0 for eyes closed in a smile, 1 for wide open, above 1 for surprise, from the eyes score."""
    return ramp(
        eyes,
        [
            (-0.2, 0.0),
            (-0.05, 0.03),
            (0.1, 0.16),
            (0.3, 0.38),
            (0.45, 0.47),
            (0.6, 0.55),
            (0.8, 0.78),
            (0.95, 0.86),
            (1.1, 1.1),
            (1.15, 1.18),
            (1.2, 1.24),
        ],
    )


def _placed(head: Head, side: int) -> Warp:
    """From the coordinates of one eye to the picture; `side` is -1 for the eye on the left."""

    def move(x: float, y: float) -> Point:
        return head.face(CENTRE + side * (_CROSS + x), _LEVEL + y)

    return move


class _Lids:
    """The two lid curves for an openness."""

    def __init__(self, opened: float) -> None:
        self.inner = (-21.0, mix(7.0, 7.0, opened))
        self.outer = (mix(22.0, 25.0, min(opened, 1.0)), mix(8.0, -3.0, min(opened * 1.6, 1.0)))
        self.upper = mix(-6.0, -25.0, opened)
        self.lower = mix(-4.5, 19.0, min(opened, 1.0) ** 0.7) + 2.5 * max(0.0, opened - 1.0) / 0.24

    def handle(self, apex: float) -> float:
        """Height of the control points that lead a lid through `apex`."""
        return (8.0 * apex - self.inner[1] - self.outer[1]) / 6.0

    def curve(self, apex: float, lift: float = 0.0, *, back: bool = False) -> str:
        """Control points of a lid from the inner corner to the outer one (or back), its middle at `apex`."""
        (ix, iy), (ox, oy) = self.inner, self.outer
        handle = self.handle(apex + lift)
        first, second = f"{ix + 7} {handle}", f"{ox - 8} {handle}"
        return f"C {second} {first} {ix} {iy}" if back else f"C {first} {second} {ox} {oy}"

    @property
    def start(self) -> str:
        """The inner corner as path data."""
        return f"M {self.inner[0]} {self.inner[1]}"

    @property
    def opening(self) -> str:
        """The visible part of the eyeball."""
        return f"{self.start} {self.curve(self.upper)} {self.curve(self.lower, back=True)} Z"


def _iris_size(opened: float) -> float:
    """The iris shrinks a little in surprise."""
    return ramp(opened, [(0.9, 1.0), (1.18, 0.82)])


def _iris(warp: Warp, opened: float, glance: float) -> str:
    """Iris with gradient, fine rays, pupil and glow."""
    size = _iris_size(opened)
    x, y, rx, ry = glance, -3.0, 16.2 * size, 21.0 * size
    rays = " ".join(
        f"M {x + rx * 0.5 * math.cos(a)} {y + ry * 0.5 * math.sin(a)} L {x + rx * 0.86 * math.cos(a)} "
        f"{y + ry * 0.86 * math.sin(a)}"
        for a in (0.2, 0.55, 0.9, 1.25, 1.6, 1.95, 2.3, 2.65, 3.0)
    )
    return "".join(
        (
            shape(warped(ellipse(x, y, rx, ry), warp), "url(#iris)", 'stroke="#170d3f" stroke-width="2"'),
            shape(warped(ellipse(x, y - 2, rx * 0.46, ry * 0.5), warp), "#140a36"),
            line(
                warped(f"M {x - rx * 0.7} {y + ry * 0.42} Q {x} {y + ry * 1.05} {x + rx * 0.7} {y + ry * 0.42}", warp),
                "#d8fff0",
                2.2,
                'opacity=".55"',
            ),
            line(warped(rays, warp), "#d6f6ff", 0.9, 'opacity=".5"'),
        )
    )


def _glints(put: Warp, opened: float) -> str:
    """Highlights; `put` does not mirror, for the light comes from one side."""
    size = _iris_size(opened)

    def free(path: str) -> str:
        return warped(path, put)

    big = ellipse(-5.5, -10.5, 5.6 * size, 7.2 * size)
    return "".join(
        (
            shape(free(big), "#ffffff"),
            shape(free(ellipse(6.5, 8.5, 3.0 * size, 3.6 * size)), "#ffffff", 'opacity=".92"'),
            shape(free(ellipse(8, -9, 1.7, 2.2)), "#e6f7ff", 'opacity=".8"'),
            shape(free(sparkle(-2.5, 9.5, 5.5 if opened > 1.0 else 0.1)), "#ffffff"),
        )
    )


def _lashes(warp: Warp, lids: _Lids, opened: float) -> str:
    """The thick upper lash line with its wing, the fine lower one, and the crease."""
    ox, oy = lids.outer
    shut = 1.0 - min(1.0, opened / 0.4)
    wing_x, wing_y = ox + mix(7.0, 5.5, shut), oy + mix(-5.0, 3.5, shut)
    thick = mix(6.2, 4.2, shut)
    upper = (
        f"{lids.start} {lids.curve(lids.upper, -thick)} L {wing_x} {wing_y} "
        f"L {ox - 1.0} {oy + 2.6} {lids.curve(lids.upper, 0.4, back=True)} Z"
    )
    spikes = [
        f"M {ox - 5} {oy - 7} Q {ox + 3} {oy - 8} {ox + 6.5} {oy + mix(-13.0, -3.0, shut)} "
        f"Q {ox + 4} {oy - 5} {ox} {oy - 1} Z",
        f"M {ox - 11} {oy - 12} Q {ox - 3} {oy - 13} {ox + 1.5} {oy + mix(-19.0, -9.0, shut)} "
        f"Q {ox - 1} {oy - 10} {ox - 5} {oy - 6} Z",
    ]
    handle = lids.handle(lids.lower + 0.6)
    corner, inner = (ox, oy), lids.inner
    lower = cut(corner, (ox - 8, handle), (inner[0] + 7, handle), inner, 0.5)
    whole = cut(corner, (ox - 8, handle), (inner[0] + 7, handle), inner, 0.93)
    crease_y = lids.upper - mix(9.5, 7.0, shut)
    crease = f"M -14 {crease_y + 8} Q 3 {crease_y - 6} {ox + 1} {crease_y + 9}"
    visible = 1.0 - shut
    return "".join(
        (
            line(warped(crease, warp), "#a2586c", 1.3, f'opacity="{0.35 + 0.45 * visible:.2f}"'),
            line(warped(whole, warp), "#7a4460", 0.9, f'opacity="{0.6 * visible:.2f}"'),
            line(warped(lower, warp), "#3a1c3a", 1.6, f'opacity="{0.85 * visible:.2f}"'),
            *(shape(warped(spike, warp), _LASH) for spike in spikes),
            shape(warped(upper, warp), _LASH, f'stroke="{_LASH}" stroke-width=".8" stroke-linejoin="round"'),
        )
    )


def eye(head: Head, side: int, opened: float) -> str:
    """One whole eye without its brow."""
    warp, lids = _placed(head, side), _Lids(opened)
    name = "near" if side < 0 else "far"

    def put(x: float, y: float) -> Point:
        return head.face(CENTRE + side * _CROSS + x - 2.5 * head.turn, _LEVEL + y)

    opening = warped(lids.opening, warp)
    cast = f"{lids.start} {lids.curve(lids.upper)} {lids.curve(lids.upper, 7.0, back=True)} Z"
    glance = -1.2 - side * 2.5 * head.turn
    ball = (
        ""
        if opened < 0.02
        else "".join(
            (
                f'<clipPath id="{name}-eye"><path d="{opening}"/></clipPath>',
                shape(opening, "url(#eyeball)"),
                f'<g clip-path="url(#{name}-eye)">',
                _iris(warp, opened, glance),
                shape(warped(cast, warp), "#1b1048", 'opacity=".34"'),
                _glints(put, opened),
                "</g>",
            )
        )
    )
    return ball + _lashes(warp, lids, opened)


def brows(head: Head, opened: float, opacity: float) -> str:
    """Both brows; they rise with the lids, and arch over smiling eyes."""
    lift = ramp(opened, [(0.0, -37.0), (0.5, -41.0), (0.9, -46.0), (1.18, -60.0)])
    arch = ramp(opened, [(0.0, 8.0), (0.5, 3.5), (0.9, 5.0), (1.18, 10.0)])
    path = (
        f"M -19 {lift + 0.5} C -8 {lift - arch * 0.6} 12 {lift - arch * 1.3} 31 {lift + 6} "
        f"C 13 {lift - arch * 0.8 + 2.6} -4 {lift - arch * 0.4 + 4} -18 {lift + 4.5} "
        f"Q -20.5 {lift + 2.5} -19 {lift + 0.5} Z"
    )
    pieces = (shape(warped(path, _placed(head, side)), "#34195a", f'opacity="{opacity}"') for side in (-1, 1))
    return "".join(pieces)
