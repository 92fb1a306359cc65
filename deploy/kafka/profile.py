"""Settings of a Kafka node in a container or a child process, alone or in a cluster."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

KAFKA_VERSION = "4.3.1"
NODE_ID = "1"
CLUSTER_ID = "bGluay1hY3Rpb25zLWRldg"  # 16 bytes in URL-safe base64; separate clusters may share it


@dataclass(frozen=True)
class Profile:
    """Tuning of a node: flags of its JVM, and settings that override the common ones."""

    java_flags: tuple[str, ...]
    settings: Mapping[str, str] = field(default_factory=dict)


TEST = Profile(
    java_flags=("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
    settings={
        # After a kill the node can only register once its previous registration has expired.
        "broker.heartbeat.interval.ms": "500",
        "broker.session.timeout.ms": "3000",
        # Members and transactions of a crashed client expire within a second or two, not a minute.
        "group.min.session.timeout.ms": "1000",
        "group.consumer.min.session.timeout.ms": "1000",
        "group.consumer.min.heartbeat.interval.ms": "100",
        "group.consumer.heartbeat.interval.ms": "500",
        "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
        # Tests choose the timestamps of records; retention would delete old ones in the middle of a test.
        "log.retention.ms": "-1",
        "log.cleaner.backoff.ms": "1000",
        "log.cleaner.dedupe.buffer.size": "8388608",
    },
)

PATIENT = replace(TEST, settings={**TEST.settings, "broker.session.timeout.ms": "60000"})
"""For a single node that is paused: if its session expired, it would fence itself when resumed, and drop pending
transaction markers (docs/operations.md). After a kill it restarts only after that timeout."""

BENCHMARK = Profile(java_flags=("-Xms1g", "-Xmx1g", "-XX:+UseG1GC"))

_COMMON = {
    "process.roles": "broker,controller",
    "node.id": NODE_ID,
    "listener.security.protocol.map": "CLIENTS:PLAINTEXT,BROKERS:PLAINTEXT,CONTROLLERS:PLAINTEXT",
    "inter.broker.listener.name": "BROKERS",
    "controller.listener.names": "CONTROLLERS",
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    "offsets.topic.num.partitions": "4",
    "offsets.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
}


def node_settings(profile: Profile, *, clients: str, advertised: str, brokers: str, controllers: str) -> dict[str, str]:
    """Return the settings of a node that listens on these `host:port` and advertises another to clients.

    The node connects to itself by the brokers' address (transaction markers go over the network), so that address must
    be reachable from the node, and the advertised one from the clients.
    """
    return {
        **_COMMON,
        "listeners": f"CLIENTS://{clients},BROKERS://{brokers},CONTROLLERS://{controllers}",
        "advertised.listeners": f"CLIENTS://{advertised},BROKERS://{brokers}",
        # A static voter: the image formats its storage without `--standalone`, which a dynamic quorum needs.
        "controller.quorum.voters": f"{NODE_ID}@{controllers}",
        **profile.settings,
    }


def behind_proxy(settings: Mapping[str, str], *, listens: str, advertised: str) -> dict[str, str]:
    """Add a second client listener, which advertises the address of a proxy in front of it."""
    protocols = settings["listener.security.protocol.map"]
    return {
        **settings,
        "listener.security.protocol.map": f"{protocols},PROXIED:PLAINTEXT",
        "listeners": f"{settings['listeners']},PROXIED://{listens}",
        "advertised.listeners": f"{settings['advertised.listeners']},PROXIED://{advertised}",
    }


def among_others(settings: Mapping[str, str], node: int, controllers: Sequence[str]) -> dict[str, str]:
    """Make it node `node` (from 1) of a cluster with these controllers: three replicas of each record.

    A write needs two of them, so that any one node may be down.
    """
    return {
        **settings,
        "node.id": str(node),
        "controller.quorum.voters": ",".join(f"{voter}@{where}" for voter, where in enumerate(controllers, start=1)),
        "default.replication.factor": "3",
        "min.insync.replicas": "2",
        "offsets.topic.replication.factor": "3",
        "share.coordinator.state.topic.min.isr": "2",
        "share.coordinator.state.topic.replication.factor": "3",
        "transaction.state.log.min.isr": "2",
        "transaction.state.log.replication.factor": "3",
    }
