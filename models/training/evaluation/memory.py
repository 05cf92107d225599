"""The memory encoder: predicted against true similarity of every held-out memory with every held-out message."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.datasets.schema import MemoryPair
from models.encoder import Encodes
from models.training.evaluation import plots
from models.training.evaluation.metrics import Figures, Floats, Sweep, regression, share
from models.training.evaluation.parts import Part, Table


def scored_part(encoder: Encodes, pairs: Sequence[MemoryPair]) -> Part:
    """Pairs that carry their true similarity themselves, as the original's test rows do."""
    vectors = encoder.encode([p.memory for p in pairs]), encoder.encode([p.message for p in pairs])
    predicted, target = (vectors[0] * vectors[1]).sum(axis=1), np.array([p.score for p in pairs], np.float32)
    figures: Figures = {"memory_pairs": len(pairs)}
    figures |= {f"memory_{name}": value for name, value in regression(predicted, target).items()}
    rows = [(p.memory, p.message, p.score, round(float(cosine), 3)) for p, cosine in zip(pairs, predicted, strict=True)]
    table = Table("Every pair", ("memory", "message", "true similarity", "predicted"), rows, long=True)
    note = "Pairs with their true similarity, as the file gives it."
    picture = plots.scatter("Predicted against true similarity", predicted, target)
    return Part("memory encoder", note, figures, (picture,), (table,))


def part_of(encoder: Encodes, pairs: Sequence[MemoryPair], target: Floats, threshold: float | None) -> Part:
    """`target`: (pairs, pairs), the rescaled similarity of the keys (behaviour.md §6)."""
    predicted = encoder.encode([p.memory for p in pairs]) @ encoder.encode([p.message for p in pairs]).T
    keys = [pair.memory[1:].split(":")[0] for pair in pairs]
    wanted: NDArray[np.bool_] = np.array([[a == b for b in keys] for a in keys])
    figures: Figures = {"memory_pairs": target.size}
    figures |= {f"memory_{name}": value for name, value in regression(predicted, target).items()}
    best = predicted.argmax(axis=0)
    figures["memory_right_first"] = share(
        sum(keys[winner] == key for winner, key in zip(best, keys, strict=True)), len(keys)
    )
    if threshold is not None:
        found = predicted >= threshold
        figures["memory_precision"] = share(int((found & wanted).sum()), int(found.sum()))
        figures["memory_recall"] = share(int((found & wanted).sum()), int(wanted.sum()))
    groups = {"same key": predicted[wanted], "another key": predicted[~wanted]}
    note = (
        "Each of the held-out memories with each of the held-out messages. The true similarity is that of the two "
        "keys under the untuned encoder, rescaled by max(2.6·x − 1.6, 0). Precision and recall ask whether memory and "
        "message belong to the same key."
    )
    pictures = (
        plots.scatter("Predicted against true similarity", predicted, target),
        plots.histogram("Cosines of memories with messages", groups, threshold),
        plots.sweep("Same key or not", Sweep.of(predicted, wanted), threshold),
    )
    rows = [
        (pair.message, pair.memory, pairs[winner].memory, round(float(predicted[winner, i]), 3))
        for i, (pair, winner) in enumerate(zip(pairs, best, strict=True))
    ]
    header = ("message", "written for", "closest memory", "cosine")
    return Part(
        "memory encoder", note, figures, pictures, (Table("The memory each message finds", header, rows, long=True),)
    )
