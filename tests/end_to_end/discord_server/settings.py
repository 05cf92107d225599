"""What can be set on the stand-in, before it starts or while it runs."""

from dataclasses import dataclass

from .permissions import Intent

API = "/api/v10"


@dataclass
class Settings:
    """Times are seconds. `portal` are the privileged intents that are switched on in the developer portal."""

    token: str = "stand-in.token.of-no-worth"
    bot_name: str = "오로라"
    portal: Intent = Intent.MESSAGE_CONTENT
    heartbeat_s: float = 41.25
    heartbeat_grace_s: float = 1.0
    nonce_window_s: float = 120.0
    ack_window_s: float = 3.0
    interaction_ttl_s: float = 900.0
    bucket_size: int = 10_000
    bucket_window_s: float = 1.0
    global_per_s: int | None = None
    keep_files: bool = True
    replay: int = 20_000
    host: str = "127.0.0.1"
