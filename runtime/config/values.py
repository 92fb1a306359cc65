"""Parses the text of a single setting. Each function returns the value or raises ValueError."""

import re
import socket
from datetime import timedelta
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError

from runtime.config.client_properties import ClientProperties, read_properties

_BROKER = re.compile(r"(?:(?P<protocol>[^:/]+)://)?(?P<host>\[[^\]]*\]|[^:/\[\]]+)(?::(?P<port>\d{1,5}))?")
_PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?"
_HOST = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*\.?")
_NAME = re.compile(r"[A-Za-z0-9._-]*")
_DURATION = re.compile(r"(\d{1,15})\s*(s|m|h|d|w)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_ISO_8601 = TypeAdapter(timedelta)
_MAX_PORT = 65535


def broker_list(text: str) -> str:
    """Accept `host:port`, separated by commas; the port defaults to 9092.

    A security protocol may precede the host, as in listeners (`SSL://host:9093`).
    """
    brokers = [broker.strip() for broker in text.split(",")]
    for broker in brokers:
        problem = _problem_of_broker(broker)
        if problem:
            raise ValueError(problem)
    return ",".join(brokers)


def _problem_of_broker(broker: str) -> str | None:
    if not broker:
        return "one of the brokers between the commas is empty"
    match = _BROKER.fullmatch(broker)
    if not match or not 0 < int(match["port"] or 9092) <= _MAX_PORT or not _is_host(match["host"]):
        shown = broker.rpartition("@")[2]  # the part before @ may be a password
        return f"{shown!r} is not host:port (write an IPv6 address in brackets, as [::1]:9092)"
    if match["protocol"] and match["protocol"].upper() not in _PROTOCOLS:
        return f"{broker!r} begins with {match['protocol']}://, which is no protocol of Kafka; leave it out"
    return None


def protocols(brokers: str) -> set[str]:
    """Return the security protocols that precede the brokers."""
    return {
        match["protocol"].upper() for match in map(_BROKER.fullmatch, brokers.split(",")) if match and match["protocol"]
    }


def _is_host(text: str) -> bool:
    """Return whether it is a host name or an address, which must be in brackets for IPv6."""
    if not text.startswith("["):
        return _HOST.fullmatch(text) is not None
    try:
        return isinstance(ip_address(text.strip("[]").partition("%")[0]), IPv6Address)
    except ValueError:
        return False


def listen_address(text: str | None) -> str | None:
    """Accept an IP address or a host name; brackets around an IPv6 address are optional."""
    address = text.strip() if text is not None else None
    if address is None or _HOST.fullmatch(address):
        return address
    try:
        return str(ip_address(address.removeprefix("[").removesuffix("]")))
    except ValueError:
        raise ValueError("it is neither an IP address nor a host name") from None


def topic_characters(text: str) -> str:
    """Accept characters that a topic name may have, since the value becomes part of one."""
    if not _NAME.fullmatch(text):
        raise ValueError("only letters, digits, '.', '_' and '-' are allowed")
    return text


def file_name(text: str) -> str:
    """Accept characters that a topic name may have, if they also make a folder name."""
    if text in {".", ".."}:
        raise ValueError(f"{text!r} cannot be the name of a folder")
    return topic_characters(text)


def host_name() -> str:
    """Return the host name, with characters replaced that a transactional id must not have."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname())[:100].strip(".") or "localhost"


def duration(value: Any) -> Any:
    """Accept `90d`, `24h`, `2w` or an ISO 8601 duration such as `P90D`."""
    if not isinstance(value, str):
        return value
    text = value.strip().upper()
    match = _DURATION.fullmatch(value.strip())
    if not match and not text.startswith("P"):
        raise ValueError("it is no duration such as 90d or 24h")
    try:
        return timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else _ISO_8601.validate_python(text)
    except OverflowError:
        raise ValueError("it is too long; 36500d are a hundred years") from None
    except ValidationError:
        raise ValueError("it is no ISO 8601 duration such as P90D or PT36H") from None


def properties_file(value: Any) -> ClientProperties | None:
    """Read the file of client properties, so that its mistakes are reported with all others."""
    return value if value is None or isinstance(value, ClientProperties) else read_properties(Path(value))


def registry_url(value: str | None) -> str | None:
    """Accept an http or https URL."""
    if value is not None and not _is_url(value):
        raise ValueError("it is no http:// or https:// address")
    return value


def _is_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and has_port and not re.search(r"\s", value)
