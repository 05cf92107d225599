"""36 faces, each with its own name and scores."""

import re

import pytest

from core.expression import ALL, EYES, MOUTH, POSE, Expression


def test_there_are_36_faces_and_no_two_share_a_name() -> None:
    assert len(ALL) == len({face.tag for face in ALL}) == 36
    assert len({face.alt_text("ko") for face in ALL}) == len({face.alt_text("en") for face in ALL}) == 36
    assert len({face.mid_scores() for face in ALL}) == 36


@pytest.mark.parametrize("face", ALL, ids=lambda face: face.tag)
def test_scores_stay_inside_the_ranges_of_their_labels(face: Expression) -> None:
    ranges = (EYES[face.eyes], MOUTH[face.mouth], POSE[face.pose])
    for score, (low, high) in zip(face.mid_scores(), ranges, strict=True):
        assert low <= score < high


@pytest.mark.parametrize("face", ALL, ids=lambda face: face.tag)
def test_a_tag_is_safe_as_a_file_name(face: Expression) -> None:
    assert re.fullmatch(r"[a-z_-]+", face.tag)


def test_a_face_can_be_read_by_people_and_programs() -> None:
    face = Expression("아주 크게", "크게", "많이")
    assert face.tag == "eyes-very-wide_mouth-wide_pose-far"
    assert face.alt_text("ko") == "오로라의 얼굴 (눈 아주 크게, 입 크게, 고개 돌림 많이)"
    assert face.alt_text("en") == "오로라's face (eyes very wide, mouth wide, head turn far)"
    assert Expression().alt_text("ko") == "오로라의 얼굴 (눈 보통, 입 보통, 고개 돌림 없음)"


@pytest.mark.parametrize(
    "labels", [("없음", "보통", "없음"), ("보통", "작게", "없음"), ("보통", "보통", "크게"), ("", "", "")]
)
def test_a_label_that_does_not_exist_is_refused(labels: tuple[str, str, str]) -> None:
    with pytest.raises(ValueError, match="no such label"):
        Expression(*labels)
