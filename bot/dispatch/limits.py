"""The numbers of dispatch; their home is bot.config.Settings."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """`partitions` is the same in every process.

    `lease_s`: after that long without a sign of its owner somebody else takes a partition over. `deliveries`: a
    message that was with a worker so often, and no worker came to its end, is set aside. `backlog`: messages that may
    wait for workers; who comes then is asked to come back. `at_once`: messages in the hands of one worker.
    """

    partitions: int = 32
    lease_s: float = 10.0
    deliveries: int = 5
    backlog: int = 1024
    at_once: int = 256
