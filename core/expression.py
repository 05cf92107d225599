"""Her face: three labels, their scores, and the tag under which an image is known (behaviour.md §5)."""

from dataclasses import dataclass
from itertools import product

# label → the range its score lies in; larger means wider, more open, further turned
EYES = {"작게": (-0.2, 0.1), "보통": (0.3, 0.6), "크게": (0.8, 1.1), "아주 크게": (1.1, 1.2)}
MOUTH = {"보통": (0.4, 0.8), "크게": (1.0, 1.4), "아주 크게": (1.4, 1.6)}
POSE = {"없음": (-0.6, 0.3), "보통": (0.8, 1.5), "많이": (1.5, 1.8)}

_ENGLISH = {"작게": "small", "보통": "normal", "크게": "wide", "아주 크게": "very wide"}
_ENGLISH_POSE = {"없음": "none", "보통": "some", "많이": "far"}


@dataclass(frozen=True, slots=True)
class Expression:
    """One of 36 faces. Raises ValueError for a label that does not exist."""

    eyes: str = "보통"
    mouth: str = "보통"
    pose: str = "없음"

    def __post_init__(self) -> None:
        for label, labels in ((self.eyes, EYES), (self.mouth, MOUTH), (self.pose, POSE)):
            if label not in labels:
                raise ValueError(f"no such label: {label!r}; one of {', '.join(labels)}")

    @property
    def tag(self) -> str:
        """File-safe name, e.g. `eyes-wide_mouth-normal_pose-none`."""
        eyes, mouth = (_ENGLISH[label].replace(" ", "-") for label in (self.eyes, self.mouth))
        return f"eyes-{eyes}_mouth-{mouth}_pose-{_ENGLISH_POSE[self.pose]}"

    def alt_text(self, language: str) -> str:
        """What the image shows, for people who cannot see it."""
        if language == "ko":
            return f"오로라의 얼굴 (눈 {self.eyes}, 입 {self.mouth}, 고개 돌림 {self.pose})"
        eyes, mouth, pose = _ENGLISH[self.eyes], _ENGLISH[self.mouth], _ENGLISH_POSE[self.pose]
        return f"오로라's face (eyes {eyes}, mouth {mouth}, head turn {pose})"

    def mid_scores(self) -> tuple[float, float, float]:
        """(eyes, mouth, pose): the middle of each label's range, for an image that is drawn once."""
        ranges = EYES[self.eyes], MOUTH[self.mouth], POSE[self.pose]
        eyes, mouth, pose = ((low + high) / 2 for low, high in ranges)
        return eyes, mouth, pose


ALL = tuple(Expression(*labels) for labels in product(EYES, MOUTH, POSE))
