"""The whole picture, back to front."""

from models.avatar import body, eyes, face, hair, scene
from models.avatar.geometry import SIZE, Head, ramp

_ZOOM = 1.17
_LEFT, _TOP = 256.0 * (1 - _ZOOM), 296.0 * (1 - _ZOOM)


def head_turn(pose: float) -> float:
    """How far the head is turned (1 is 30°) for a pose score."""
    return ramp(pose, [(-0.6, -0.2), (-0.15, -0.03), (0.3, 0.1), (0.8, 0.52), (1.15, 0.68), (1.5, 0.98), (1.8, 1.2)])


def render_svg(eyes_score: float, mouth: float, pose: float) -> str:
    """Draw her as SVG.

    Scores as in behaviour.md §5: eyes -0.2..1.2 (smiling shut to wide open), mouth 0.4..1.6 (closed smile to laugh),
    pose -0.6..1.8 (straight ahead to turned far). The same scores always give the same text.
    """
    head = Head(head_turn(pose))
    opened, laugh = eyes.openness(eyes_score), face.mouth_openness(mouth)
    warmth = min(1.0, 0.55 * laugh + 0.5 * max(0.0, 1.0 - opened / 0.5))
    figure = (
        hair.back(head),
        body.hood(),
        body.body(head),
        face.skin(head, laugh),
        hair.bangs_shadow(head),
        face.blush(head, warmth),
        face.nose(head),
        face.mouth_part(head, mouth),
        eyes.eye(head, -1, opened),
        eyes.eye(head, 1, opened),
        eyes.brows(head, opened, 0.9),
        hair.front(head),
        eyes.brows(head, opened, 0.72),
    )
    portrait = f'<g transform="matrix({_ZOOM} 0 0 {_ZOOM} {_LEFT:.2f} {_TOP:.2f})">{"".join(figure)}</g>'
    parts = (scene, body, face, eyes, hair)
    definitions = "".join(part.DEFINITIONS for part in parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{SIZE}" height="{SIZE}" viewBox="0 0 {SIZE} {SIZE}">'
        f"<defs>{definitions}</defs>{scene.background()}{portrait}</svg>"
    )
