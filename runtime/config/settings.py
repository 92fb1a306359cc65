"""The settings of an installation, each set by a `LINK_ACTIONS_*` environment variable."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from textwrap import fill
from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from runtime.config.client_properties import ClientProperties
from runtime.config.kafka_settings import DEFAULT_GROUP_ID, KafkaSettings
from runtime.config.values import (
    broker_list,
    duration,
    file_name,
    host_name,
    listen_address,
    properties_file,
    protocols,
    registry_url,
    topic_characters,
)

PREFIX = "LINK_ACTIONS_"

DEFAULT = "default"
"""Key in a field's `json_schema_extra`: the text to show as its default where the value does not say it."""

HELP_WIDTH = 74
"""Characters per line of the help, which is indented."""

EDGE_PREFIX = "EDGE_"
"""What the settings of the edge alone begin with, after `PREFIX`; other programs ignore them."""

MAX_WORKERS = 256
"""Limit of `run --workers`; more processes would only wait for each other on any machine."""


class StateStoreKind(StrEnum):
    """The store of the dedupe state; docs/decisions/0004-state-store.md compares them."""

    ROWFILE = "rowfile"
    ROCKSDB = "rocksdb"


class Implementation(StrEnum):
    """The implementation of what each click costs; `runtime.records.implementation` applies it."""

    AUTO = "auto"
    PYTHON = "python"


class LogLevel(StrEnum):
    """The lowest severity that is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """The format of a log line: a JSON object, or coloured text for a terminal."""

    JSON = "json"
    CONSOLE = "console"


Name = Annotated[str, BeforeValidator(topic_characters)]
FileName = Annotated[str, BeforeValidator(file_name)]


class Settings(BaseSettings):
    """All settings. Only `runtime.config.environment.load_settings` reads them from the environment.

    A field's description says what the value is; error messages and `--help` use it. Both add the default.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    bootstrap_servers: Annotated[str, BeforeValidator(broker_list)] = Field(
        description="the brokers as host:port, separated by commas", examples=["localhost:9092"]
    )
    group_id: Name = Field(
        default=DEFAULT_GROUP_ID,
        max_length=150,
        description="the consumer group, which is also part of the changelog's name",
        examples=["link-actions"],
    )
    instance_id: FileName = Field(
        default_factory=host_name,
        min_length=1,
        max_length=100,
        description="a name that no other running worker of the group has and that stays the same over restarts",
        examples=["worker-1"],
        json_schema_extra={DEFAULT: "host name"},
    )
    state_dir: Path = Field(
        default=Path(".link-actions/state"),
        description="the folder of the local state; each instance has its own folder in it",
        examples=["/var/lib/link-actions"],
    )
    state_store: StateStoreKind = Field(
        default=StateStoreKind.ROWFILE,
        description="rowfile (fast, 23 bytes of memory per remembered click) or rocksdb (50 to 90 MB, a fifth as fast)",
        examples=["rocksdb"],
    )
    topic_prefix: Name = Field(
        default="", max_length=60, description="a prefix for every topic name", examples=["staging."]
    )
    kafka_config: Annotated[ClientProperties | None, NoDecode, BeforeValidator(properties_file)] = Field(
        default=None,
        validate_default=True,
        description="a file of further client properties, one name=value per line",
        examples=["/etc/link-actions/client.properties"],
    )
    implementation: Implementation = Field(
        default=Implementation.AUTO,
        description="python to leave out what is compiled, for comparison; auto to use it where it is built",
        examples=["python"],
    )
    workers: int = Field(
        default=1,
        ge=1,
        le=MAX_WORKERS,
        description="the number of processes that run starts; if there are several, each adds its number to the"
        " instance id",
        examples=["4"],
    )
    commit_interval_ms: int = Field(
        default=100,
        ge=5,
        le=5000,
        description="the longest time, in milliseconds, that one transaction gathers clicks",
        examples=["100"],
    )
    http_host: Annotated[str | None, BeforeValidator(listen_address)] = Field(
        default=None,
        description="the address that the HTTP port is opened on, IPv4 or IPv6",
        examples=["127.0.0.1"],
        json_schema_extra={DEFAULT: "all addresses"},
    )
    http_port: int = Field(
        default=9464,
        ge=0,
        le=65535,
        description="the port of /metrics, /livez, /readyz and /version; 0 takes any free port",
        examples=["0"],
    )
    schema_registry_url: Annotated[str | None, BeforeValidator(registry_url)] = Field(
        default=None,
        repr=False,
        description="the address of a Confluent schema registry",
        examples=["https://registry:8081"],
    )
    log_level: LogLevel = Field(default=LogLevel.INFO, description="debug, info, warning or error", examples=["info"])
    log_format: LogFormat | None = Field(
        default=None,
        description="json or console",
        examples=["json"],
        json_schema_extra={DEFAULT: "console on a terminal, else json"},
    )
    dedupe_retention: Annotated[timedelta | None, BeforeValidator(duration)] = Field(
        default=None,
        ge=timedelta(hours=24),
        description="the time for which a click is remembered, at least 24h",
        examples=["90d"],
        json_schema_extra={DEFAULT: "forever"},
    )
    scripts_without_walls: bool = Field(
        default=False,
        description="true to run scripts where the kernel offers no seccomp or Landlock, behind WebAssembly alone",
        examples=["true"],
    )
    dead_letter_limit: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="the share of a partition's records that may be bad before the worker stops; 1 never stops",
        examples=["0.5"],
    )

    @property
    def kafka(self) -> KafkaSettings:
        """Return the part that the Kafka clients need."""
        return KafkaSettings(
            bootstrap_servers=self.bootstrap_servers,
            topic_prefix=self.topic_prefix,
            group_id=self.group_id,
            instance_id=self.instance_id,
            client_properties=self.kafka_config,
        )

    @field_validator("kafka_config", mode="after")
    @classmethod
    def _has_protocol_of_brokers(cls, file: ClientProperties | None, info: ValidationInfo) -> ClientProperties | None:
        """Refuse a protocol before a broker that the clients do not use; the library would then know no broker."""
        spoken = (file.for_role("admin") if file else {}).get("security.protocol", "plaintext").upper()
        wrong = protocols(info.data.get("bootstrap_servers", "")) - {spoken}
        if wrong:
            advice = "set security.protocol in the file"
            raise ValueError(f"the brokers begin with {min(wrong)}:// but security.protocol is {spoken}; {advice}")
        return file

    @classmethod
    def settings_customise_sources(  # noqa: PLR0917 - the signature is the library's
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take values from the constructor only, so that a test or the demo is independent of its environment."""
        return (init_settings,)


def variable(field: str) -> str:
    """Return the name of the environment variable of a field."""
    return PREFIX + field.upper()


def instance_ids(instance_id: str, workers: int) -> Sequence[str]:
    """Return the instance id of each worker; it does not depend on how many workers there are."""
    return [f"{instance_id}-{number}" for number in range(1, workers + 1)]


def default_text(name: str, kind: type[Settings] = Settings) -> str | None:
    """Return the default of a field as text; None if it is required, or not set by default."""
    field = kind.model_fields[name]
    extra = field.json_schema_extra
    if isinstance(extra, dict) and DEFAULT in extra:
        return str(extra[DEFAULT])
    return None if field.is_required() or field.default in {None, ""} else str(field.default)


def description_of(name: str, kind: type[Settings] = Settings) -> str:
    """Return what a field is, and its default."""
    default = default_text(name, kind)
    return f"{kind.model_fields[name].description}" + (f" (default: {default})" if default else "")


def settings_help(names: Iterable[str] | None = None, kind: type[Settings] = Settings) -> str:
    """Return settings with description and default, as `--help` shows them: all of them unless `names` are given."""
    shown = kind.model_fields if names is None else names
    return "\n".join(
        fill(text, HELP_WIDTH, subsequent_indent="    ", break_on_hyphens=False)
        for text in (f"{variable(name)} {description_of(name, kind)}" for name in shown)
    )
