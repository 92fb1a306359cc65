"""The files that an operator changes while the edge runs: the keys, and the classes of networks."""

from pathlib import Path

import structlog

from edge.keyring import Keyring, keyring_file
from edge.network_classes import NetworkClasses, load_networks
from edge.network_table import NetworkTable
from edge.watched_file import WatchedFile

_LOG = structlog.get_logger(__name__)


class OperatorFiles:
    """Both files, as they were when they were sound last. Raises BadKeyring; an edge also runs without networks."""

    def __init__(self, keyring: Path, networks: Path | None) -> None:
        self._keyring = keyring_file(keyring)
        self._no_networks: NetworkClasses = NetworkTable()
        self._networks = None if networks is None else WatchedFile(networks, load_networks, self._no_networks)
        self.refresh()

    @property
    def keyring(self) -> Keyring:
        """The keys."""
        return self._keyring.current

    @property
    def networks(self) -> NetworkClasses:
        """The classes of networks."""
        return self._networks.current if self._networks else self._no_networks

    def refresh(self) -> None:
        """Read again what has changed, and log what cannot be used."""
        problem = self._keyring.refresh()
        if problem is not None:
            _LOG.error("keyring.refused", detail=f"{problem}; the keys stay as they were")
        problem = self._networks.refresh() if self._networks else None
        if problem is not None:
            _LOG.error("networks.refused", detail=f"{problem}; the classes of networks stay as they were")
