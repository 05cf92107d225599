"""Settings: the only reader of the environment and of ohlora.toml. Every default works."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from platformdirs import user_cache_path, user_data_path
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from bot.dispatch.limits import Limits
from bot.model_service.settings import ServeSettings
from bot.moderation.settings import ModerationSettings
from core import Policy
from core.errors import ConfigurationError
from core.ethics import Thresholds
from core.rules import Rulebook
from core.sanctions import LADDERS, LONGEST
from models.registry import BUNDLED

FILE = "ohlora.toml"
Category = Literal["love", "politics", "insult", "hate"]
# a cosine, from which a category acts; normal: from which nothing does
Threshold = Annotated[float, Field(ge=0, le=1)]
TaskName = Literal["output_message", "summary", "memory", "eyes_mouth_pose"]
EncoderName = Literal["memory_encoder", "ethics_encoder"]
_LONGEST_HOURS = LONGEST.total_seconds() / 3600


def _zone_exists(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"no time zone is called {name!r}; for example Asia/Seoul") from error
    return name


def _is_url(url: SecretStr) -> SecretStr:
    try:
        make_url(url.get_secret_value() or "sqlite://")
    except (ArgumentError, ValueError) as error:
        raise ValueError("this is no database URL; for example sqlite+aiosqlite:////folder/ohlora.db") from error
    return url


def _is_redis(url: SecretStr) -> SecretStr:
    if (plain := url.get_secret_value()) and urlsplit(plain).scheme not in ("redis", "rediss", "unix"):
        raise ValueError("this is no address of Redis; for example redis://:password@host:6379/0")
    return url


def _is_server(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc or parts.port == 0:
        raise ValueError("this is no address of a model server; for example http://gpu1:8000/v1 (the key in api_key)")
    return url.rstrip("/")


def _is_key(key: SecretStr) -> SecretStr:
    plain = key.get_secret_value().strip()
    if not all("!" <= char <= "~" for char in plain):
        raise ValueError("a key is one word of plain letters, digits and signs")
    return SecretStr(plain)


def _profile(given: object) -> object:
    return BUNDLED if str(given) == "bundled" else given


def _ladders() -> dict[Category, list[float]]:
    return {category: [step.total_seconds() / 3600 for step in LADDERS[category]] for category in get_args(Category)}


Folder = Annotated[Path, AfterValidator(Path.expanduser)]
ModelName = Annotated[str, Field(min_length=1)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TurnSettings(_Section):
    """Numbers of a turn (core.Policy says what each means)."""

    timezone: Annotated[str, AfterValidator(_zone_exists)] = "Asia/Seoul"
    prompt_tokens: int = Field(default=40, ge=1, le=4096)
    answer_tokens: int = Field(default=128, ge=16, le=8192)
    retry_heat: float = Field(default=0.1, ge=0, le=1)
    # turns that may be under way; who comes then is asked to come back later
    line: int = Field(default=1024, ge=1)
    # who has to wait longer is told their position and an estimate
    patience_s: float = Field(default=5, gt=0)
    # nobody waits longer for one attempt at an answer; they are asked to come back
    within_s: float = Field(default=300, gt=0)
    # category → hours blocked at the 1st, 2nd, … sanction; 0 is a warning
    ladders: dict[Category, list[Annotated[float, Field(ge=0, le=_LONGEST_HOURS)]]] = Field(default_factory=_ladders)

    # category → threshold instead of the ethics encoder's own
    thresholds: dict[Category | Literal["normal"], Threshold] = {}

    def policy(self) -> Policy:
        """The same numbers as core takes them; a category that is not named keeps its ladder."""
        ladders: dict[str, tuple[timedelta, ...]] = dict(LADDERS)
        for category, steps in self.ladders.items():
            if steps:
                ladders[category] = tuple(timedelta(hours=step) for step in steps)
        return Policy(
            zone=ZoneInfo(self.timezone),
            prompt_tokens=self.prompt_tokens,
            answer_tokens=self.answer_tokens,
            retry_heat=self.retry_heat,
            within_s=self.within_s,
            ladders=ladders,
        )


class RemoteSettings(_Section):
    """Model servers that speak OpenAI's protocol, and what they do; whatever is not named stays on this machine."""

    # asked in turn of who has the least to do; each ends in /v1, and they need not all serve the same
    urls: list[Annotated[str, AfterValidator(_is_server)]] = []
    api_key: Annotated[SecretStr, AfterValidator(_is_key)] = SecretStr("")
    timeout_s: float = Field(default=30, gt=0)
    # task → name of its adapter there
    tasks: dict[TaskName, ModelName] = {}
    # encoder → name of its model there
    encoders: dict[EncoderName, ModelName] = {}
    # the base under the adapters, for servers that do not say it themselves; only for the check at the start
    base: str = ""
    # the tokenizer.json of the models there; unset: the profile's
    tokenizer: Folder | None = None
    # goes along with every completion: prompts were trained without special tokens, and vLLM would add them
    extra: dict[str, Any] = {"add_special_tokens": False}

    @property
    def lanes(self) -> set[str]:
        """The tasks and encoders that are served there."""
        return {*self.tasks, *self.encoders}

    @property
    def names(self) -> list[str]:
        """Every model that the servers must have."""
        return sorted({*self.tasks.values(), *self.encoders.values(), *filter(None, [self.base])})

    @model_validator(mode="after")
    def _matches(self) -> Self:
        if bool(self.urls) != bool(self.tasks or self.encoders):
            raise ValueError("urls and the tasks or encoders they serve belong together: set both or neither")
        return self


class ModelSettings(_Section):
    """Which models, and how they run."""

    # bundled, original, or a folder like models/bundled
    profile: Annotated[Folder, BeforeValidator(_profile)] = BUNDLED
    # task → the same, where one is to be served from elsewhere
    tasks: dict[TaskName, ModelName] = {}
    remote: RemoteSettings = RemoteSettings()
    # use the profile's persona rows, if it has any
    recall: bool = True
    # torch threads of the device process; 0 is torch's own choice
    threads: int = Field(default=0, ge=0)
    # for repeatable answers; unset: every run differs
    seed: int | None = None

    @property
    def instead(self) -> dict[str, str]:
        """Task → where it is served from instead of the profile."""
        return dict(self.tasks.items())

    @property
    def everything_remote(self) -> bool:
        """Whether nothing is left for this machine, and no torch is needed."""
        return self.remote.lanes == {*get_args(TaskName), *get_args(EncoderName)}

    @model_validator(mode="after")
    def _one_place_a_task(self) -> Self:
        if both := sorted(self.tasks.keys() & self.remote.tasks.keys()):
            raise ValueError(f"{', '.join(both)}: named in tasks and in remote.tasks; choose one")
        return self


class DiscordSettings(_Section):
    """How to reach Discord, and what the developer portal allows."""

    # the "Message Content" intent; without it she answers private messages, mentions, replies and slash commands only
    message_content: bool = True
    # other addresses for a proxy that shares rate limits and sessions between processes
    api_url: str = "https://discord.com/api/v10"
    gateway_url: str = "wss://gateway.discord.gg/"


class TelegramSettings(_Section):
    """How to reach Telegram."""

    # another address for a Bot API server of one's own
    api_url: str = "https://api.telegram.org"
    # empty: long polling. Otherwise the public https address under which Telegram reaches this machine
    webhook_url: str = ""
    webhook_listen: str = "127.0.0.1"
    webhook_port: int = Field(default=8443, ge=1, le=65535)
    # checked in every delivery; empty: a new one at every start
    webhook_secret: SecretStr = SecretStr("")


class HttpSettings(_Section):
    """Where /healthz, /readyz and /metrics are served."""

    # whoever reaches it reads how much she has to do; no texts, no names
    listen: str = "127.0.0.1"
    # 0: off
    port: int = Field(default=0, ge=0, le=65535)


class DispatchSettings(_Section):
    """How gateways and workers share the work; the same in every process."""

    # people are spread over so many queues, each of them one worker's at a time
    partitions: int = Field(default=32, ge=1, le=1024)
    # a worker that was killed is missed so long after its last sign
    lease_s: float = Field(default=10, ge=1, le=300)
    # a message that was tried so often without an end is put aside (ohlora dead list)
    deliveries: int = Field(default=5, ge=1)
    # messages that may wait for workers before people are asked to come back later
    backlog: int = Field(default=1024, ge=1)
    # turns that one worker has under way
    at_once: int = Field(default=256, ge=1)


class Settings(BaseSettings):
    """Everything a host can set, in `ohlora.toml` or as `OHLORA_…` (nested names joined by two underscores)."""

    model_config = SettingsConfigDict(
        env_prefix="OHLORA_", env_nested_delimiter="__", toml_file=FILE, extra="forbid", validate_default=True
    )

    data_dir: Folder = Field(default_factory=lambda: user_data_path("ohlora"))
    cache_dir: Folder = Field(default_factory=lambda: user_cache_path("ohlora"))
    # empty: a SQLite file in data_dir
    record_url: Annotated[SecretStr, AfterValidator(_is_url)] = SecretStr("")
    # empty: hot state is kept in this process, and there are no gateways and workers
    redis_url: Annotated[SecretStr, AfterValidator(_is_redis)] = SecretStr("")
    language: Literal["ko", "en"] = "ko"
    # a folder with ko.toml and en.toml: sentences instead of those in core/texts
    texts: Folder | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "WARNING"
    # pretty: for people; json: one object a line, for programs
    log_format: Literal["pretty", "json"] = "pretty"
    discord_token: SecretStr | None = None
    telegram_token: SecretStr | None = None
    discord: DiscordSettings = DiscordSettings()
    telegram: TelegramSettings = TelegramSettings()
    turn: TurnSettings = TurnSettings()
    models: ModelSettings = ModelSettings()
    moderation: ModerationSettings = ModerationSettings()
    http: HttpSettings = HttpSettings()
    dispatch: DispatchSettings = DispatchSettings()
    serve: ServeSettings = ServeSettings()

    @property
    def limits(self) -> Limits:
        """The numbers of dispatch."""
        return Limits(**self.dispatch.model_dump())

    @property
    def policy(self) -> Policy:
        """The numbers of a turn, and the bounds of places."""
        return replace(self.turn.policy(), bounds=self.moderation.bounds)

    def rulebook(self, own: Thresholds) -> Rulebook:
        """What the operator decides about sanctions. `own`: the ethics encoder's thresholds."""
        policy, chosen = self.policy, dict[str, float](self.turn.thresholds.items())
        acts = {category: chosen.get(category, cosine) for category, cosine in own.acts.items()}
        return Rulebook(Thresholds(acts, chosen.get("normal", own.veto)), policy.ladders, policy.bounds)

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource, dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:  # fmt: skip
        """The environment wins over the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @property
    def record(self) -> str:
        """The record's database URL, password included."""
        file = URL.create("sqlite+aiosqlite", database=str(self.data_dir / "ohlora.db"))
        return self.record_url.get_secret_value() or file.render_as_string(hide_password=False)

    @property
    def models_dir(self) -> Path:
        """Adapters that were pulled or trained."""
        return self.data_dir / "models"

    def secrets(self) -> list[str]:
        """What no log may hold."""
        keys = self.telegram.webhook_secret, self.models.remote.api_key, self.serve.api_key
        tokens = self.discord_token, self.telegram_token, *keys
        known = [token.get_secret_value().strip() for token in tokens if token is not None]
        of_redis = unquote(urlsplit(self.redis_url.get_secret_value()).password or "")
        passwords = make_url(self.record).password, of_redis
        return [secret for secret in (*known, *passwords) if secret]

    def shown(self) -> dict[str, Any]:
        """For people to read: secrets are hidden, the record's URL without its password."""
        shown = self.model_dump(mode="json")
        shown["record_url"] = make_url(self.record).render_as_string(hide_password=True)
        return shown


def load() -> Settings:
    """The effective settings. Raises ConfigurationError that names the setting and what is wrong with it."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, e['loc']))}: {e['msg'].removeprefix('Value error, ')}" for e in error.errors()
        )
        raise ConfigurationError(f"bad setting in {FILE} or OHLORA_…: {wrong}") from error
    except SettingsError as error:  # a list or table in the environment that is no JSON
        raise ConfigurationError(f"bad setting in OHLORA_…: {error}; write it as JSON") from error
    except (OSError, ValueError) as error:  # the file is no TOML
        raise ConfigurationError(f"{FILE} cannot be read: {error}") from error
