"""Reads and creates topics."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from confluent_kafka import IsolationLevel, KafkaError, KafkaException
from confluent_kafka.admin import ClusterMetadata, ConfigResource, NewPartitions, NewTopic, OffsetSpec, TopicMetadata

from runtime.config.kafka_settings import KafkaSettings
from runtime.errors import Unavailable
from runtime.kafka.admin.acls import Acl, Operation, missing_acls_error
from runtime.kafka.admin.connection import ANSWER_SECONDS, DENIED, Connection
from runtime.kafka.admin.topics import TopicReport, TopicSpec, TopicState, compare_topics, topic_specs
from runtime.kafka.errors import Resource
from runtime.kafka.offsets import PAUSE_SECONDS, read_offsets
from schemas.topics import TopicNames

CREATED_SECONDS = 10.0
"""Time that a new topic may take until it can be read."""

REPLICAS_FOR_MIN_INSYNC_2 = 3


class TopicAdmin(Protocol):
    """Reads and creates topics. Methods raise Unavailable if the broker does not answer or refuses."""

    def read_topics(self, names: Iterable[str]) -> Mapping[str, TopicState]:
        """Return the state of those of the topics that exist."""

    def create_topics(self, specs: Iterable[TopicSpec], *, partitions: int, replication_factor: int) -> None:
        """Create topics and wait until each can be read. A topic that exists by now is no error."""


def inspect_topics(admin: TopicAdmin, names: TopicNames, specs: Sequence[TopicSpec] | None = None) -> TopicReport:
    """Compare topics with their specifications, all topics unless `specs` are given."""
    specs = topic_specs(names) if specs is None else specs
    return compare_topics(names, admin.read_topics([spec.name for spec in specs]), specs)


def require_topics(admin: TopicAdmin, names: Iterable[str]) -> Mapping[str, TopicState]:
    """Return the state of the topics. Raises Unavailable if one is missing."""
    wanted = list(names)
    states = admin.read_topics(wanted)
    missing = [name for name in wanted if name not in states]
    if missing:
        raise Unavailable(f"Missing: {', '.join(missing)}; run link-actions topics create")
    return states


def create_topics(
    admin: TopicAdmin, names: TopicNames, *, partitions: int, replication_factor: int
) -> tuple[tuple[str, ...], TopicReport]:
    """Create missing topics; return their names, and the comparison of all topics.

    If the clicks topic exists, its partition count overrides `partitions`.
    """
    before = inspect_topics(admin, names)
    missing = [spec for spec in topic_specs(names) if spec.name in before.missing]
    if not missing:
        return (), before
    admin.create_topics(missing, partitions=before.partitions or partitions, replication_factor=replication_factor)
    return before.missing, inspect_topics(admin, names)


class KafkaTopicAdmin:
    """Reads and creates topics on a real broker."""

    def __init__(self, settings: KafkaSettings, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._connection = Connection(settings, answer_seconds=answer_seconds)

    def read_topics(self, names: Iterable[str]) -> Mapping[str, TopicState]:
        """Return the state of those of the topics that exist."""
        wanted = set(names)
        topics = {name: topic for name, topic in self._connection.metadata().topics.items() if name in wanted}
        configs = self._read_configs(list(topics))
        return {name: _state(topic, configs.get(name)) for name, topic in topics.items()}

    def create_topics(self, specs: Iterable[TopicSpec], *, partitions: int, replication_factor: int) -> None:
        """Create topics and wait until each can be read. A topic that exists by now is no error."""
        topics = [_new_topic(spec, partitions, replication_factor) for spec in specs]
        connection = self._connection
        with connection.translated():
            futures = connection.client.create_topics(topics, request_timeout=connection.answer_seconds)
        for name, future in futures.items():
            try:
                future.result()
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise _not_created(name, error.args[0]) from error
        self._wait_until_readable({topic.topic: topic.num_partitions for topic in topics})

    def grow_topics(self, partitions: Mapping[str, int]) -> None:
        """Grow topics to these partition counts and wait until they are readable; skip those that have as many."""
        states = self.read_topics(partitions)
        more = {name: count for name, count in partitions.items() if states[name].partitions < count}
        connection = self._connection
        with connection.translated():
            futures = (
                connection.client.create_partitions(
                    [NewPartitions(name, count) for name, count in more.items()],
                    request_timeout=connection.answer_seconds,
                )
                if more
                else {}
            )
            for future in futures.values():
                future.result()
        self._wait_until_grown(more)
        self._wait_until_readable(more)

    def _wait_until_grown(self, partitions: Mapping[str, int]) -> None:
        connection = self._connection
        deadline = time.monotonic() + CREATED_SECONDS
        while time.monotonic() < deadline:
            topics = connection.metadata().topics
            if all(len(topics[name].partitions) >= count for name, count in partitions.items()):
                return
            time.sleep(PAUSE_SECONDS)

    def _read_configs(self, names: list[str]) -> dict[str, Mapping[str, Any]]:
        """Return the settings of the topics that this user may see."""
        if not names:
            return {}
        connection = self._connection
        resources = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in names]
        with connection.translated():
            futures = connection.client.describe_configs(resources, request_timeout=connection.answer_seconds)
        configs: dict[str, Mapping[str, Any]] = {}
        for resource, future in futures.items():
            with connection.translated(may_be_denied=True):
                configs[resource.name] = future.result()
        return configs

    def _wait_until_readable(self, partitions: Mapping[str, int]) -> None:
        """Wait for leaders, and then for the logs, which a broker creates after the metadata lists the leaders."""
        connection = self._connection
        deadline = time.monotonic() + CREATED_SECONDS
        while time.monotonic() < deadline and not _have_leaders(connection.metadata(), partitions):
            time.sleep(PAUSE_SECONDS)
        targets = [(topic, partition) for topic, count in partitions.items() for partition in range(count)]
        with connection.translated():
            read_offsets(
                connection.client,
                targets,
                OffsetSpec.latest(),  # type: ignore[no-untyped-call]
                level=IsolationLevel.READ_UNCOMMITTED,
                answer_seconds=CREATED_SECONDS,
            )


def _new_topic(spec: TopicSpec, partitions: int, replication_factor: int) -> NewTopic:
    config = {"cleanup.policy": spec.cleanup.value, **spec.config}
    if replication_factor >= REPLICAS_FOR_MIN_INSYNC_2:
        config["min.insync.replicas"] = "2"
    return NewTopic(spec.name, spec.partitions or partitions, replication_factor, config=config)


def _state(topic: TopicMetadata, config: Mapping[str, Any] | None) -> TopicState:
    if config is None:
        return TopicState(len(topic.partitions), leaderless=_leaderless(topic), replicas=_replicas(topic))
    return TopicState(
        partitions=len(topic.partitions),
        cleanup=frozenset(part.strip() for part in config["cleanup.policy"].value.split(",")),
        max_message_bytes=int(config["max.message.bytes"].value),
        leaderless=_leaderless(topic),
        replicas=_replicas(topic),
    )


def _not_created(name: str, error: KafkaError) -> Unavailable:
    if error.name() in DENIED:
        return missing_acls_error([Acl(Operation.CREATE, Resource.TOPIC, name)])
    return Unavailable(f"{name} cannot be created ({error.str()}); fix what it names and try again")


def _have_leaders(metadata: ClusterMetadata, partitions: Mapping[str, int]) -> bool:
    topics = [metadata.topics.get(name) for name in partitions]
    return all(topic is not None and topic.partitions and not _leaderless(topic) for topic in topics)


def _replicas(topic: TopicMetadata) -> int | None:
    return min((len(partition.replicas) for partition in topic.partitions.values()), default=None)


def _leaderless(topic: TopicMetadata) -> int:
    return sum(partition.leader < 0 for partition in topic.partitions.values())
