"""The polar night behind her: a sky that darkens to the corners, stars, aurora ribbons, a ridge of snow."""

import math
import random

from models.avatar.geometry import SIZE, shape

DEFINITIONS = """
<linearGradient id="sky" x1="0" y1="0" x2="0" y2="1">
<stop offset="0" stop-color="#070a28"/><stop offset=".4" stop-color="#18215f"/><stop offset=".75" stop-color="#23548c"/>
<stop offset="1" stop-color="#2f86a0"/></linearGradient>
<radialGradient id="corners" gradientUnits="userSpaceOnUse" cx="256" cy="236" r="380">
<stop offset=".8" stop-color="#050620" stop-opacity="0"/><stop offset="1" stop-color="#050620" stop-opacity=".7"/>
</radialGradient>
<linearGradient id="ray-green" x1="0" y1="0" x2="0" y2="1">
<stop offset="0" stop-color="#8a5cff" stop-opacity="0"/><stop offset=".35" stop-color="#7d6bff" stop-opacity=".34"/>
<stop offset=".7" stop-color="#3fd9c4" stop-opacity=".6"/><stop offset=".92" stop-color="#a5ffd8" stop-opacity=".9"/>
<stop offset="1" stop-color="#5df0c0" stop-opacity="0"/></linearGradient>
<linearGradient id="ray-violet" x1="0" y1="0" x2="0" y2="1">
<stop offset="0" stop-color="#b25cff" stop-opacity="0"/><stop offset=".6" stop-color="#9a6bff" stop-opacity=".5"/>
<stop offset=".93" stop-color="#6fd6ff" stop-opacity=".8"/><stop offset="1" stop-color="#6fd6ff" stop-opacity="0"/>
</linearGradient>"""

_STEP = 17


def _ribbon(fill: str, level: float, swing: float, phase: float, height: float) -> str:
    """A curtain of light: upright strips whose lower ends follow a wave."""
    strips: list[str] = []

    def lower_end(x: float) -> float:
        return level + swing * math.sin(x / 74 + phase) + swing * 0.45 * math.sin(x / 31 + 2 * phase)

    for index in range(-1, SIZE // _STEP + 2):
        x0 = float(index * _STEP)
        x1 = x0 + _STEP + 0.5
        left, right = lower_end(x0), lower_end(x1)
        top = min(left, right) - height * (0.75 + 0.25 * math.sin(index * 1.9 + phase))
        glow = 0.5 + 0.3 * math.sin(index * 1.35 + phase) * math.sin(index * 0.37)
        path = f"M {x0 + 16:.1f} {top:.0f} L {x1 + 16:.1f} {top:.0f} L {x1:.1f} {right:.1f} L {x0:.1f} {left:.1f} Z"
        strips.append(shape(path, f"url(#{fill})", f'opacity="{glow:.2f}"'))
    return "".join(strips)


def _stars() -> str:
    """Small stars, denser above, the same ones in every picture."""
    dice = random.Random(2003)
    stars: list[str] = []
    for _ in range(90):
        x, y = dice.uniform(0, SIZE), 330 * dice.random() ** 1.5
        radius = dice.choice((0.6, 0.7, 0.8, 1.0, 1.3))
        stars.append(f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{radius}" opacity="{dice.uniform(0.35, 1):.2f}"/>')
    for x, y, size in ((62, 52, 7.0), (446, 84, 8.0), (402, 28, 5.0), (28, 186, 5.0), (486, 216, 5.0), (118, 24, 4.0)):
        stars.append(f'<path d="{sparkle(x, y, size)}"/>')
    return f'<g fill="#f3f6ff">{"".join(stars)}</g>'


def sparkle(x: float, y: float, size: float) -> str:
    """A four-pointed star as path data."""
    waist = size * 0.16
    return (
        f"M {x} {y - size} Q {x + waist} {y - waist} {x + size} {y} Q {x + waist} {y + waist} {x} {y + size} "
        f"Q {x - waist} {y + waist} {x - size} {y} Q {x - waist} {y - waist} {x} {y - size} Z"
    )


def background() -> str:
    """Everything behind her."""
    far = shape(
        "M 0 452 L 40 424 L 66 438 L 104 404 L 140 442 L 180 428 L 340 432 L 384 416 L 420 434 L 456 398 "
        "L 484 426 L 512 412 L 512 512 L 0 512 Z",
        "#1b3d74",
        'opacity=".85"',
    )
    near = shape(
        "M 0 484 C 60 458 110 478 160 468 L 360 470 C 410 458 460 474 512 454 L 512 512 L 0 512 Z",
        "#8fc6dc",
        'opacity=".4"',
    )
    return "".join(
        (
            f'<rect width="{SIZE}" height="{SIZE}" fill="url(#sky)"/>',
            _stars(),
            _ribbon("ray-violet", 170.0, 26.0, 0.6, 170.0),
            _ribbon("ray-green", 268.0, 34.0, 2.4, 190.0),
            far,
            near,
            f'<rect width="{SIZE}" height="{SIZE}" fill="url(#corners)"/>',
        )
    )
