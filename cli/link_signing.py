"""`link-actions links sign`: makes the links that go into messages."""

import json
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.input import open_input, read_lines
from cli.output import say
from consumer.inspect.ndjson import (
    InvalidLine,
    is_blank,
    json_object,
    read_boolean,
    read_number,
    read_text,
    read_time,
    refuse_unknown,
)
from edge.keyring import BadKeyring, Keyring, load_keyring
from runtime.errors import UsageError
from schemas.link_token import LinkKey, link_url, sign
from schemas.token_payload import EPOCH_MS, SentLink

SIGN_EXAMPLE = """\b
Example:
  link-actions links sign --keyring keyring.yaml --host klik.example.com links.ndjson
\b
A line of the file:
  {"tenant_id": "acme", "link_id": "spring-offer", "recipient_id": "r-17", "person_id": "4711",
   "mailing_id": "spring", "sent_at": "2026-11-22T09:30:00Z", "link_count": 12}"""

FIELDS = (
    "tenant_id", "link_id", "recipient_id", "person_id", "company_id", "mailing_id", "flow_id", "flow_run_id",
    "sent_at", "link_count", "test",
)  # fmt: skip
_REQUIRED, _OPTIONAL = FIELDS[:3], FIELDS[3:8]
_EXAMPLE = 'a link is {"tenant_id": …, "link_id": …, "recipient_id": …}'
_HOST = re.compile(r"(https?://)?(([A-Za-z0-9_-]+\.)*[A-Za-z0-9_-]+|\[[0-9A-Fa-f:]+\])(:[0-9]{1,5})?")


class Format(StrEnum):
    """Output formats."""

    JSON = "json"
    TEXT = "text"


def sign_links(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="One JSON object per line; - is standard input.")],
    *,
    keyring: Annotated[Path, typer.Option(help="The file with the keys of the tenants.")],
    host: Annotated[
        list[str],
        typer.Option(help="The tracking host of all tenants, or TENANT=HOST for one of them; may be repeated."),
    ],
    output: Annotated[
        Format, typer.Option("--format", help="JSON: each line again, with its url. Text: the URLs alone.")
    ] = Format.JSON,
) -> None:
    """Make the links of messages: for each line its URL, in the same order.

    A line needs tenant_id, link_id and recipient_id, and may have person_id, company_id, mailing_id or flow_id with
    flow_run_id, sent_at (ISO 8601 or milliseconds since 1970), link_count and test. The first invalid line ends the
    command with exit code 2; the links of all lines before it have been written.
    """
    signer = LinkSigner(_keyring(keyring), parse_hosts(host))
    with open_input(file, "links") as stream:
        for number, line in enumerate(read_lines(stream), start=1):
            try:
                given, url = signer.sign(line)
            except InvalidLine as problem:
                raise UsageError(f"{file}:{number}: {problem}; {_written(number - 1)}") from problem
            say(url if output is Format.TEXT else json.dumps({**given, "url": url}))


def _written(lines: int) -> str:
    if lines == 1:
        return "the link of the line before it has been written"
    return f"the links of the {lines} lines before it have been written" if lines else "no link has been written"


class LinkSigner:
    """Makes links with the signing keys of a keyring."""

    def __init__(self, keyring: Keyring, hosts: Mapping[str, str]) -> None:
        """`hosts` are the tracking hosts by tenant; that of "" is for all others."""
        self._hosts = hosts
        self._key = cache(keyring.signing_key)

    def sign(self, line: bytes) -> tuple[dict[str, Any], str]:
        """Return the object in a line, and its URL. Raises InvalidLine."""
        given = json_object(line, example=_EXAMPLE)
        refuse_unknown(given, FIELDS, what="a link")
        known = {name: value for name, value in given.items() if value is not None and not is_blank(value)}
        tenant_id, sent = _sent_link(known)
        key, host = self._signing_key(tenant_id), self._host(tenant_id)
        try:
            return given, link_url(host, sign(key, sent))
        except UnicodeEncodeError as error:
            raise InvalidLine("a text contains half of a surrogate pair, which is not Unicode") from error
        except ValueError as error:
            raise InvalidLine(str(error)) from error

    def _signing_key(self, tenant_id: str) -> LinkKey:
        try:
            return self._key(tenant_id)
        except BadKeyring as error:
            raise InvalidLine(str(error)) from error

    def _host(self, tenant_id: str) -> str:
        host = self._hosts.get(tenant_id) or self._hosts.get("")
        if host is None:
            raise InvalidLine(f"no host is given for tenant {tenant_id}; give --host {tenant_id}=HOST")
        return host


def parse_hosts(options: Sequence[str]) -> Mapping[str, str]:
    """Read HOST and TENANT=HOST; the host of all tenants has the key "". Raises UsageError."""
    hosts: dict[str, str] = {}
    for option in options:
        tenant_id, _, host = option.rpartition("=")
        if not _HOST.fullmatch(host):
            raise UsageError(f"--host: {host!r} is not a host; write one such as klik.example.com, in ASCII")
        if tenant_id in hosts:
            raise UsageError(f"--host: there are two hosts for {tenant_id or 'all tenants'}; give one")
        hosts[tenant_id] = host
    return hosts


def _sent_link(given: Mapping[str, Any]) -> tuple[str, SentLink]:
    """Return the tenant and what the token holds. Raises InvalidLine."""
    missing = next((name for name in _REQUIRED if name not in given), None)
    if missing:
        raise InvalidLine(f"{missing} is missing")
    texts = {name: read_text(name, given[name]) for name in (*_REQUIRED, *_OPTIONAL) if name in given}
    tenant_id = texts.pop("tenant_id")
    return tenant_id, SentLink(
        **texts,
        sent_at_ms=_sent_at(given["sent_at"]) if "sent_at" in given else None,
        link_count=_link_count(given["link_count"]) if "link_count" in given else None,
        is_test=read_boolean("test", given.get("test", False)),
    )


def _sent_at(value: Any) -> int:
    milliseconds = read_time("sent_at", value)
    if milliseconds < EPOCH_MS:
        raise InvalidLine("sent_at is before 2024, where the times of links begin")
    return milliseconds


def _link_count(value: Any) -> int:
    count = read_number("link_count", value)
    if count < 1:
        raise InvalidLine("link_count is below 1; it counts the links of the message")
    return count


def _keyring(path: Path) -> Keyring:
    try:
        return load_keyring(path)
    except BadKeyring as error:
        raise UsageError(f"--keyring: {error}") from error
