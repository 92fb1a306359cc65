"""The settings of a Kafka node, the same in a container and as a child process, alone or one of several."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

KAFKA_VERSION = "4.3.1"
NODE_ID = "1"
CLUSTER_ID = "bGluay1hY3Rpb25zLWRldg"  # 16 bytes in URL-safe base64; clusters never meet, so one id serves all


@dataclass(frozen=True)
class Profile:
    """What a node is tuned for: flags of its Java machine, and settings that go on top of the common ones."""

    java_flags: tuple[str, ...]
    settings: Mapping[str, str] = field(default_factory=dict)


TEST = Profile(
    java_flags=("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
    settings={
        # After a kill the node may only come back once its own former registration has run out.
        "broker.heartbeat.interval.ms": "500",
        "broker.session.timeout.ms": "3000",
        # A member or transaction left behind by a crash is noticed within a second or two, not a minute.
        "group.min.session.timeout.ms": "1000",
        "group.consumer.min.session.timeout.ms": "1000",
        "group.consumer.min.heartbeat.interval.ms": "100",
        "group.consumer.heartbeat.interval.ms": "500",
        "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
        # Tests make up the times of records, and what lies long ago would be taken away in the middle of a test.
        "log.retention.ms": "-1",
        "log.cleaner.backoff.ms": "1000",
        "log.cleaner.dedupe.buffer.size": "8388608",
    },
)

PATIENT = replace(TEST, settings={**TEST.settings, "broker.session.timeout.ms": "60000"})
"""For a single node that is frozen: with its session run out it would fence itself as it goes on, and drop the markers
that it owes (docs/operations.md). After a kill it comes back as late."""

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
    """Give the settings of a node that listens at these `host:port` and tells its clients the advertised one.

    The node reaches itself (transaction markers go over the network) by the brokers' address, which therefore
    must be right from where the node runs; the advertised one must be right from where the clients run.
    """
    return {
        **_COMMON,
        "listeners": f"CLIENTS://{clients},BROKERS://{brokers},CONTROLLERS://{controllers}",
        "advertised.listeners": f"CLIENTS://{advertised},BROKERS://{brokers}",
        # A fixed voter, since the image formats its storage without `--standalone`, which another quorum would need.
        "controller.quorum.voters": f"{NODE_ID}@{controllers}",
        **profile.settings,
    }


def behind_proxy(settings: Mapping[str, str], *, listens: str, advertised: str) -> dict[str, str]:
    """Add a second door for clients, whose address the node tells as that of a proxy in front of it."""
    protocols = settings["listener.security.protocol.map"]
    return {
        **settings,
        "listener.security.protocol.map": f"{protocols},PROXIED:PLAINTEXT",
        "listeners": f"{settings['listeners']},PROXIED://{listens}",
        "advertised.listeners": f"{settings['advertised.listeners']},PROXIED://{advertised}",
    }


def among_others(settings: Mapping[str, str], node: int, controllers: Sequence[str]) -> dict[str, str]:
    """Make it node `node`, from 1, of as many as there are controllers' addresses: each record on three of them.

    A write needs two, so that any one of the nodes may be missing.
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
