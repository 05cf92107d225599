"""[serve] of ohlora.toml."""

from ipaddress import ip_address
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator


def _is_address(given: str) -> str:
    try:
        return str(ip_address("127.0.0.1" if given == "localhost" else given))
    except ValueError as error:
        raise ValueError("an address of this machine, for example 127.0.0.1, or 0.0.0.0 for all it has") from error


def _is_key(key: SecretStr) -> SecretStr:
    plain = key.get_secret_value().strip()
    if not all("!" <= char <= "~" for char in plain):
        raise ValueError("a key is one word of plain letters, digits and signs")
    return SecretStr(plain)


class ServeSettings(BaseModel):
    """Where `ohlora worker --tasks` listens, and who may ask."""

    model_config = ConfigDict(extra="forbid")

    listen: Annotated[str, AfterValidator(_is_address)] = "127.0.0.1"
    port: int = Field(default=8001, ge=1, le=65535)
    # the same as models.remote.api_key of those who ask
    api_key: Annotated[SecretStr, AfterValidator(_is_key)] = SecretStr("")
    # requests that may wait; who comes then is asked to try again
    line: int = Field(default=1024, ge=1)

    @model_validator(mode="after")
    def _nobody_else_reads_it(self) -> Self:
        if not self.api_key.get_secret_value() and not ip_address(self.listen).is_loopback:
            raise ValueError("whoever reaches this address could use the models: set api_key (OHLORA_SERVE__API_KEY)")
        return self
