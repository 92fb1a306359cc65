"""Three Kafka nodes as child processes, which tolerate the loss of one."""

from collections.abc import Mapping
from pathlib import Path

from deploy.kafka.process import KafkaProcess, java_command, loopback_addresses
from deploy.kafka.profile import KAFKA_VERSION, TEST, Profile, among_others, node_settings

NODES = 3


def start_cluster(directory: Path, *, environ: Mapping[str, str], profile: Profile = TEST) -> "KafkaCluster":
    """Start three new nodes with data and logs below the directory. Raises KafkaMissing."""
    cluster = KafkaCluster(directory, java_command(environ, profile), environ, profile=profile)
    try:
        for node in cluster.nodes:
            node.launch()
        for node in cluster.nodes:
            node.wait_until_answers()
    except BaseException:
        cluster.stop()
        raise
    return cluster


class KafkaCluster:
    """The nodes, each broker and controller; stop, kill and start them one by one."""

    def __init__(self, directory: Path, java: list[str], environ: Mapping[str, str], *, profile: Profile) -> None:
        self.log_path = directory / "node-1" / "kafka.log"
        addresses = loopback_addresses(3 * NODES)
        clients, brokers, controllers = addresses[:NODES], addresses[NODES : 2 * NODES], addresses[2 * NODES :]
        self.nodes = []
        for number, (client, broker, controller) in enumerate(zip(clients, brokers, controllers, strict=True), start=1):
            alone = node_settings(profile, clients=client, advertised=client, brokers=broker, controllers=controller)
            settings = among_others(alone, number, controllers)
            self.nodes.append(KafkaProcess(directory / f"node-{number}", java, environ, settings=settings))

    @property
    def bootstrap_servers(self) -> str:
        """The addresses of all nodes, because any may be down."""
        return ",".join(node.bootstrap_servers for node in self.nodes)

    def describe(self) -> str:
        """Return one line with their addresses."""
        return f"Kafka {KAFKA_VERSION}, three nodes at {self.bootstrap_servers}"

    def stop(self) -> None:
        """Kill all nodes: without a quorum the last one could not stop cleanly."""
        for node in self.nodes:
            node.kill()
