"""[moderation] of ohlora.toml."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from core.messages import PersonKey
from core.rules import Bounds
from core.sanctions import Mode

_ACCOUNT = re.compile(r"(discord|telegram):[1-9]\d{0,19}|console:local", re.ASCII)
_CHAT = re.compile(r"discord:[1-9]\d{0,19}|telegram:-?[1-9]\d{0,19}(:[1-9]\d{0,9})?", re.ASCII)


def _account(given: str) -> str:
    if not _ACCOUNT.fullmatch(given):
        raise ValueError("an account is its platform and its number there; for example discord:123456789012345678")
    return given


def _chat(given: str) -> str:
    if not _CHAT.fullmatch(given):
        raise ValueError("a chat is its platform and its number there; for example telegram:-1001234567890")
    return given


class ModerationSettings(BaseModel):
    """Who sees every case, and how far the moderators of a place may go."""

    model_config = ConfigDict(extra="forbid")

    # numbers of accounts, never names: whoever is here sees and judges every case everywhere
    operators: list[Annotated[str, AfterValidator(_account)]] = []
    # one chat a platform, where the operators are told of every case and appeal of it
    review_chats: list[Annotated[str, AfterValidator(_chat)]] = []
    # prompt and answer of a case are kept this long after its end
    retention_days: int = Field(default=180, ge=1, le=3660)
    # what a category may be set to in a place
    modes: set[Mode] = Field(default=set(Mode), min_length=1)
    # how far below the ethics encoder's own threshold a place may go
    looser: float = Field(default=0, ge=0, le=1)
    # how many times as long as in turn.ladders a step may be in a place
    harsher: float = Field(default=1, ge=0, le=100)
    # the most steps of a ladder of a place
    steps: int = Field(default=10, ge=1, le=100)

    @property
    def bounds(self) -> Bounds:
        """As core takes them."""
        return Bounds(frozenset(self.modes), self.looser, self.harsher, self.steps)

    @property
    def operator_keys(self) -> frozenset[PersonKey]:
        """The operators."""
        return frozenset(PersonKey(*account.split(":", 1)) for account in self.operators)

    def review_chat(self, platform: str) -> str:
        """The operators' chat on a platform; "" for none."""
        return next(
            (rest for name, _, rest in (chat.partition(":") for chat in self.review_chats) if name == platform), ""
        )
