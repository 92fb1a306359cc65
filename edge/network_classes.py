"""The operator's classes of networks: a file with a network and a class in each line.

    # Exchange Online Protection
    40.92.0.0/15         mail_security
    2a01:111:f400::/48   mail_security

The most specific network counts. Empty lines and what follows a `#` are ignored.
"""

from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path

from edge.network_table import Network, NetworkTable
from edge.watched_file import BadFile

MAX_MISTAKES = 5
"""Mistakes that a message tells."""


class NetworkClass(StrEnum):
    """Who uses a network, as `network_class` of LinkClicked has it."""

    ISP = "isp"
    HOSTING = "hosting"
    MAIL_SECURITY = "mail_security"
    PROXY = "proxy"


NetworkClasses = NetworkTable[NetworkClass]
_CLASSES = {str(each): each for each in NetworkClass}


def load_networks(path: Path) -> NetworkClasses:
    """Read the file. Raises BadFile, which names the lines that are wrong."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadFile(f"{path} cannot be read ({type(error).__name__})") from error
    return parse_networks(text, str(path))


def parse_networks(text: str, name: str) -> NetworkClasses:
    """Return the networks in a text; `name` is what messages call it. Raises BadFile."""
    seen: dict[Network, tuple[int, NetworkClass]] = {}
    mistakes = _Mistakes(name)
    for number, line in enumerate(text.split("\n"), 1):
        words = line.partition("#")[0].split()
        try:
            if words:
                _add(words, number, seen)
        except ValueError as error:
            mistakes.add(number, str(error))
    mistakes.raise_if_any()
    return NetworkTable((network, of_class) for network, (_, of_class) in seen.items())


def _add(words: list[str], number: int, seen: dict[Network, tuple[int, NetworkClass]]) -> None:
    """Add the network of one line. Raises ValueError."""
    if len(words) != 2:  # noqa: PLR2004 - a network and a class
        raise ValueError("write a network and a class, such as 192.0.2.0/24 hosting")
    network = ip_network(words[0])
    if words[1] not in _CLASSES:
        raise ValueError(f"{words[1]!r} is no class; the classes are {', '.join(_CLASSES)}")
    other, of_class = seen.setdefault(network, (number, _CLASSES[words[1]]))
    if of_class != words[1]:
        raise ValueError(f"{network} has another class in line {other}")


class _Mistakes:
    """Collects the mistakes of a file, the first few with their text."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._told: list[str] = []
        self._more = 0

    def add(self, line: int, text: str) -> None:
        """Add one."""
        if len(self._told) < MAX_MISTAKES:
            self._told.append(f"line {line}: {text}")
        else:
            self._more += 1

    def raise_if_any(self) -> None:
        """Raise BadFile if there are any."""
        if self._told:
            more = f"; {self._more} more lines are wrong" if self._more else ""
            raise BadFile(f"{self._name}: {'; '.join(self._told)}{more}")
