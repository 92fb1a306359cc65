"""What the text of a single setting may look like. Each function returns the value or raises ValueError."""

import re
import socket
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError

from consumer.kafka.properties import ClientProperties, read_properties

_BROKER = re.compile(r"(?:\w+://)?(?:\[[0-9a-fA-F:.]+\]|[\w.-]+)(?::(\d{1,5}))?")
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?")
_NAME = re.compile(r"[A-Za-z0-9._-]*")
_DURATION = re.compile(r"(\d{1,15})\s*(s|m|h|d|w)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_ISO_8601 = TypeAdapter(timedelta)
_HIGHEST_PORT = 65535


def broker_list(text: str) -> str:
    """Take `host:port` with commas between; the port may be left out and is then 9092."""
    brokers = [broker.strip() for broker in text.split(",")]
    for broker in brokers:
        match = _BROKER.fullmatch(broker)
        if not match or not 0 < int(match[1] or 9092) <= _HIGHEST_PORT:
            raise ValueError(f"{broker!r} is no host:port")
    return ",".join(brokers)


def listen_address(text: str | None) -> str | None:
    """Take an IP address, that of IPv6 in brackets or without, or the name of a host."""
    address = text.strip() if text is not None else None
    if address is None or _HOST.fullmatch(address):
        return address
    try:
        return str(ip_address(address.removeprefix("[").removesuffix("]")))
    except ValueError:
        raise ValueError("it is neither an IP address nor a host name") from None


def topic_characters(text: str) -> str:
    """Take only what may stand in the name of a topic, since the value becomes part of one."""
    if not _NAME.fullmatch(text):
        raise ValueError("only letters, digits, '.', '_' and '-' may stand there")
    return text


def host_name() -> str:
    """Return the name of this machine in characters that a transactional id may have."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname())[:100]


def duration(value: Any) -> Any:
    """Take `90d`, `24h`, `2w` or an ISO 8601 duration such as `P90D`."""
    if not isinstance(value, str):
        return value
    text = value.strip().upper()
    match = _DURATION.fullmatch(value.strip())
    if not match and not text.startswith("P"):
        raise ValueError("it is no duration such as 90d or 24h")
    try:
        return timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else _ISO_8601.validate_python(text)
    except OverflowError:
        raise ValueError("it is longer than anyone can wait; 36500d are a hundred years") from None
    except ValidationError:
        raise ValueError("it is no ISO 8601 duration such as P90D or PT36H") from None


def properties_file(value: Any) -> ClientProperties | None:
    """Read the file of client properties, so that its mistakes are found with all the others."""
    return value if value is None or isinstance(value, ClientProperties) else read_properties(Path(value))


def registry_url(value: str | None) -> str | None:
    """Take an http or https address."""
    if value is not None and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname):
        raise ValueError("it is no http:// or https:// address")
    return value
