"""The page and the JSON: self-contained, escaped, the same for the same figures."""

import asyncio
import base64
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from core.errors import ConfigurationError
from models.training.evaluation import curves, plots, report
from models.training.evaluation.metrics import Confusion
from models.training.evaluation.parts import Part, Table
from models.training.evaluation.report import Report
from tests.models.evaluation_samples import HOSTILE, hostile_parts


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A report with markup wherever people or models write."""
    parts = asyncio.run(hostile_parts(tmp_path_factory.mktemp("model")))
    return report.html(Report(HOSTILE, {"model": HOSTILE}, parts))


def test_what_models_write_is_text_never_markup(page: str) -> None:
    assert "<script" not in page
    assert "evil.example/x.png&#34;" in page


def test_the_page_needs_nothing_but_itself(page: str) -> None:
    assert 'src="http' not in page
    assert "default-src 'none'" in page
    assert page.count('src="data:image/svg+xml;base64,') == page.count("<figure>") > 10
    assert page.count('srcset="data:image/svg+xml;base64,') == page.count("<figure>")


def test_ours_the_originals_and_the_wanted_figure_stand_in_one_row() -> None:
    part = Part("memory encoder", "", {"memory_correlation": 0.61, "memory_pairs": 4})
    page = report.html(Report("t", {}, [part]))
    row = page.partition("memory_<wbr>correlation</th>")[2].partition("</tr>")[0]
    assert [piece in row for piece in (">0.61<", ">0.7449<", "≥ 0.7", ">no<")] == [True] * 4


def test_a_figure_that_was_not_measured_is_a_dash_and_null(tmp_path: Path) -> None:
    written = Report("t", {}, [Part("tutor", "", {"tutor_right_first": None})])
    page, data = report.write(written, tmp_path / "deep" / "tutor")
    assert "not measured" in page.read_text(encoding="utf-8")
    assert json.loads(data.read_text(encoding="utf-8"))["figures"] == {"tutor_right_first": None}


def test_the_json_says_what_the_page_says(tmp_path: Path) -> None:
    part = Part("p", "", {"answers": 2}, tables=(Table("said", ("a", "b"), [("안녕", 1)]),))
    _, data = report.write(Report("t", {"seed": 7}, [part]), tmp_path / "t")
    stored = json.loads(data.read_text(encoding="utf-8"))
    assert stored["figures"] == {"answers": 2}
    assert stored["parts"][0]["tables"][0]["rows"] == [["안녕", 1]]


def test_pictures_are_sound_svg_and_always_the_same() -> None:
    picture = plots.confusion("faces", Confusion.of(["a", "b"], [0, 1], [0, 0]))
    drawn = plots.drawn(picture)
    assert drawn == plots.drawn(picture)
    assert drawn.light != drawn.dark
    for uri in (drawn.light, drawn.dark):
        assert ET.fromstring(base64.b64decode(uri.partition(",")[2])).tag.endswith("svg")


def test_alternative_texts_say_what_is_to_be_seen() -> None:
    picture = plots.confusion("faces", Confusion.of(["a", "b"], [0, 1, 1], [0, 0, 1]))
    assert picture.alt == "Confusion matrix of 2 labels: 2 of 3 right. Most frequent mistake: b taken for a, 1 times."


@pytest.mark.parametrize("values", [np.array([]), np.array([0.5]), np.array([-1.0, 2.0])])
def test_a_histogram_is_drawn_whatever_was_measured(values: np.ndarray) -> None:
    assert plots.drawn(plots.histogram("h", {"own": values, "others": np.array([0.2])}, 0.5))


def test_a_training_log_becomes_curves(tmp_path: Path) -> None:
    log = [{"step": 1, "loss": 3.0, "learning_rate": 1e-4, "epoch": 0.5}, {"step": 2, "loss": 2.0, "epoch": 1.0}]
    (tmp_path / "training.json").write_text(json.dumps({"log": log}), encoding="utf-8")
    part = curves.part_of(tmp_path, "mine")
    assert part is not None
    assert [picture.caption for picture in part.pictures] == ["Training loss", "Learning rate"]
    assert part.figures == {"training_steps": 2, "training_loss_last": 2.0}


def test_without_a_training_log_there_are_no_curves(tmp_path: Path) -> None:
    assert curves.part_of(tmp_path, "mine") is None


@pytest.mark.parametrize("content", ["", "[]", '{"log": [{"loss": 1}]}', '{"log": 3}'])
def test_a_damaged_training_log_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "training.json").write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"training\.json"):
        curves.part_of(tmp_path, "mine")
