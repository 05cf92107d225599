"""Layered long hair: back mass, cap, side locks, see-through bangs, shine and rim light."""

from dataclasses import dataclass

from models.avatar.geometry import CENTRE, Head, Point, Warp, blended, cut, line, mix, shape, warped
from models.avatar.scene import sparkle

DEFINITIONS = """
<linearGradient id="hair" gradientUnits="userSpaceOnUse" x1="0" y1="66" x2="0" y2="520">
<stop offset="0" stop-color="#33206e"/><stop offset=".3" stop-color="#4c36a8"/><stop offset=".52" stop-color="#3f58c4"/>
<stop offset=".74" stop-color="#2fa3c0"/><stop offset="1" stop-color="#7cf5bd"/></linearGradient>
<linearGradient id="hair-back" gradientUnits="userSpaceOnUse" x1="0" y1="66" x2="0" y2="520">
<stop offset="0" stop-color="#241552"/><stop offset=".4" stop-color="#2d2478"/><stop offset=".66" stop-color="#27509c"/>
<stop offset=".86" stop-color="#2297a8"/><stop offset="1" stop-color="#53d8ab"/></linearGradient>
<linearGradient id="bangs" gradientUnits="userSpaceOnUse" x1="0" y1="70" x2="0" y2="258">
<stop offset="0" stop-color="#372279"/><stop offset=".45" stop-color="#5138ae"/><stop offset=".8" stop-color="#5b58d0"/>
<stop offset="1" stop-color="#6f8fe6"/></linearGradient>
<linearGradient id="hollow" gradientUnits="userSpaceOnUse" x1="0" y1="330" x2="0" y2="470">
<stop offset="0" stop-color="#140b38" stop-opacity=".9"/><stop offset="1" stop-color="#140b38" stop-opacity=".1"/>
</linearGradient>
<linearGradient id="bangs-ink" gradientUnits="userSpaceOnUse" x1="0" y1="96" x2="0" y2="170">
<stop offset="0" stop-color="#24145c" stop-opacity="0"/><stop offset="1" stop-color="#24145c"/></linearGradient>
<linearGradient id="hair-ink" gradientUnits="userSpaceOnUse" x1="0" y1="190" x2="0" y2="270">
<stop offset="0" stop-color="#1a0f42" stop-opacity="0"/><stop offset="1" stop-color="#1a0f42"/></linearGradient>
<linearGradient id="bangs-streak" gradientUnits="userSpaceOnUse" x1="0" y1="120" x2="0" y2="230">
<stop offset="0" stop-color="#a48cff" stop-opacity="0"/><stop offset="1" stop-color="#a9c4ff"/></linearGradient>
<linearGradient id="hair-streak" gradientUnits="userSpaceOnUse" x1="0" y1="190" x2="0" y2="512">
<stop offset="0" stop-color="#8f8cff" stop-opacity="0"/><stop offset=".4" stop-color="#7fb4ff"/>
<stop offset="1" stop-color="#d8ffea"/></linearGradient>
<linearGradient id="shine" gradientUnits="userSpaceOnUse" x1="168" y1="0" x2="350" y2="0">
<stop offset="0" stop-color="#b9a2ff" stop-opacity="0"/><stop offset=".3" stop-color="#d9c9ff" stop-opacity=".46"/>
<stop offset=".75" stop-color="#b5d4ff" stop-opacity=".4"/><stop offset="1" stop-color="#8fffe0" stop-opacity="0"/>
</linearGradient>
<linearGradient id="streak" gradientUnits="userSpaceOnUse" x1="0" y1="80" x2="0" y2="512">
<stop offset="0" stop-color="#a48cff"/><stop offset=".5" stop-color="#7fb4ff"/><stop offset="1" stop-color="#d2ffe6"/>
</linearGradient>"""

INK = "#1a0f42"
_BACK = (
    "M 256 62 C 186 62 132 118 128 206 C 126 270 110 326 98 386 C 88 436 96 486 76 532 L 436 532 "
    "C 416 486 424 436 414 386 C 402 326 386 270 384 206 C 380 118 326 62 256 62 Z"
)
_BACK_TURNED = (
    "M 246 62 C 166 62 114 118 110 206 C 108 270 98 326 92 386 C 84 436 92 486 72 532 L 430 532 "
    "C 412 486 418 436 406 386 C 394 326 378 270 375 206 C 372 118 324 62 246 62 Z"
)
_CAP = (
    "M 130 250 C 124 116 186 62 256 62 C 326 62 388 116 382 250 C 378 262 372 270 366 276 "
    "C 354 256 348 226 340 200 C 332 160 300 136 256 136 C 212 136 180 160 172 200 C 164 226 158 256 146 276 "
    "C 140 270 134 262 130 250 Z"
)
_CAP_TURNED = (
    "M 112 250 C 104 116 172 62 248 62 C 324 62 380 116 374 250 C 371 262 366 266 361 270 "
    "C 355 256 353 226 349 204 C 343 160 322 136 286 136 C 240 136 206 160 196 204 "
    "C 190 240 180 270 152 290 C 126 282 116 268 112 250 Z"
)


@dataclass(frozen=True)
class _Lock:
    """A strand that narrows to a point: two root corners, the bend of both edges, the tip."""

    left: tuple[float, float]
    left_bend: tuple[float, float, float, float]
    tip: tuple[float, float]
    right_bend: tuple[float, float, float, float]
    right: tuple[float, float]

    @property
    def path(self) -> str:
        """Closed outline."""
        a, b, c, d = self.left_bend
        e, f, g, h = self.right_bend
        return (
            f"M {self.left[0]} {self.left[1]} C {a} {b} {c} {d} {self.tip[0]} {self.tip[1]} "
            f"C {e} {f} {g} {h} {self.right[0]} {self.right[1]} Z"
        )

    def between(self, share: float, length: float = 0.9) -> str:
        """An inner line from the root towards the tip, `share` of the way from the left edge to the right."""
        a, b, c, d = self.left_bend
        e, f, g, h = self.right_bend
        start = (mix(self.left[0], self.right[0], share), mix(self.left[1], self.right[1], share))
        return cut(start, (mix(a, g, share), mix(b, h, share)), (mix(c, e, share), mix(d, f, share)), self.tip, length)

    def mirrored(self) -> "_Lock":
        """The same strand on the other side of the face."""

        def flip(values: tuple[float, ...]) -> tuple[float, ...]:
            return tuple(512 - value if index % 2 == 0 else value for index, value in enumerate(values))

        lx, ly = flip(self.left)
        rx, ry = flip(self.right)
        tx, ty = flip(self.tip)
        a, b, c, d = flip(self.left_bend)
        e, f, g, h = flip(self.right_bend)
        return _Lock((rx, ry), (g, h, e, f), (tx, ty), (c, d, a, b), (lx, ly))


_BANGS = (
    _Lock((240, 80), (176, 96, 140, 168), (174, 270), (178, 220, 194, 160), (262, 82)),
    _Lock((272, 80), (338, 96, 371, 168), (339, 270), (336, 220, 320, 160), (254, 82)),
    _Lock((234, 90), (184, 126, 164, 176), (194, 238), (196, 206, 206, 160), (258, 90)),
    _Lock((280, 90), (330, 126, 348, 176), (320, 238), (314, 206, 304, 160), (256, 90)),
    _Lock((252, 88), (262, 130, 280, 184), (303, 222), (316, 190, 318, 140), (284, 88)),
    _Lock((236, 90), (206, 128, 192, 176), (217, 222), (224, 186, 236, 146), (262, 90)),
    _Lock((250, 86), (228, 130, 226, 180), (248, 226), (252, 190, 258, 146), (270, 88)),
    _Lock((256, 88), (258, 130, 262, 176), (276, 212), (277, 184, 276, 146), (272, 88)),
)
_FACE_LOCK = _Lock((150, 150), (136, 230, 146, 300), (188, 352), (164, 300, 164, 240), (184, 150))
_LONG_LOCKS = (
    _Lock((132, 170), (98, 300, 128, 400), (84, 536), (166, 440, 128, 330), (168, 170)),
    _Lock((146, 170), (118, 300, 172, 400), (146, 522), (204, 440, 146, 330), (176, 180)),
    _Lock((138, 176), (100, 300, 150, 380), (112, 486), (158, 400, 118, 320), (156, 186)),
)


def back(head: Head) -> str:
    """Hair behind the neck and shoulders."""
    warp = head.hanging(0.0)
    strands = (
        "M 150 150 C 132 250 130 350 116 500",
        "M 362 150 C 380 250 382 350 396 500",
        "M 140 330 C 130 400 118 450 108 510",
        "M 372 330 C 382 400 394 450 404 510",
    )
    hollow = "M 150 220 C 142 320 146 400 170 480 L 342 480 C 366 400 370 320 362 220 Z"
    return "".join(
        (
            shape(
                warped(blended(_BACK, _BACK_TURNED, head.turn), warp),
                "url(#hair-back)",
                f'stroke="{INK}" stroke-width="2"',
            ),
            shape(warped(hollow, warp), "url(#hollow)"),
            *(line(warped(strand, warp), INK, 1.2, 'opacity=".6"') for strand in strands),
            *(
                line(warped(strand, lambda x, y: warp(x + 5, y)), "url(#streak)", 1.4, 'opacity=".35"')
                for strand in strands
            ),
        )
    )


def _strand(lock: _Lock, warp: Warp, fill: str, width: float = 1.5) -> str:
    """One lock: outline that fades towards the root, a dark inner line, light streaks."""
    body = warped(lock.path, warp)
    return "".join(
        (
            shape(body, f"url(#{fill})"),
            line(body.removesuffix(" Z"), f"url(#{fill}-ink)", width),
            line(warped(lock.between(0.72), warp), f"url(#{fill}-ink)", 0.9, 'opacity=".5"'),
            line(warped(lock.between(0.28), warp), f"url(#{fill}-streak)", 1.5, 'opacity=".75"'),
            line(warped(lock.between(0.42), warp), f"url(#{fill}-streak)", 0.8, 'opacity=".55"'),
        )
    )


def bangs_shadow(head: Head) -> str:
    """The shadow that bangs and side locks cast on the face."""

    def lower(x: float, y: float) -> tuple[float, float]:
        return head.fringe(x + 3, y + 9)

    def aside(x: float, y: float) -> tuple[float, float]:
        return head.rounded(x + 8, y + 4, 20.0, 132.0)

    cap = warped(blended(_CAP, _CAP_TURNED, head.turn), lambda x, y: head.outline(x, y + 12))
    parts = [warped(lock.path, lower) for lock in _BANGS]
    parts += [warped(_FACE_LOCK.path, aside), cap]
    shadows = "".join(shape(part, "#c56f8e") for part in parts)
    return f'<g clip-path="url(#face-clip)" opacity=".5">{shadows}</g>'


def _side(head: Head, near: bool) -> Warp:
    """Side hair: wide on the near side of a turned head, narrow on the far side, at rest on the shoulders."""

    def move(x: float, y: float) -> Point:
        hold = min(1.0, max(0.0, (470.0 - y) / 190.0))
        hold = hold * hold * (3.0 - 2.0 * hold)
        goal = 108.0 + (x - 126.0) * 1.7 if near else 350.0 + (x - 342.0) * 0.62
        return head.tilted(mix(x, goal, head.turn * hold), y, hold)

    return move


def _long_locks(head: Head) -> str:
    """Locks that fall over the shoulders."""
    parts: list[str] = []
    for lock in _LONG_LOCKS:
        parts.append(_strand(lock, _side(head, near=True), "hair", 1.8))
        parts.append(_strand(lock.mirrored(), _side(head, near=False), "hair", 1.8))
    return "".join(parts)


def _flow(head: Head) -> str:
    """Fine lines that follow the hair from the parting down both sides of the head."""
    lines: list[str] = []
    for index, share in enumerate((0.12, 0.28, 0.42, 0.58, 0.74, 0.9)):
        colour, opacity = (INK, 0.4) if index % 2 else ("#a58dff", 0.35)
        for outer, hairline, top in (
            (mix(130, 112, head.turn), mix(164, 188, head.turn), mix(250, 244, head.turn)),
            (mix(382, 374, head.turn), mix(348, 354, head.turn), mix(262, 264, head.turn)),
        ):
            end, bend = mix(outer, hairline, share), mix(outer, top, 0.18 + 0.4 * share)
            path = f"M {top} {80 + 10 * share} C {bend} {82 + 40 * share} {end} {150 + 10 * share} {end} 280"
            lines.append(line(warped(path, head.outline), colour, 1.1, f'opacity="{opacity}"'))
    return "".join(lines)


def front(head: Head) -> str:
    """Cap, locks over the shoulders, face-framing locks, bangs, shine and rim light."""

    def side(x: float, y: float) -> Point:
        return head.rounded(x + 8.0 * head.turn * (x > CENTRE), y, 24.0, 132.0)

    cap = warped(blended(_CAP, _CAP_TURNED, head.turn), head.outline)
    return "".join(
        (
            shape(cap, "url(#hair)", f'stroke="{INK}" stroke-width="2"'),
            _long_locks(head),
            _flow(head),
            _strand(_FACE_LOCK, side, "hair"),
            _strand(_FACE_LOCK.mirrored(), side, "hair"),
            *(_strand(lock, head.fringe, "bangs", 1.4) for lock in _BANGS),
            _shine(head),
            _clip(head),
            _rim(head),
        )
    )


def _clip(head: Head) -> str:
    """Her star-shaped hair clip with a small bar."""
    bar = "M 168 213 L 181 186 L 185 188 L 172 215 Z"
    big, small = sparkle(176, 196, 12.0), sparkle(171, 213, 6.0)
    edge = 'stroke="#5a4a9a" stroke-width="1"'
    return "".join(
        (
            shape(warped(bar, head.fringe), "#cfd6ff", edge),
            shape(warped(big, head.fringe), "#fff3c4", edge),
            shape(warped(small, head.fringe), "#b7ffe6", edge),
        )
    )


def _shine(head: Head) -> str:
    """The ring of light around the crown: uneven leaves that melt into one band."""
    leaves: list[str] = []
    steps = 26
    for index in range(steps + 1):
        u = (index / steps) * 2 - 1
        x, y = 256 + 96 * u, 150 - 26 * (1 - u * u)
        reach = (1 - u * u) ** 0.5
        up, down = reach * (7 + 5 * (index * 5 % 3)), reach * (9 + 8 * (index * 7 % 4))
        lean, half = -u * 0.28, 3.0 + 7.0 * reach
        leaves.append(
            f"M {x - lean * up:.1f} {y - up:.1f} Q {x + half:.1f} {y:.1f} {x + lean * down:.1f} {y + down:.1f} "
            f"Q {x - half:.1f} {y:.1f} {x - lean * up:.1f} {y - up:.1f} Z"
        )
    return shape(warped(" ".join(leaves), head.fringe), "url(#shine)")


def _rim(head: Head) -> str:
    """Aurora light along the outer edge of the hair."""
    right = (
        "M 304 70 C 356 86 388 138 381 250 C 383 200 374 108 304 70 Z",
        "M 298 70 C 346 86 380 138 373 250 C 375 200 364 108 298 70 Z",
    )
    left = (
        "M 208 70 C 156 86 124 138 131 250 C 129 200 138 108 208 70 Z",
        "M 198 70 C 144 86 106 138 113 250 C 111 200 122 108 198 70 Z",
    )
    return shape(warped(blended(*right, head.turn), head.outline), "#9affe2", 'opacity=".85"') + shape(
        warped(blended(*left, head.turn), head.outline), "#d3b0ff", 'opacity=".8"'
    )
