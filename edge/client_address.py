"""The client's network: all that is kept of its address."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

_IPV4_BITS, _IPV6_BITS = 24, 48
_MAX_HOPS = 20
_REMEMBERED = 4_096
"""Results kept in memory: parsing two addresses takes as long as the rest of a click."""


@lru_cache(maxsize=_REMEMBERED)
def client_network(peer: str | None, forwarded_for: bytes | None, trusted: tuple[Network, ...]) -> str | None:
    """Return the client's /24 or /48, None if its address is not known.

    X-Forwarded-For is read from its end, as long as each address is that of a trusted proxy: everything before the
    first other one may be forged.
    """
    address = _address(peer or "")
    hops = forwarded_for.decode("latin-1").split(",")[-_MAX_HOPS:] if forwarded_for else []
    while address is not None and hops and _is_among(address, trusted):
        address = _address(hops.pop())
    if address is None:
        return None
    bits = _IPV4_BITS if address.version == 4 else _IPV6_BITS  # noqa: PLR2004 - IPv4
    cut = int(address) >> (address.max_prefixlen - bits) << (address.max_prefixlen - bits)
    return f"{type(address)(cut)}/{bits}"


def _is_among(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address in network for network in networks)


def _address(text: str) -> Address | None:
    """Read an address, which some proxies write with a port; an IPv4 address in IPv6's form is that IPv4 address."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
