"""What can go wrong, and whose fault it is.

OhLoraError
├── ConfigurationError        the host's: a setting, a missing or damaged model folder; start-up stops with it
├── RecordError               the record cannot be read or written now: locked, read-only, full, too new
├── EngineError               the device
│   ├── EngineOverloaded      the queue is full; the person may try again
│   └── GenerationFailed      the backend died or refused this request
└── DeliveryError             nobody knows whether a platform took the reply
    └── DeliveryRefused       the platform will never take it

Messages say what was wrong, where, and what to do. The person sees a sentence of core.texts instead.
"""


class OhLoraError(Exception):
    """Base of everything this service raises on purpose."""


class ConfigurationError(OhLoraError):
    """The service cannot start like this."""


class RecordError(OhLoraError):
    """The record did not take or give what it should; nothing was half-written."""


class EngineError(OhLoraError):
    """The device did not compute what it was asked."""


class EngineOverloaded(EngineError):
    """More is waiting than the queue may hold."""


class GenerationFailed(EngineError):
    """The backend died or refused the request."""


class DeliveryError(OhLoraError):
    """Nobody knows whether a platform took a reply."""


class DeliveryRefused(DeliveryError):
    """A platform will never take this reply: no permission, a closed door, a chat that is gone."""
