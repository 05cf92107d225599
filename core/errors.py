"""What can go wrong, and whose fault it is.

OhLoraError
├── ConfigurationError        the host's: a setting, a missing or damaged model folder; start-up stops with it
├── RecordError               the record did not take or give something
│   ├── RecordUnavailable     it cannot be read or written now: locked, read-only, full, away
│   └── Superseded            another process has taken this work over; nobody has to be told
│       └── Gone              its person had everything deleted meanwhile
├── DispatchError             the queue between gateways and workers is away, and with it leases
├── EngineError               the device
│   ├── EngineOverloaded      too much waits; the person may try again
│   └── GenerationFailed      the backend died or refused this request
│       ├── DeviceLost        its process crashed or hung
│       └── OutOfMemory       the batch was too large for it
├── DeliveryError             nobody knows whether a platform took the reply
│   └── DeliveryRefused       the platform will never take it
└── core.moderation.Refused   the moderator's or the person's, who may not do that

Messages say what was wrong, where, and what to do. The person sees a sentence of core.texts instead.
"""


class OhLoraError(Exception):
    """Base of everything this service raises on purpose."""


class ConfigurationError(OhLoraError):
    """The service cannot start like this."""


class RecordError(OhLoraError):
    """The record did not take or give what it should; nothing was half-written."""


class RecordUnavailable(RecordError):
    """Nothing can be read or written now; the same works as soon as the cause is gone."""


class Superseded(RecordError):
    """Another process has the right to this now: nothing was written, and nothing is to be said."""


class Gone(Superseded):
    """It is about something that is not there any more, for its person had everything deleted."""


class DispatchError(OhLoraError):
    """Gateways and workers cannot reach each other now; what is in the record waits until they can."""


class EngineError(OhLoraError):
    """The device did not compute what it was asked."""


class EngineOverloaded(EngineError):
    """More is waiting than the device can do in time. `position` in the queue; `wait_s`: estimate, 0 where unknown."""

    def __init__(self, message: str, position: int = 0, wait_s: float = 0.0) -> None:
        super().__init__(message)
        self.position = position
        self.wait_s = wait_s


class GenerationFailed(EngineError):
    """The backend died or refused the request."""


class DeviceLost(GenerationFailed):
    """The device process crashed or hung under a batch."""


class OutOfMemory(GenerationFailed):
    """A batch did not fit into the device's memory."""


class DeliveryError(OhLoraError):
    """Nobody knows whether a platform took a reply."""


class DeliveryRefused(DeliveryError):
    """A platform will never take this reply: no permission, a closed door, a chat that is gone."""
