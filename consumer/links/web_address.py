"""Checks addresses for redirects.

Stricter than browsers, which correct many mistakes: the author writes out what a browser would guess.
"""

import re
from ipaddress import AddressValueError, IPv6Address
from urllib.parse import SplitResult, urlsplit

from actions.ids import describe, is_unseen

MAX_URL_LENGTH = 4000
MAX_HOST_LENGTH = 253
"""In bytes, in the domain name system (RFC 1035); a label has at most 63."""
_EXAMPLE = "write one such as https://example.com/offer"
_START = re.compile(r"https?://[^/?#]", re.IGNORECASE)
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?", re.IGNORECASE)
_NUMBERS = re.compile(r"[0-9.]+")
_PORT = re.compile(r"[0-9]{1,5}")
_MAX_PORT = 65_535
_MAX_LABEL_LENGTH = 63


def check_url(text: str) -> str:
    """Return an absolute web address unchanged. Raises ValueError with a message that says what to change."""
    if not _START.match(text):
        raise ValueError(f"it is not an absolute http or https address; {_EXAMPLE}")
    if len(text) > MAX_URL_LENGTH:
        raise ValueError(f"it has {len(text)} characters; use at most {MAX_URL_LENGTH}")
    for position, character in enumerate(text, 1):
        if character.isspace() or character == "\\":
            raise ValueError(f"it is not an absolute http or https address without blanks and backslashes; {_EXAMPLE}")
        if is_unseen(character):
            raise ValueError(f"it contains {describe(character)} at character {position}; remove it")
    _check_parts(text)
    return text


def _check_parts(text: str) -> None:
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError as error:
        raise ValueError(f"it is not an absolute http or https address ({str(error).lower()}); {_EXAMPLE}") from error
    if "@" in parts.netloc:
        raise ValueError("it contains a user or password before an @, which browsers warn about; remove it")
    _check_port(parts)
    if not host:
        raise ValueError(f"it has no host; {_EXAMPLE}")
    if "[" in parts.netloc:
        _check_ipv6(host)
    else:
        _check_host(host)


def _check_port(parts: SplitResult) -> None:
    _, colon, port = parts.netloc.rpartition("]")[2].partition(":")
    if colon and not (_PORT.fullmatch(port) and 0 < int(port) <= _MAX_PORT):
        raise ValueError(f"its port is {port or 'empty'}; write a number from 1 to {_MAX_PORT}, or no port")


def _check_ipv6(host: str) -> None:
    try:
        IPv6Address(host)
    except AddressValueError as error:
        raise ValueError(f"its host [{host}] is not an IPv6 address; {_EXAMPLE}") from error


def _check_host(host: str) -> None:
    labels = host.removesuffix(".").split(".")
    if not all(labels):
        raise ValueError(f"its host {host} has two dots in a row, or begins with one; write it as a browser shows it")
    ascii_host = _to_ascii(host, labels)
    if len(ascii_host) > MAX_HOST_LENGTH or any(len(label) > _MAX_LABEL_LENGTH for label in ascii_host.split(".")):
        limits = f"{MAX_HOST_LENGTH} characters in all and {_MAX_LABEL_LENGTH} between two dots"
        raise ValueError(f"its host is too long; a host has at most {limits}")
    if not all(_LABEL.fullmatch(label) for label in ascii_host.split(".")):
        raise ValueError(
            f"its host {host} has characters that a host name cannot have; use letters, digits, hyphens and dots"
        )
    if _NUMBERS.fullmatch(ascii_host) and not _is_ipv4(ascii_host):
        raise ValueError(
            f"its host {host} is not an IPv4 address; write four numbers from 0 to 255 with dots between them"
        )


def _to_ascii(host: str, labels: list[str]) -> str:
    """Return the host in its ASCII form (IDNA)."""
    if host.isascii():
        return ".".join(labels)
    try:
        return ".".join(label.encode("idna").decode() for label in labels)
    except UnicodeError as error:
        raise ValueError(
            f"its host {host} is not a domain name; write its ASCII form, which begins with xn--"
        ) from error


def _is_ipv4(host: str) -> bool:
    numbers = host.split(".")
    return len(numbers) == 4 and all(len(number) <= 3 and int(number) <= 255 for number in numbers)  # noqa: PLR2004
