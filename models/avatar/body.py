"""Neck, shoulders, the dark hoodie and the aurora pendant."""

from models.avatar.geometry import Head, line, shape, warped
from models.avatar.scene import sparkle

DEFINITIONS = """
<linearGradient id="neck" gradientUnits="userSpaceOnUse" x1="0" y1="330" x2="0" y2="450">
<stop offset="0" stop-color="#d99aa3"/><stop offset=".4" stop-color="#f6cfc6"/><stop offset="1" stop-color="#ffe1d6"/>
</linearGradient>
<linearGradient id="knit" gradientUnits="userSpaceOnUse" x1="110" y1="390" x2="400" y2="520">
<stop offset="0" stop-color="#343a78"/><stop offset=".45" stop-color="#20244f"/><stop offset="1" stop-color="#171a3c"/>
</linearGradient>
<linearGradient id="hood" gradientUnits="userSpaceOnUse" x1="0" y1="370" x2="0" y2="470">
<stop offset="0" stop-color="#161839"/><stop offset="1" stop-color="#2b3067"/></linearGradient>
<linearGradient id="pendant" x1="0" y1="0" x2="0" y2="1">
<stop offset="0" stop-color="#c9a4ff"/><stop offset=".5" stop-color="#63d8f0"/><stop offset="1" stop-color="#8bffc9"/>
</linearGradient>"""

_INK = "#0d0e2b"
_NECK = (
    "M 226 316 C 228 350 228 372 218 386 C 208 396 190 402 176 408 L 210 470 L 256 500 L 302 470 L 336 408 "
    "C 322 402 304 396 294 386 C 284 372 284 350 286 316 Z"
)
_CHEST = (
    "M 208 388 C 170 398 118 410 96 440 C 78 466 66 500 62 530 L 450 530 C 446 500 434 466 416 440 "
    "C 394 410 342 398 304 388 C 312 420 290 462 256 470 C 222 462 200 420 208 388 Z"
)


def _neck(head: Head) -> str:
    """Neck and collarbones; only its top goes with the head."""
    warp = head.hanging(18.0)
    cast = "M 222 330 C 236 352 276 354 290 332 L 288 362 C 282 384 270 396 258 398 C 244 396 234 376 226 352 Z"
    return "".join(
        (
            shape(warped(_NECK, warp), "url(#neck)"),
            shape(warped(cast, warp), "#b9677f", 'opacity=".42"'),
            line("M 196 414 C 214 414 230 420 242 432", "#b9727f", 1.5, 'opacity=".75"'),
            line("M 316 414 C 298 414 282 420 270 432", "#b9727f", 1.5, 'opacity=".75"'),
            line(warped("M 227 346 C 228 368 224 380 214 389", warp), "#8a4a5c", 1.3),
            line(warped("M 285 346 C 284 368 288 380 298 389", warp), "#8a4a5c", 1.3),
        )
    )


def hood() -> str:
    """The back of the hood, behind the neck."""
    return shape(
        "M 150 410 C 160 372 206 352 256 352 C 306 352 352 372 362 410 C 330 440 182 440 150 410 Z",
        "url(#hood)",
        f'stroke="{_INK}" stroke-width="1.8"',
    )


def _hoodie() -> str:
    """Hoodie body with folds, collar, cords and rim light."""
    collar_left = "M 208 384 C 192 392 168 398 160 412 C 176 446 216 478 254 490 L 256 468 C 224 458 202 424 208 384 Z"
    collar_right = "M 304 384 C 320 392 344 398 352 412 C 336 446 296 478 258 490 L 256 468 C 288 458 310 424 304 384 Z"
    edge = f'stroke="{_INK}" stroke-width="1.8" stroke-linejoin="round"'
    folds = (
        "M 118 452 C 132 476 134 500 130 520",
        "M 394 452 C 380 476 378 500 382 520",
        "M 176 470 C 190 490 196 506 196 520",
        "M 336 470 C 322 490 316 506 316 520",
        "M 150 436 C 158 452 168 462 180 470",
        "M 362 436 C 354 452 344 462 332 470",
    )
    cords = ("M 222 466 C 220 482 222 496 219 514", "M 290 466 C 292 482 290 496 294 514")
    return "".join(
        (
            shape(_CHEST, "url(#knit)", edge),
            *(line(fold, _INK, 1.4, 'opacity=".7"') for fold in folds),
            shape(collar_left, "#2c316b", edge),
            shape(collar_right, "#262a5c", edge),
            line("M 203 400 C 204 428 224 456 252 466", "#6f78c8", 1.3, 'opacity=".7"'),
            line("M 309 400 C 308 428 288 456 260 466", "#6fd0d8", 1.3, 'opacity=".6"'),
            *(line(cord, _INK, 5.0) + line(cord, "#d9def8", 2.6) for cord in cords),
            line("M 404 424 C 426 444 438 474 445 512", "#8dffdc", 3.0, 'opacity=".75"'),
            line("M 108 424 C 86 444 74 474 67 512", "#b48cff", 2.6, 'opacity=".7"'),
        )
    )


def _pendant() -> str:
    """A fine chain with a drop of aurora."""
    return "".join(
        (
            line("M 213 398 C 222 424 240 440 256 446 C 272 440 290 424 299 398", "#c08d54", 1.4),
            shape(
                "M 256 443 C 262 451 266 455 265 461 C 264 468 248 468 247 461 C 246 455 250 451 256 443 Z",
                "url(#pendant)",
                'stroke="#f4e6c0" stroke-width="1.1"',
            ),
            shape(sparkle(253.5, 457, 3.4), "#ffffff"),
        )
    )


def body(head: Head) -> str:
    """Neck, clothes and jewellery, in front of the back hair."""
    return _neck(head) + _hoodie() + _pendant()
