"""The client's network and its class: all that is kept of its address."""

from functools import lru_cache
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import NamedTuple

from edge.network_classes import NetworkClasses
from edge.network_table import IPV4_BYTES, NetworkTable

TrustedProxies = NetworkTable[bool]

_IPV4_KEPT, _IPV6_KEPT = 3, 6
"""Bytes kept of an address: /24 and /48."""
_MAPPED = bytes(10) + b"\xff\xff"
"""An IPv4 address in IPv6's form begins with it (RFC 4291, 2.5.5.2)."""
_MAX_HOPS = 20
_REMEMBERED = 4_096
"""Results kept in memory: browsers ask several times in a row."""


class Client(NamedTuple):
    """The client's /24 or /48, None if its address is not known, and the class of its network, None if it has none."""

    network: str | None = None
    network_class: str | None = None


@lru_cache(maxsize=_REMEMBERED)
def client_of(
    peer: str | None, forwarded_for: bytes | None, trusted: TrustedProxies, classes: NetworkClasses
) -> Client:
    """Return what is kept of the client's address; the class is that of the whole address.

    X-Forwarded-For is read from its end, as long as each address is that of a trusted proxy: everything before the
    first other one may be forged.
    """
    address = _address(peer or "")
    hops = forwarded_for.decode("latin-1").split(",")[-_MAX_HOPS:] if forwarded_for else []
    while address is not None and hops and trusted.find(address):
        address = _address(hops.pop())
    if address is None:
        return Client()
    found = classes.find(address)
    return Client(_network(address), None if found is None else found.value)


def _network(address: bytes) -> str:
    if len(address) == IPV4_BYTES:
        return f"{inet_ntop(AF_INET, address[:_IPV4_KEPT] + bytes(1))}/24"
    return f"{inet_ntop(AF_INET6, address[:_IPV6_KEPT] + bytes(16 - _IPV6_KEPT))}/48"


def _address(text: str) -> bytes | None:
    """Read an address, which some proxies write with a port; an IPv4 address in IPv6's form is that IPv4 address."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = inet_pton(AF_INET6 if ":" in text else AF_INET, text.partition("%")[0])
    except (OSError, ValueError):
        return None
    return address.removeprefix(_MAPPED)
