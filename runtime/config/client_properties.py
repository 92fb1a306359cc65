"""Reads the file of further client properties that `LINK_ACTIONS_KAFKA_CONFIG` names."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from runtime.config.config_providers import MissingValue, resolve
from runtime.terminal.text import counted

OURS: Mapping[str, str] = {
    "acks": "an update that only one broker has can be lost; it is always all",
    "auto.offset.reset": "clicks deleted before they were read must stop the worker; it is always error",
    "bootstrap.servers": "set LINK_ACTIONS_BOOTSTRAP_SERVERS instead",
    "enable.auto.commit": "offsets are committed in the transaction that holds the updates",
    "enable.auto.offset.store": "offsets are committed in the transaction that holds the updates",
    "enable.idempotence": "a retried send would write twice; it is always true",
    "group.id": "set LINK_ACTIONS_GROUP_ID instead",
    "isolation.level": "clicks of aborted transactions must not be read; each client sets its own",
    "metadata.broker.list": "set LINK_ACTIONS_BOOTSTRAP_SERVERS instead",
    "partitioner": "all clicks of a person must go to one partition; it is always murmur2_random",
    "request.required.acks": "an update that only one broker has can be lost; it is always all",
    "transactional.id": "it is made of topic prefix, group and LINK_ACTIONS_INSTANCE_ID",
}
"""Properties that the file must not set, each with the reason: exactly-once processing depends on them."""

JAVA_ONLY: Mapping[str, str] = {
    "sasl.jaas.config": "use sasl.username and sasl.password",
    "ssl.truststore.location": "use ssl.ca.location with a PEM file",
    "ssl.keystore.location": "use ssl.certificate.location and ssl.key.location with PEM files",
}
"""Properties of the Java client that librdkafka has under another name."""

ASSIGNMENT, COOPERATIVE = "partition.assignment.strategy", "cooperative-sticky"
"""The worker assigns partitions incrementally, which the library refuses under any other strategy."""

FILES = ("ssl.certificate.location", "ssl.key.location", "ssl.keystore.location", "ssl.crl.location", "ssl.ca.location")
"""Properties that name a file; `ssl.ca.location` may also be a folder or `probe`."""

SCOPES = ("consumer.", "producer.")
"""A property with this prefix goes to that kind of client only, without the prefix."""


MAX_MISTAKES = 10
"""Mistakes that are listed; a file that holds something else has one in each line."""


class UnreadableProperties(ValueError):
    """The file cannot be read or has bad lines; the message lists them, without the values."""


@dataclass(frozen=True, slots=True)
class ClientProperties:
    """The properties of one file. `repr` leaves out the values, which may be secrets."""

    path: Path
    values: Mapping[str, str] = field(repr=False)

    def for_role(self, role: str) -> dict[str, str]:
        """Return the properties for a client role (`consumer`, `producer`, `admin`), which override the common ones."""
        common = {name: value for name, value in self.values.items() if not name.startswith(SCOPES)}
        own = {name: value for name, value in self.values.items() if name.startswith(f"{role}.")}
        return common | {name.removeprefix(f"{role}."): value for name, value in own.items()}


def read_properties(path: Path) -> ClientProperties:
    """Read lines of `name=value`, without empty lines and comments, which start with `#` or `!`.

    A value may refer to another source (`runtime.config.config_providers`). Raises UnreadableProperties.
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
        raise UnreadableProperties(f"{path}: {', '.join([*mistakes[:MAX_MISTAKES], *_rest(mistakes)])}")
    return ClientProperties(path, values)


def _rest(mistakes: list[str]) -> Iterator[str]:
    if len(mistakes) > MAX_MISTAKES:
        yield f"and {counted(len(mistakes) - MAX_MISTAKES, 'mistake')} more"


def _collect(lines: list[str], values: dict[str, str]) -> Iterator[str]:
    """Add the properties to `values` and yield a message for each bad line."""
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
    """Return the value. Check that a file it names is readable: the library's error would not name the file."""
    if "\0" in value:
        raise MissingValue(f"has a NUL byte in {name}")
    if name.endswith(FILES) and value != "probe" and not os.access(value, os.R_OK):
        raise MissingValue(f"names the file {value} in {name}, which cannot be read")
    return value


def _problem(name: str, value: str, earlier: Mapping[str, str]) -> str | None:
    plain = next((name.removeprefix(scope) for scope in SCOPES if name.startswith(scope)), name)
    if not plain or not value:
        return "lacks a name or a value"
    if plain in OURS:
        return f"sets {name}, which must not be set here: {OURS[plain]}"
    if plain == ASSIGNMENT and value != COOPERATIVE:
        return f"sets {name}, which this worker supports as {COOPERATIVE} only"
    if plain in JAVA_ONLY:
        return f"sets {name}, which only the Java client has: {JAVA_ONLY[plain]}"
    if plain == "logger" or plain.endswith("_cb"):
        return f"sets {name}, which is not a text property"
    return f"sets {name} a second time" if name in earlier else None
