"""Her face: 36 different pictures, each drawn once and labelled with what it shows."""

import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.expression import ALL, Expression
from models.avatar import AvatarStudio
from models.avatar.png import chunks, is_valid, text_of

SAMPLE = ALL[:: len(ALL) // 6]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> AvatarStudio:
    return AvatarStudio(tmp_path_factory.mktemp("faces"))


def assert_distinct_and_labelled(studio: AvatarStudio, expressions: tuple[Expression, ...]) -> None:
    pictures = {expression: studio.path(expression) for expression in expressions}
    pixels = set()
    for expression, path in pictures.items():
        content = path.read_bytes()
        assert is_valid(content)
        assert struct.unpack(">II", next(chunks(content))[1][:8]) == (512, 512)
        assert path.name == f"{expression.tag}.png"
        assert text_of(content, "Description") == expression.tag
        assert text_of(content, "Title") == expression.alt_text("ko")
        pixels.add(b"".join(data for kind, data in chunks(content) if kind == b"IDAT"))
    assert len(pixels) == len(expressions)


def test_pictures_are_distinct_of_the_stated_size_and_labelled(studio: AvatarStudio) -> None:
    assert_distinct_and_labelled(studio, SAMPLE)


@pytest.mark.slow
def test_all_36_pictures_are_distinct_of_the_stated_size_and_labelled(studio: AvatarStudio) -> None:
    assert len(ALL) == 36
    assert_distinct_and_labelled(studio, ALL)


def test_a_picture_is_drawn_once(studio: AvatarStudio) -> None:
    drawn = studio.path(SAMPLE[0]).stat()
    assert studio.path(SAMPLE[0]).stat().st_mtime_ns == drawn.st_mtime_ns


@pytest.mark.parametrize("damage", ["empty", "cut", "flipped", "another face"])
def test_a_damaged_picture_is_drawn_again(studio: AvatarStudio, damage: str) -> None:
    path = studio.path(SAMPLE[0])
    whole = path.read_bytes()
    middle = len(whole) // 2
    path.write_bytes(
        {
            "empty": b"",
            "cut": whole[:middle],
            "flipped": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
            "another face": studio.path(SAMPLE[1]).read_bytes(),
        }[damage]
    )
    assert not studio.is_ready(SAMPLE[0])
    assert studio.path(SAMPLE[0]).read_bytes() == whole


def test_callers_at_once_share_one_whole_file(tmp_path: Path) -> None:
    studio = AvatarStudio(tmp_path)
    with ThreadPoolExecutor(4) as pool:
        paths = set(pool.map(studio.path, [SAMPLE[0]] * 4))
    (path,) = paths
    assert studio.is_ready(SAMPLE[0])
    assert list(path.parent.iterdir()) == [path]  # no temporary file stays behind


def test_a_cache_that_cannot_be_written_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OSError, match="file"):
        AvatarStudio(tmp_path / "file").path(SAMPLE[0])
