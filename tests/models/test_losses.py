"""The losses over whole tables are sentence-transformers' own over each of their pairs."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.losses import CosineSimilarityLoss

from models.training.losses import EveryMessage, EveryName

TEXTS = ["안녕 로라야", "오늘 뭐 했어?", "내일 카페에 가자"]
NAMES = ["정치", "사랑 고백/만남", "일반"]


@pytest.fixture(scope="module")
def model(tiny_profile: Path) -> SentenceTransformer:
    return SentenceTransformer(str(tiny_profile / "ethics_encoder"), device="cpu")


def over_pairs(model: SentenceTransformer, first: list[str], second: list[str], scores: list[float]) -> float:
    features = [model.preprocess(first), model.preprocess(second)]
    return CosineSimilarityLoss(model)(features, torch.tensor(scores)).item()


def test_every_name_is_the_loss_over_each_text_with_each_name(model: SentenceTransformer) -> None:
    labels = [2, 0, 1]
    pairs = list(product(range(3), range(3)))
    expected = over_pairs(
        model, [TEXTS[i] for i, _ in pairs], [NAMES[j] for _, j in pairs], [float(labels[i] == j) for i, j in pairs]
    )
    loss = EveryName(model, NAMES)([model.preprocess(TEXTS)], torch.tensor(labels))
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    loss.backward()
    assert all(weight.grad is not None for weight in model[0].auto_model.layers.parameters())


def test_every_message_is_the_loss_over_each_memory_with_each_message(model: SentenceTransformer) -> None:
    """Of five combinations the batch holds three, in an order of its own."""
    targets = np.arange(25, dtype=np.float32).reshape(5, 5) / 25
    places, messages = [4, 0, 2], NAMES
    pairs = list(product(range(3), range(3)))
    expected = over_pairs(
        model,
        [TEXTS[i] for i, _ in pairs],
        [messages[j] for _, j in pairs],
        [float(targets[places[i], places[j]]) for i, j in pairs],
    )
    features = [model.preprocess(TEXTS), model.preprocess(messages)]
    loss = EveryMessage(model, targets)(features, torch.tensor(places))
    assert loss.item() == pytest.approx(expected, rel=1e-5)
