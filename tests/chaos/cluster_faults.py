"""Faults of a cluster of three brokers."""

from collections.abc import Iterator

from confluent_kafka import ElectionType, TopicPartition
from confluent_kafka.admin import PartitionMetadata

from deploy.kafka import KafkaProcess
from tests.chaos.brokers import ThreeBrokers
from tests.chaos.environment import Environment
from tests.chaos.kind import Kind
from tests.support.patience import stretched
from tests.support.waiting import wait_until

ANSWER_SECONDS = 30.0
IN_SYNC_SECONDS = 180.0
"""Three brokers, two workers and the readers may share two cores: a start alone has taken twenty seconds."""


def kill_leader(environment: Environment, victim: str) -> bool:
    """SIGKILL of the broker that leads what the worker is writing; the others take over."""
    was_open = environment.catch(victim)
    node = _nodes(environment)[_leader(environment, environment.shares[victim][0]) - 1]
    node.kill()
    environment.workers[victim].resume()
    environment.lift()
    environment.recover()
    node.start()
    _wait_in_sync(environment)
    return was_open


def roll(environment: Environment, victim: str) -> bool:
    """Each broker is stopped and started, one after the other."""
    was_open = environment.catch(victim)
    for node in _nodes(environment):
        node.stop()
        environment.workers[victim].resume()
        node.start()
        _wait_in_sync(environment)
    return was_open


def move_leaders(environment: Environment, victim: str) -> bool:
    """Partitions get another leader while all brokers are there."""
    if not _displaced(environment):
        node = _nodes(environment)[_leader(environment, environment.shares[victim][0]) - 1]
        node.stop()
        node.start()
        _wait_in_sync(environment)
        environment.settle()
    was_open = environment.catch(victim)
    moved = _displaced(environment)
    environment.deployment.admin.elect_leaders(ElectionType.PREFERRED, None).result(timeout=stretched(ANSWER_SECONDS))
    environment.workers[victim].resume()
    if not moved or _displaced(environment):
        environment.missed["no leader moved"] += 1
    return was_open


def _nodes(environment: Environment) -> list[KafkaProcess]:
    assert isinstance(environment.brokers, ThreeBrokers)
    return environment.brokers.cluster.nodes


def _leader(environment: Environment, partition: int) -> int:
    changelog = environment.deployment.topic(environment.deployment.changelog)
    return int(environment.deployment.admin.list_topics(changelog).topics[changelog].partitions[partition].leader)


def _displaced(environment: Environment) -> list[TopicPartition]:
    """Return the partitions that another one leads than the first of their replicas."""
    return [
        TopicPartition(topic, each.id) for topic, each in _partitions(environment) if each.leader != each.replicas[0]
    ]


def _wait_in_sync(environment: Environment) -> None:
    wait_until(
        lambda: not _behind(environment), lambda: f"full set in sync of {_behind(environment)}", timeout=IN_SYNC_SECONDS
    )


def _behind(environment: Environment) -> list[str]:
    return [
        f"{topic} [{each.id}], only {each.isrs} of {each.replicas}"
        for topic, each in _partitions(environment)
        if len(each.isrs) < len(each.replicas)
    ]


def _partitions(environment: Environment) -> Iterator[tuple[str, PartitionMetadata]]:
    found = environment.deployment.admin.list_topics(timeout=stretched(ANSWER_SECONDS)).topics
    return ((topic, each) for topic, metadata in found.items() for each in metadata.partitions.values())


KINDS = [
    Kind("leading broker of three killed", kill_leader, brokers=3),
    Kind("three brokers rolled", roll, brokers=3),
    Kind("leaders moved", move_leaders, brokers=3),
]
