"""Every key in Redis. All of them have a time to live, and nothing stands there that the record does not know.

They carry the record's incarnation: of another record, or of this one before a restore, nothing is ever read.
"""

from urllib.parse import quote

from core.messages import PersonKey

# dispatch


def errands(incarnation: str, partition: int) -> str:
    """Stream: messages of a partition's people that wait for a worker, or are with one."""
    return f"ohlora:{incarnation}:errands:{partition}"


def references(incarnation: str, platform: str) -> str:
    """Stream: what became of messages of a platform, for its gateway."""
    return f"ohlora:{incarnation}:references:{platform}"


def workers(incarnation: str) -> str:
    """Sorted set: the workers that live, by the time of their last sign, in seconds."""
    return f"ohlora:{incarnation}:workers"


def epoch(incarnation: str) -> str:
    """String: another one each time that everything was lost."""
    return f"ohlora:{incarnation}:epoch"


# hot state


def person(incarnation: str, whose: PersonKey) -> str:
    """Hash: what is known of a person (storage.known_json)."""
    return f"ohlora:{incarnation}:person:{_plain(whose.platform)}:{_plain(whose.user_id)}"


def counter(incarnation: str, name: str) -> str:
    """String: how often something happened lately."""
    return f"ohlora:{incarnation}:count:{_plain(name)}"


def lease(incarnation: str, name: str) -> str:
    """String: the token of whoever has a right."""
    return f"ohlora:{incarnation}:lease:{_plain(name)}"


def last_token(incarnation: str, name: str) -> str:
    """String: the highest token that a right had."""
    return f"ohlora:{incarnation}:token:{_plain(name)}"


def _plain(name: str) -> str:
    """Ids are any text: without colons, and as something that can be sent."""
    return quote(name, safe="", errors="surrogatepass")
