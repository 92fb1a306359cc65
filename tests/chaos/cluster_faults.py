"""Faults of a cluster of three brokers."""

from collections.abc import Iterator

from confluent_kafka import ElectionType, TopicPartition
from confluent_kafka.admin import PartitionMetadata

from deploy.kafka import KafkaProcess
from tests.chaos.ground import ThreeBrokers
from tests.chaos.kind import Kind
from tests.chaos.scene import Scene
from tests.support.patience import stretched
from tests.support.waiting import wait_until

ANSWER_SECONDS = 30.0
IN_SYNC_SECONDS = 180.0
"""Three brokers, two workers and the readers may share two cores: a start alone has taken twenty seconds."""


def kill_leader(scene: Scene, victim: str) -> bool:
    """SIGKILL of the broker that leads what the worker is writing; the others take over."""
    was_open = scene.catch(victim)
    node = _nodes(scene)[_leader(scene, scene.shares[victim][0]) - 1]
    node.kill()
    scene.workers[victim].resume()
    scene.lift()
    scene.recover()
    node.start()
    _wait_in_sync(scene)
    return was_open


def roll(scene: Scene, victim: str) -> bool:
    """Each broker is stopped and started, one after the other."""
    was_open = scene.catch(victim)
    for node in _nodes(scene):
        node.stop()
        scene.workers[victim].resume()
        node.start()
        _wait_in_sync(scene)
    return was_open


def move_leaders(scene: Scene, victim: str) -> bool:
    """Partitions get another leader while all brokers are there."""
    if not _displaced(scene):
        node = _nodes(scene)[_leader(scene, scene.shares[victim][0]) - 1]
        node.stop()
        node.start()
        _wait_in_sync(scene)
        scene.settle()
    was_open = scene.catch(victim)
    moved = _displaced(scene)
    scene.installation.admin.elect_leaders(ElectionType.PREFERRED, None).result(timeout=stretched(ANSWER_SECONDS))
    scene.workers[victim].resume()
    if not moved or _displaced(scene):
        scene.missed["no leader moved"] += 1
    return was_open


def _nodes(scene: Scene) -> list[KafkaProcess]:
    assert isinstance(scene.ground, ThreeBrokers)
    return scene.ground.cluster.nodes


def _leader(scene: Scene, partition: int) -> int:
    changelog = scene.installation.topic(scene.installation.changelog)
    return int(scene.installation.admin.list_topics(changelog).topics[changelog].partitions[partition].leader)


def _displaced(scene: Scene) -> list[TopicPartition]:
    """Return the partitions that another one leads than the first of their replicas."""
    return [TopicPartition(topic, each.id) for topic, each in _partitions(scene) if each.leader != each.replicas[0]]


def _wait_in_sync(scene: Scene) -> None:
    wait_until(lambda: not _behind(scene), lambda: f"full set in sync of {_behind(scene)}", timeout=IN_SYNC_SECONDS)


def _behind(scene: Scene) -> list[str]:
    return [
        f"{topic} [{each.id}], only {each.isrs} of {each.replicas}"
        for topic, each in _partitions(scene)
        if len(each.isrs) < len(each.replicas)
    ]


def _partitions(scene: Scene) -> Iterator[tuple[str, PartitionMetadata]]:
    found = scene.installation.admin.list_topics(timeout=stretched(ANSWER_SECONDS)).topics
    return ((topic, each) for topic, metadata in found.items() for each in metadata.partitions.values())


KINDS = [
    Kind("leading broker of three killed", kill_leader, brokers=3),
    Kind("three brokers rolled", roll, brokers=3),
    Kind("leaders moved", move_leaders, brokers=3),
]
