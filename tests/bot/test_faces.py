"""Which picture goes with a reply: as the place wants it."""

from pathlib import Path

import pytest

from bot.faces import Faces
from core.expression import Expression
from core.messages import ChatKey, Reply
from core.people import Images, PlaceSettings
from models.avatar import AvatarStudio, RasterError
from tests.bot.conftest import HOME, LOUNGE, say

CALM, GLAD = Expression(), Expression("크게", "크게", "없음")


class Studio(AvatarStudio):
    """Draws nothing; its files are known by their names. `fault` is raised instead."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.fault: Exception | None = None

    def path(self, expression: Expression) -> Path:
        if self.fault is not None:
            raise self.fault
        return self.location(expression)


class Chosen:
    """The same settings everywhere."""

    def __init__(self, images: Images) -> None:
        self.settings = PlaceSettings(images=images)

    async def of(self, chat: ChatKey) -> PlaceSettings:
        return self.settings


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


async def shown(faces: Faces, face: Expression | None, chat: ChatKey = HOME) -> str | None:
    path = await faces.of(Reply(say("안녕", chat=chat), "응", face))
    return path and path.stem


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        (Images.ALWAYS, [CALM.tag, CALM.tag, GLAD.tag, CALM.tag]),
        (Images.CHANGE, [CALM.tag, None, GLAD.tag, CALM.tag]),
        (Images.OFF, [None] * 4),
    ],
)
async def test_a_face_is_shown_as_the_place_wants_it(
    studio: Studio, images: Images, expected: list[str | None]
) -> None:
    faces = Faces(studio, Chosen(images))
    assert [await shown(faces, face) for face in (CALM, CALM, GLAD, CALM)] == expected


async def test_a_change_is_one_within_a_chat(studio: Studio) -> None:
    faces = Faces(studio, Chosen(Images.CHANGE))
    assert [await shown(faces, CALM, chat) for chat in (HOME, LOUNGE, HOME)] == [CALM.tag, CALM.tag, None]


async def test_a_reply_without_expression_has_no_picture(studio: Studio) -> None:
    assert await shown(Faces(studio, Chosen(Images.ALWAYS)), None) is None


@pytest.mark.parametrize("fault", [OSError("no room"), RasterError("no raster")])
async def test_a_face_that_cannot_be_drawn_now_is_shown_as_soon_as_it_can(
    studio: Studio, fault: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    faces = Faces(studio, Chosen(Images.CHANGE))
    studio.fault = fault
    assert await shown(faces, CALM) is None
    assert f"no picture of {CALM.tag}" in caplog.text
    studio.fault = None
    assert await shown(faces, CALM) == CALM.tag
