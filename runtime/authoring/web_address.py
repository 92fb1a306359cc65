"""Checks addresses for redirects, and brings them into the form that browsers send.

The check is stricter than browsers, which correct many mistakes: the author writes out what a browser would guess. The
result is the canonical form of the WHATWG URL Standard. It is published and sent to browsers byte for byte, so nothing
that answers a click parses an address.
"""

import re

from ada_url import URL, HostType, idna_to_unicode

from actions.ids import describe, is_unseen

MAX_URL_LENGTH = 4000
"""In characters, as written and in canonical form."""
MAX_HOST_LENGTH = 253
"""In bytes, in the domain name system (RFC 1035); a label has at most 63."""
_EXAMPLE = "write one such as https://example.com/offer"
_NO_ADDRESS = "it is not an absolute http or https address"
_AUTHORITY = re.compile(r"https?://([^/?#]+)", re.IGNORECASE)
_HOST_AND_PORT = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(:.*)?")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?", re.IGNORECASE)
_PUNYCODE = re.compile(r"(^|\.)xn--", re.IGNORECASE)
_IPV4_ENDING = re.compile(r"([0-9]+|0x[0-9a-f]*)", re.IGNORECASE)
"""Browsers take a host whose last label is such a number for an IPv4 address."""
_PORT = re.compile(r"[0-9]{1,5}")
_MAX_PORT = 65_535
_MAX_LABEL_LENGTH = 63


def check_url(text: str) -> str:
    """Return an absolute web address in canonical form. Raises ValueError with a message that says what to change."""
    authority = _AUTHORITY.match(text)
    if not authority:
        raise ValueError(f"{_NO_ADDRESS}; {_EXAMPLE}")
    if len(text) > MAX_URL_LENGTH:
        raise ValueError(f"it has {len(text)} characters; use at most {MAX_URL_LENGTH}")
    _check_characters(text)
    host = _check_authority(authority[1])
    canonical = _canonical(text, host)
    if len(canonical) > MAX_URL_LENGTH:
        counts = f"it has {len(canonical)} characters when percent-encoded, as browsers send it"
        raise ValueError(f"{counts}; use at most {MAX_URL_LENGTH}")
    return canonical


def _check_characters(text: str) -> None:
    for position, character in enumerate(text, 1):
        if character == "\\" or (character.isspace() and character != " "):
            raise ValueError(f"{_NO_ADDRESS} without backslashes, tabs and line breaks; {_EXAMPLE}")
        if is_unseen(character):
            raise ValueError(f"it contains {describe(character)} at character {position}; remove it")
    if text != text.strip():
        raise ValueError("it ends with a blank; remove it")


def _check_authority(authority: str) -> str:
    """Return the host as written."""
    if "@" in authority:
        raise ValueError("it contains a user or password before an @, which browsers warn about; remove it")
    parts = _HOST_AND_PORT.fullmatch(authority)
    if not parts:
        raise ValueError(f"{_NO_ADDRESS}; {_EXAMPLE}")
    host, port = parts[1], parts[2]
    if port is not None and not (_PORT.fullmatch(port[1:]) and 0 < int(port[1:]) <= _MAX_PORT):
        raise ValueError(f"its port is {port[1:] or 'empty'}; write a number from 1 to {_MAX_PORT}, or no port")
    if not host:
        raise ValueError(f"it has no host; {_EXAMPLE}")
    if host.isascii() and not host.startswith("["):
        _check_host(host, host)
    return host


def _canonical(text: str, host: str) -> str:
    try:
        url = URL(text)
        _check_punycode(url.hostname)
    except ValueError as error:
        raise ValueError(_bad_host(host)) from error
    if url.host_type is HostType.IPV4 and url.hostname != host.removesuffix("."):
        raise ValueError(_bad_host(host))
    if url.host_type is HostType.DEFAULT:
        _check_host(url.hostname, host)
    return url.href


def _check_host(ascii_host: str, written: str) -> None:
    labels = ascii_host.removesuffix(".").split(".")
    if not all(labels):
        raise ValueError(
            f"its host {written} has two dots in a row, or begins with one; write it as a browser shows it"
        )
    if sum(map(len, labels)) + len(labels) - 1 > MAX_HOST_LENGTH or max(map(len, labels)) > _MAX_LABEL_LENGTH:
        limits = f"{MAX_HOST_LENGTH} characters in all and {_MAX_LABEL_LENGTH} between two dots"
        raise ValueError(f"its host is too long; a host has at most {limits}")
    if not all(map(_LABEL.fullmatch, labels)):
        raise ValueError(
            f"its host {written} has characters that a host name cannot have; use letters, digits, hyphens and dots"
        )


def _check_punycode(hostname: str) -> None:
    """Raise ValueError unless each label in punycode is the encoding of a name."""
    if _PUNYCODE.search(hostname):
        name = idna_to_unicode(hostname)
        if _PUNYCODE.search(name) or URL(f"https://{name}/").hostname != hostname:
            raise ValueError(hostname)


def _bad_host(host: str) -> str:
    if host.startswith("["):
        return f"its host {host} is not an IPv6 address; {_EXAMPLE}"
    if _IPV4_ENDING.fullmatch(host.removesuffix(".").rpartition(".")[2]):
        return f"its host {host} is not an IPv4 address; write four numbers from 0 to 255 with dots between them"
    return f"its host {host} is not a domain name; write its ASCII form, which begins with xn--"
