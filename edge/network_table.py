"""Finds the most specific network that an address is in: one binary search, however many networks there are."""

from bisect import bisect_right
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network
from typing import Generic, TypeVar

Network = IPv4Network | IPv6Network
Value = TypeVar("Value")

IPV4_BYTES = 4


class NetworkTable(Generic[Value]):
    """A value for each of some networks, which may be nested."""

    def __init__(self, networks: Iterable[tuple[Network, Value]] = ()) -> None:
        known = list(networks)
        self._size = len(known)
        self._ranges = {
            version: _ranges((network, value) for network, value in known if network.version == version)
            for version in (4, 6)
        }

    def __len__(self) -> int:
        """Return the number of networks."""
        return self._size

    def find(self, address: bytes) -> Value | None:
        """Return the value of the longest prefix of an address in network byte order, 4 or 16 bytes; None if none."""
        starts, values = self._ranges[4 if len(address) == IPV4_BYTES else 6]
        at = bisect_right(starts, int.from_bytes(address, "big"))
        return values[at - 1] if at else None


def _ranges(networks: Iterable[tuple[Network, Value]]) -> tuple[list[int], list[Value | None]]:
    """Return where each range of addresses begins, in order, and the value in it: that of the innermost network."""
    value_from: dict[int, Value | None] = {}
    around: list[tuple[int, Value | None]] = [(-1, None)]
    for network, value in sorted(networks, key=lambda each: (int(each[0].network_address), each[0].prefixlen)):
        first = int(network.network_address)
        _leave(around, first, value_from)
        value_from[first] = value
        around.append((int(network.broadcast_address), value))
    _leave(around, None, value_from)
    starts = sorted(value_from)
    return starts, [value_from[start] for start in starts]


def _leave(around: list[tuple[int, Value | None]], next_first: int | None, value_from: dict[int, Value | None]) -> None:
    """End the networks that end before `next_first`, or all of them; behind each, the one around it counts again."""
    while len(around) > 1 and (next_first is None or around[-1][0] < next_first):
        last, _ = around.pop()
        value_from[last + 1] = around[-1][1]
