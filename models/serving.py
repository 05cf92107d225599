"""A profile ready to serve: its models behind one engine, as core wants them."""

from core import Models
from core.tasks import EYES_MOUTH_POSE, MEMORY, OUTPUT_MESSAGE, SUMMARY
from models.engine import Engine, Lane
from models.ports import EngineEncoder, EngineLanguageModel
from models.registry import Profile

# what the person waits for goes first
LANES = {
    "memory_encoder": Lane(0, batch=64),
    "ethics_encoder": Lane(0, batch=64),
    OUTPUT_MESSAGE.name: Lane(1),
    EYES_MOUTH_POSE.name: Lane(2),
    MEMORY.name: Lane(3),
    SUMMARY.name: Lane(3),
}


def models_on(engine: Engine, profile: Profile, *, recall: bool) -> Models:
    """Core's models over an engine. Raises ConfigurationError when the profile is damaged."""
    memory_threshold, ethics_thresholds = profile.thresholds()
    return Models(
        language=EngineLanguageModel(engine, profile.tokenizer()),
        memory_encoder=EngineEncoder(engine, "memory_encoder"),
        memory_threshold=memory_threshold,
        ethics_encoder=EngineEncoder(engine, "ethics_encoder"),
        ethics_thresholds=ethics_thresholds,
        recall=profile.recall() if recall else None,
        version=profile.version,
    )
