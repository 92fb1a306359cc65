"""The settings: every `LINK_ACTIONS_*` variable of the environment, all checked at once."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from textwrap import fill
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from consumer.config.client_properties import ClientProperties
from consumer.config.kafka_settings import KafkaSettings
from consumer.config.service_links import is_service_link
from consumer.config.values import (
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
from consumer.errors import UsageError
from consumer.terminal.text import is_encodable
from consumer.terminal.value_problem import problem_of

PREFIX = "LINK_ACTIONS_"

HELP_WIDTH = 74
"""Characters in a line of the help, which is indented."""

MAX_WORKERS = 256
"""How many processes `run` may start: more would wait for each other, on any machine."""


class StateStoreKind(StrEnum):
    """What the state is kept in: docs/decisions/0004-state-store.md."""

    ROWFILE = "rowfile"
    ROCKSDB = "rocksdb"


class LogLevel(StrEnum):
    """The least severe log line that is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """How a log line looks: a JSON object, or coloured text for a terminal."""

    JSON = "json"
    CONSOLE = "console"


Name = Annotated[str, BeforeValidator(topic_characters)]
FileName = Annotated[str, BeforeValidator(file_name)]


class Settings(BaseSettings):
    """Everything that an installation may choose. Built from the environment by `load_settings` only.

    A field's description says what may stand there; error messages and `--help` use it.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    bootstrap_servers: Annotated[str, BeforeValidator(broker_list)] = Field(
        description="the brokers, as host:port with commas between", examples=["localhost:9092"]
    )
    group_id: Name = Field(
        default="link-actions",
        max_length=150,
        description="the consumer group; it names the changelog too (default: link-actions)",
        examples=["link-actions"],
    )
    instance_id: FileName = Field(
        default_factory=host_name,
        min_length=1,
        max_length=100,
        description="a name no other running worker of the group has and a restart keeps (default: the host's)",
        examples=["worker-1"],
    )
    state_dir: Path = Field(
        default=Path(".link-actions/state"),
        description="the folder for the state; each instance has one of its own in it (default: .link-actions/state)",
        examples=["/var/lib/link-actions"],
    )
    state_store: StateStoreKind = Field(
        default=StateStoreKind.ROWFILE,
        description="rowfile (fast, 23 bytes of memory for each click remembered) or rocksdb (50 to 90 MB,"
        " a fifth as fast) (default: rowfile)",
        examples=["rocksdb"],
    )
    topic_prefix: Name = Field(
        default="", max_length=60, description="what stands before every topic's name", examples=["staging."]
    )
    kafka_config: Annotated[ClientProperties | None, NoDecode, BeforeValidator(properties_file)] = Field(
        default=None,
        validate_default=True,
        description="a file of further client properties, name=value on each line",
        examples=["/etc/link-actions/client.properties"],
    )
    workers: int = Field(
        default=1,
        ge=1,
        le=MAX_WORKERS,
        description="how many processes run starts; with more than one, the instance id of each has its number behind"
        " (default: 1)",
        examples=["4"],
    )
    commit_interval_ms: int = Field(
        default=100,
        ge=5,
        le=5000,
        description="how long clicks are gathered for one transaction at most (default: 100)",
        examples=["100"],
    )
    http_host: Annotated[str | None, BeforeValidator(listen_address)] = Field(
        default=None,
        description="the address that the port is opened on (default: all addresses, IPv4 and IPv6)",
        examples=["127.0.0.1"],
    )
    http_port: int = Field(
        default=9464,
        ge=0,
        le=65535,
        description="the port of /metrics, /livez, /readyz and /version; 0 takes any (default: 9464)",
        examples=["0"],
    )
    schema_registry_url: Annotated[str | None, BeforeValidator(registry_url)] = Field(
        default=None, repr=False, description="the schema registry, if there is one", examples=["https://registry:8081"]
    )
    log_level: LogLevel = Field(
        default=LogLevel.INFO, description="debug, info, warning or error (default: info)", examples=["info"]
    )
    log_format: LogFormat | None = Field(
        default=None, description="json or console (default: console on a terminal, else json)", examples=["json"]
    )
    dedupe_retention: Annotated[timedelta | None, BeforeValidator(duration)] = Field(
        default=None,
        ge=timedelta(hours=24),
        description="how long a click is remembered, at least 24h (default: for ever)",
        examples=["90d"],
    )
    dead_letter_limit: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="the share of a partition's records that may go bad before the worker stops; 1 never stops"
        " (default: 0.5)",
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
        """Refuse a protocol before the brokers that the clients do not speak: the library would know no broker then."""
        spoken = (file.for_role("admin") if file else {}).get("security.protocol", "plaintext").upper()
        wrong = protocols(info.data.get("bootstrap_servers", "")) - {spoken}
        if wrong:
            raise ValueError(
                f"the brokers begin with {min(wrong)}:// and security.protocol is {spoken}, set it in the file"
            )
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
        """Let the constructor take nothing from the process around it, so that a test or the demo gets what it says."""
        return (init_settings,)


class WrongSettings(UsageError):
    """Some settings are wrong; `mistakes` has a sentence for each."""

    def __init__(self, mistakes: list[str]) -> None:
        heading = f"{len(mistakes)} settings are wrong:\n  " if len(mistakes) > 1 else ""
        super().__init__(heading + "\n  ".join(mistakes))
        self.mistakes = mistakes


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Build the settings from the variables of an environment; an empty variable counts as not set.

    What Kubernetes sets for a Service is ignored, under the name of a setting too. Raises WrongSettings, which names
    every mistake: a variable that is wrong, missing, or unknown.
    """
    links = service_links(environ)
    _check_encoding({name: environ[name] for name in environ if name.upper().startswith(PREFIX) and name not in links})
    unknown = list(_unknown_variables(environ.keys() - links))
    source = EnvSettingsSource(Settings)
    source.env_vars = {name.lower(): value for name, value in environ.items() if value and name not in links}
    try:
        settings = Settings(**source())
    except ValidationError as error:
        raise WrongSettings([*(_mistake(dict(detail)) for detail in error.errors()), *unknown]) from error
    if unknown:
        raise WrongSettings(unknown)
    return settings


def variable(field: str) -> str:
    """Return the name of the environment variable of a field."""
    return PREFIX + field.upper()


def instance_ids(instance_id: str, workers: int) -> Sequence[str]:
    """Return the instance id of each worker; the first ones stay the same when there are more or fewer of them."""
    return [f"{instance_id}-{number}" for number in range(1, workers + 1)]


def settings_help() -> str:
    """Return each setting and what it is, as `--help` shows them."""
    return "\n".join(
        fill(f"{variable(name)} {field.description}", HELP_WIDTH, subsequent_indent="    ", break_on_hyphens=False)
        for name, field in Settings.model_fields.items()
    )


def service_links(environ: Mapping[str, str]) -> frozenset[str]:
    """Return the variables that look like settings and were set by Kubernetes for a Service."""
    ours = {name for name in environ if name.startswith(PREFIX)}
    return frozenset(name for name in ours if is_service_link(name.removeprefix(PREFIX), environ[name]))


def hidden_settings(environ: Mapping[str, str]) -> list[str]:
    """Return the settings in whose place Kubernetes has set something, so that their defaults hold."""
    return sorted(service_links(environ) & {variable(field) for field in Settings.model_fields})


def _check_encoding(environ: Mapping[str, str]) -> None:
    mistakes = [
        f"{name} is not UTF-8 text; set it again in UTF-8" for name, value in environ.items() if not is_encodable(value)
    ]
    if mistakes:
        raise WrongSettings(mistakes)


def _unknown_variables(names: Iterable[str]) -> Iterator[str]:
    known = [field.upper() for field in Settings.model_fields]
    for name in sorted(names):
        prefix, own = name[: len(PREFIX)].upper(), name[len(PREFIX) :].upper()
        if prefix == PREFIX and own not in known:
            near = get_close_matches(own, known, n=1)
            hint = f"did you mean {PREFIX}{near[0]}?" if near else f"after {PREFIX} may stand {', '.join(known)}"
            yield f"{name} is no setting; {hint}"


def _mistake(detail: dict[str, Any]) -> str:
    """Say what is wrong with one variable, never its value: it may hold a secret."""
    field = str(detail["loc"][0])
    known: FieldInfo = Settings.model_fields[field]
    example = f"set it to {known.description}, for example {variable(field)}={(known.examples or [''])[0]}"
    if detail["type"] == "missing":
        return f"{variable(field)} is not set: {example}"
    return f"{variable(field)} is wrong: {problem_of(detail)}; {example}"
