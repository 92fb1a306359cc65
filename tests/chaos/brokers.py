"""The brokers of a round: one behind a proxy, or three; started once for all rounds that need them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from deploy.kafka import KafkaCluster, KafkaProcess, start_cluster, start_process
from deploy.kafka.process import loopback_addresses
from tests.chaos.connections import Connections
from tests.support.deployment import Deployment


class Brokers(Protocol):
    """Brokers to deploy on; `data` is where one of them has its topics."""

    @property
    def data(self) -> Path:
        """Folder of a broker's topics."""

    @property
    def logs(self) -> list[Path]:
        """The log files of the brokers."""

    def describe(self) -> str:
        """Say what it is."""

    def deploy(self, prefix: str, folder: Path) -> Deployment:
        """Make a deployment without topics."""

    def close(self) -> None:
        """End it."""


class OneBroker:
    """A single broker; the workers reach it through a proxy, everybody else directly."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        (proxy,) = loopback_addresses(1)
        self.broker: KafkaProcess = start_process(folder / "one-broker", environ=environ, proxy=proxy)
        self.connections = Connections(proxy, str(self.broker.proxied))
        self.data = self.broker.data
        self.logs = [self.broker.log_path]

    def describe(self) -> str:
        """Say what it is."""
        return "one broker"

    def deploy(self, prefix: str, folder: Path) -> Deployment:
        """Let the workers connect to the proxy."""
        deployment = Deployment(self.broker, prefix, folder)
        deployment.worker_servers = self.connections.servers
        return deployment

    def close(self) -> None:
        """End broker and proxy."""
        self.connections.close()
        self.broker.kill()


class ThreeBrokers:
    """Three brokers; each record on all of them, each write needs two."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self.cluster: KafkaCluster = start_cluster(folder / "three-brokers", environ=environ)
        self.data = self.cluster.nodes[0].data
        self.logs = [node.log_path for node in self.cluster.nodes]

    def describe(self) -> str:
        """Say what it is."""
        return "three brokers"

    def deploy(self, prefix: str, folder: Path) -> Deployment:
        """Replicate everything three times."""
        return Deployment(self.cluster, prefix, folder, replication=3)

    def close(self) -> None:
        """End them."""
        self.cluster.stop()
