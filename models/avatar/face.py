"""The face without the eyes: contour, shading, blush, nose and mouth."""

from models.avatar.geometry import Head, Point, Warp, blended, ellipse, line, mix, ramp, shape, warped

DEFINITIONS = """
<linearGradient id="skin" gradientUnits="userSpaceOnUse" x1="200" y1="150" x2="300" y2="350">
<stop offset="0" stop-color="#fff3ea"/><stop offset=".6" stop-color="#ffe5da"/><stop offset="1" stop-color="#fbd0c8"/>
</linearGradient>
<radialGradient id="blush"><stop offset="0" stop-color="#ff7d95" stop-opacity=".62"/>
<stop offset=".55" stop-color="#ff8fa2" stop-opacity=".28"/><stop offset="1" stop-color="#ff9aa8" stop-opacity="0"/>
</radialGradient>
<linearGradient id="throat" x1="0" y1="0" x2="0" y2="1">
<stop offset="0" stop-color="#5d1730"/><stop offset="1" stop-color="#9c2f45"/></linearGradient>"""

INK = "#8a4458"
_SHADE = "#cf8298"
_FRONT = (
    "M 168 176 C 165 206 165 238 170 262 C 173 292 202 325 238 338.5 C 249 344 263 344 274 338 "
    "C 308 325 334 298 339 270 C 342 258 343 250 344 240 C 346 220 346 200 344 176 C 340 104 172 104 168 176 Z"
)
_TURNED = (
    "M 168 176 C 162 206 164 238 172 266 C 181 296 224 328 264 341 C 277 346 292 346 301 338 "
    "C 322 320 338 298 345 274 C 349 261 342 252 343 240 C 346 222 351 204 350 176 C 346 104 176 104 168 176 Z"
)


def contour(head: Head, laugh: float) -> str:
    """Outline of the face; the jaw drops a little when she laughs."""
    path = blended(_FRONT, _TURNED, head.turn)

    def move(x: float, y: float) -> Point:
        return head.outline(x, y + 6.0 * laugh * max(0.0, (y - 290.0) / 50.0))

    return warped(path, move)


def mouth_openness(mouth: float) -> float:
    """0 for closed lips, 1 for the widest laugh, from the mouth score."""
    return ramp(mouth, [(0.4, 0.0), (0.8, 0.03), (1.0, 0.3), (1.2, 0.42), (1.4, 0.78), (1.5, 0.92), (1.6, 1.0)])


def skin(head: Head, laugh: float) -> str:
    """Face with its side shading."""
    outline = contour(head, laugh)
    side = "M 150 170 L 178 170 C 172 230 176 266 192 288 C 214 314 236 328 262 346 L 240 360 L 150 330 Z"
    glow = "M 352 200 C 342 236 346 270 330 294 C 316 314 300 328 284 338 L 300 350 L 370 300 Z"
    clip = f'<clipPath id="face-clip"><path d="{outline}"/></clipPath>'
    return "".join(
        (
            clip,
            shape(outline, "url(#skin)"),
            '<g clip-path="url(#face-clip)">',
            shape(warped(side, lambda x, y: head.outline(x - 6.0 + 10.0 * head.turn, y)), _SHADE, 'opacity=".34"'),
            shape(warped(glow, lambda x, y: head.outline(x + 8.0, y)), "#b9a6ff", 'opacity=".22"'),
            "</g>",
            line(outline, INK, 1.9),
        )
    )


def blush(head: Head, warmth: float) -> str:
    """Pink cheeks with a few fine strokes, stronger when she laughs or smiles with her eyes."""
    parts: list[str] = []
    for side in (-1, 1):
        x = 256 + side * 57
        spot = warped(ellipse(x, 285, 27, 15), head.face)
        parts.append(shape(spot, "url(#blush)", f'opacity="{0.7 + 0.3 * warmth:.2f}"'))
        for step in (-8, 0, 8):
            stroke = f"M {x + step + 2.5} 281 L {x + step - 2.5} 288"
            parts.append(line(warped(stroke, head.face), "#f0697f", 1.3, f'opacity="{0.3 + 0.45 * warmth:.2f}"'))
    return "".join(parts)


def nose(head: Head) -> str:
    """A small nose: a hint of a shadow, a tip and a glint."""

    def front(x: float, y: float) -> Point:
        return head.face(x, y, 88.0)

    bridge = "M 253 252 C 250 264 247 274 249 281 C 252 284 255 284 257 283 C 253 274 253 264 253 252 Z"
    return "".join(
        (
            shape(warped(bridge, front), _SHADE, f'opacity="{mix(0.16, 0.42, head.turn):.2f}"'),
            line(warped("M 250.5 283 C 253 286.5 258 286.8 261 283.4", front), "#b0566a", 1.6),
            shape(warped(ellipse(257.5, 275.5, 2.2, 3.2), front), "#ffffff", 'opacity=".85"'),
        )
    )


def _smile(warp: Warp, mouth: float) -> str:
    """Closed lips: one tapered curve, a soft lower lip."""
    share = ramp(mouth, [(0.4, 0.0), (0.8, 1.0)])
    w, dip = mix(11.0, 17.0, share), mix(2.6, 6.0, share)
    x0, x1, y = 256 - w, 256 + w, 307.0
    lips = (
        f"M {x0} {y - dip * 0.6} "
        f"C {x0 + w * 0.5} {y + dip * 0.75} {x1 - w * 0.5} {y + dip * 0.75} {x1} {y - dip * 0.6} "
        f"C {x1 - w * 0.45} {y + dip * 1.3} {x0 + w * 0.45} {y + dip * 1.3} {x0} {y - dip * 0.6} Z"
    )
    under = f"M {256 - w * 0.55} {y + dip + 5} C 252 {y + dip + 9} 260 {y + dip + 9} {256 + w * 0.55} {y + dip + 5}"
    return shape(warped(lips, warp), "#a5384f", 'stroke="#a5384f" stroke-width="1.1" stroke-linejoin="round"') + line(
        warped(under, warp), "#d97f8e", 2.4, 'opacity=".45"'
    )


def mouth_part(head: Head, mouth: float) -> str:
    """Lips, closed below a score of 0.8."""

    def warp(x: float, y: float) -> Point:
        return head.face(x, y, 76.0)

    return _smile(warp, mouth) if mouth < 0.8 else _open_mouth(warp, mouth_openness(mouth))


def _open_mouth(warp: Warp, opened: float) -> str:
    """Open lips with the upper teeth and the tongue."""
    w, depth, top = mix(13.0, 29.0, opened), mix(3.0, 32.0, opened), mix(306.0, 299.0, opened)
    lift = mix(2.0, 5.0, opened)
    x0, x1, corner = 256 - w, 256 + w, top - lift * 0.4
    hollow = (
        f"M {x0} {corner} C {x0 + w * 0.45} {top + lift * 0.5} 250 {top + lift} 256 {top + lift * 0.75} "
        f"C 262 {top + lift} {x1 - w * 0.45} {top + lift * 0.5} {x1} {corner} "
        f"C {x1 - w * 0.02} {top + depth * 0.72} {256 + w * 0.58} {top + depth} 256 {top + depth} "
        f"C {256 - w * 0.58} {top + depth} {x0 + w * 0.02} {top + depth * 0.72} {x0} {corner} Z"
    )
    band = mix(3.0, 8.5, opened)
    teeth = (
        f"M {x0} {top - 8} L {x1} {top - 8} L {x1 - 1} {top + band * 0.5} C {256 + w * 0.5} {top + band + lift * 0.8} "
        f"{256 - w * 0.5} {top + band + lift * 0.8} {x0 + 1} {top + band * 0.5} Z"
    )
    tongue = ellipse(256, top + depth * 1.02, w * 0.66, depth * 0.42)
    outline = warped(hollow, warp)
    under = f"M {256 - w * 0.4} {top + depth + 4} Q 256 {top + depth + 7.5} {256 + w * 0.4} {top + depth + 4}"
    return "".join(
        (
            f'<clipPath id="mouth-clip"><path d="{outline}"/></clipPath>',
            shape(outline, "url(#throat)"),
            '<g clip-path="url(#mouth-clip)">',
            shape(warped(tongue, warp), "#f0788a"),
            line(warped(f"M 256 {top + depth * 0.74} L 256 {top + depth}", warp), "#d4566c", 1.2, 'opacity=".7"'),
            shape(warped(teeth, warp), "#fffafa"),
            "</g>",
            line(outline, "#9c3048", 1.7),
            line(warped(under, warp), "#d97f8e", 2.0, 'opacity=".5"'),
        )
    )
