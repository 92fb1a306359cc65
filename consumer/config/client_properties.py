"""The file of further client properties that `LINK_ACTIONS_KAFKA_CONFIG` names."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from consumer.config.config_providers import MissingValue, resolve
from consumer.terminal.text import counted

OURS: Mapping[str, str] = {
    "acks": "an update that only one broker has can be lost; it is always all",
    "auto.offset.reset": "clicks that were deleted unread must stop the worker; it is always error",
    "bootstrap.servers": "set LINK_ACTIONS_BOOTSTRAP_SERVERS instead",
    "enable.auto.commit": "offsets are committed in the transaction that holds the updates",
    "enable.auto.offset.store": "offsets are committed in the transaction that holds the updates",
    "enable.idempotence": "a retried send would write twice; it is always on",
    "group.id": "set LINK_ACTIONS_GROUP_ID instead",
    "isolation.level": "clicks of aborted transactions must not be seen; each client sets what it needs",
    "metadata.broker.list": "set LINK_ACTIONS_BOOTSTRAP_SERVERS instead",
    "partitioner": "a person's clicks must meet in one partition; it is always murmur2_random",
    "request.required.acks": "an update that only one broker has can be lost; it is always all",
    "transactional.id": "it is made of topic prefix, group and LINK_ACTIONS_INSTANCE_ID",
}
"""Properties that exactly once depends on, and why each is not for the file to set."""

JAVA_ONLY: Mapping[str, str] = {
    "sasl.jaas.config": "use sasl.username and sasl.password",
    "ssl.truststore.location": "use ssl.ca.location with a PEM file",
    "ssl.keystore.location": "use ssl.certificate.location and ssl.key.location with PEM files",
}
"""What the Java client knows by another name than ours."""

ASSIGNMENT, COOPERATIVE = "partition.assignment.strategy", "cooperative-sticky"
"""Under any other strategy the library refuses the worker's way of taking partitions, at the first one."""

FILES = ("ssl.certificate.location", "ssl.key.location", "ssl.keystore.location", "ssl.crl.location", "ssl.ca.location")
"""Properties that name a file, the last one a folder too or `probe`."""

SCOPES = ("consumer.", "producer.")
"""A property starting so goes to that kind of client only, without the prefix."""


MOST_TOLD = 10
"""Mistakes that are told one by one; a file of something else has one in each line."""


class UnreadableProperties(ValueError):
    """The file cannot be read or has bad lines; the message names every one of them, without the values."""


@dataclass(frozen=True, slots=True)
class ClientProperties:
    """The properties of one file. Values may be secrets, so they are not shown."""

    path: Path
    values: Mapping[str, str] = field(repr=False)

    def for_role(self, role: str) -> dict[str, str]:
        """Return what a client of this role (`consumer`, `producer`, `admin`) gets: the common ones, then its own."""
        common = {name: value for name, value in self.values.items() if not name.startswith(SCOPES)}
        own = {name: value for name, value in self.values.items() if name.startswith(f"{role}.")}
        return common | {name.removeprefix(f"{role}."): value for name, value in own.items()}


def read_properties(path: Path) -> ClientProperties:
    """Read lines of `name=value`; empty lines and those starting with `#` or `!` are passed over.

    A value may name a place where it stands instead (`consumer.config.config_providers`). Raises UnreadableProperties.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise UnreadableProperties(f"{path} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise UnreadableProperties(f"{path} is not UTF-8 text") from error
    values: dict[str, str] = {}
    mistakes = list(_collect(lines, values))
    if mistakes:
        raise UnreadableProperties(f"{path}: {', '.join([*mistakes[:MOST_TOLD], *_rest(mistakes)])}")
    return ClientProperties(path, values)


def _rest(mistakes: list[str]) -> Iterator[str]:
    if len(mistakes) > MOST_TOLD:
        yield f"and {counted(len(mistakes) - MOST_TOLD, 'mistake')} more"


def _collect(lines: list[str], values: dict[str, str]) -> Iterator[str]:
    """Put the properties into `values` and yield a sentence for each bad line."""
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or text[0] in "#!":
            continue
        if "\0" in text:
            yield f"line {number} has a NUL byte"
            continue
        name, separator, value = (part.strip() for part in text.partition("="))
        problem = "is not name=value" if not separator else _problem(name, value, values)
        if problem:
            yield f"line {number} {problem}"
        try:
            values[name] = _readable(name, resolve(value))
        except MissingValue as error:
            yield f"line {number} {error}"


def _readable(name: str, value: str) -> str:
    """Return the value; where it is a file that cannot be read, the library would give a riddle for an error."""
    if "\0" in value:
        raise MissingValue(f"has a NUL byte in {name}")
    if name.endswith(FILES) and value != "probe" and not os.access(value, os.R_OK):
        raise MissingValue(f"names in {name} the file {value}, which cannot be read")
    return value


def _problem(name: str, value: str, earlier: Mapping[str, str]) -> str | None:
    plain = next((name.removeprefix(scope) for scope in SCOPES if name.startswith(scope)), name)
    if not plain or not value:
        return "lacks a name or a value"
    if plain in OURS:
        return f"sets {name}, which is not for the file: {OURS[plain]}"
    if plain == ASSIGNMENT and value != COOPERATIVE:
        return f"sets {name} to something else than {COOPERATIVE}, the only one this worker can follow"
    if plain in JAVA_ONLY:
        return f"sets {name}, which only the Java client knows: {JAVA_ONLY[plain]}"
    if plain == "logger" or plain.endswith("_cb"):
        return f"sets {name}, which is no text property"
    return f"sets {name} a second time" if name in earlier else None
