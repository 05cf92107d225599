"""Small evaluations for the tests of reports: real parts over scripted models, with hostile text in them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from core import tasks
from core.ethics import CATEGORIES, Thresholds
from core.expression import Expression
from models.datasets.schema import MemoryPair
from models.fakes import FakeLanguageModel, Rule, plain_rule
from models.training.evaluation import curves, ethics, language, memory, tutor
from models.training.evaluation.cases import cases_of
from models.training.evaluation.language import Answers
from models.training.evaluation.metrics import Floats
from models.training.evaluation.parts import Part
from models.training.evaluation.writing import write_all
from models.training.rows import Row
from models.training.tutor_rows import Asked

HOSTILE = '<script>console.error("owned")</script><img src="https://evil.example/x.png" onerror="alert(1)">'
THRESHOLDS = Thresholds({"love": 0.7, "politics": 0.7, "insult": 0.7, "hate": 0.7}, veto=0.5)


def row(prompt: str, answer: str = "안녕!", *, group: str = "greeting", memory: str = "", time: str = "") -> Row:
    """A row without context."""
    kind = "time" if time else "plain"
    return Row(group, prompt, time, "", kind, answer, memory, "인사했다", Expression())


class ScriptedEncoder:
    """Unit vectors by lookup; a text nobody scripted points away from all others."""

    def __init__(self, vectors: Mapping[str, Sequence[float]], width: int = 5) -> None:
        self._vectors = vectors
        self._width = width

    def encode(self, texts: Sequence[str]) -> Floats:
        """(len(texts), width)."""
        found = np.array([self._vectors.get(text, [0.0] * self._width) for text in texts], np.float32)
        return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-6)


def category_encoder(scores: Mapping[str, Mapping[str, float]]) -> ScriptedEncoder:
    """Names of categories stand at right angles; text → {category: weight}."""
    names = list(CATEGORIES)
    vectors = {CATEGORIES[name]: np.eye(5)[place].tolist() for place, name in enumerate(names)}
    vectors |= {text: [weights.get(name, 0.0) for name in names] for text, weights in scores.items()}
    return ScriptedEncoder(vectors)


async def answers(task: str, rows: Sequence[Row], rule: Rule = plain_rule, training: Sequence[Row] = ()) -> Answers:
    """What a scripted language model makes of rows."""
    model = FakeLanguageModel(rule)
    cases = await cases_of(task, rows, training, model, None)
    known = {known.name: known for known in tasks.TASKS}
    batch = await write_all(model, known[task], [(case.prompt, case.moment) for case in cases])
    return Answers("scripted", task, cases, batch)


async def hostile_parts(folder: Path) -> list[Part]:
    """Every kind of section, with markup wherever people or models write."""
    rows = [row(HOSTILE), row("오늘 뭐 해?", group="plans", time="(지금은 월요일 오전)")]
    said = await answers("output_message", rows, lambda prompt: f"{HOSTILE} {prompt.stop}", training=[row("안녕")])
    faces = await answers("eyes_mouth_pose", rows)
    judged = [(HOSTILE, "hate"), ("사랑해", "love"), ("안녕", "normal")]
    judge = category_encoder({HOSTILE: {"hate": 1.0}, "사랑해": {"love": 1.0}, "안녕": {"normal": 1.0}})
    everyday = ethics.Everyday.of(judge, THRESHOLDS, [HOSTILE, "안녕"])
    pairs = [MemoryPair(data_type="valid", memory=f"[이름: 민수{n}]", message=f"{HOSTILE}{n}") for n in range(3)]
    recaller = ScriptedEncoder({text: [1.0, n, 0, 0, 0] for n, p in enumerate(pairs) for text in (p.memory, p.message)})
    questions = [
        Asked(HOSTILE, "F1", "", None),
        Asked("밥", "", "", None),
    ]
    teacher = ScriptedEncoder({HOSTILE: [1, 0, 0, 0, 0], "F1": [1, 0.2, 0, 0, 0]})
    log = [{"step": step, "loss": 4.0 / step, "learning_rate": 3e-4, "epoch": 1.0} for step in range(1, 6)]
    (folder / "training.json").write_text(json.dumps({"log": log}), encoding="utf-8")
    trained = curves.part_of(folder, HOSTILE)
    assert trained is not None
    return [
        language.part_of(said, said),
        language.part_of(faces),
        ethics.part_of(judge, THRESHOLDS, judged, everyday, seed=1),
        memory.part_of(recaller, pairs, np.eye(3, dtype=np.float32), 0.9),
        tutor.part_of(teacher, ["F1", "Recall"], questions, [], 0.5),
        trained,
    ]
