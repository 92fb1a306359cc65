"""What is looked at in Kafka: connection, versions, topics, rights, transactions."""

import os
from collections.abc import Iterator, Mapping

from confluent_kafka.admin import ClusterMetadata

from consumer.doctor.finding import Finding, Status, failure, fine, warning
from consumer.doctor.workers import look_at_workers
from consumer.errors import Unavailable
from consumer.kafka.connection import Connection
from consumer.kafka.probe import KafkaProbe, Operations
from consumer.kafka.topic_admin import KafkaTopicAdmin, inspect_topics
from consumer.kafka.topics import TopicNames, TopicReport, topic_specs
from consumer.settings import Settings


def look_at_cluster(settings: Settings, names: TopicNames) -> Iterator[Finding]:
    """Look at everything; where no broker answers, that is the only finding."""
    try:
        connection = Connection(settings)
        metadata = connection.metadata()
        yield fine("connection", f"cluster {metadata.cluster_id} answers, {len(metadata.brokers)} brokers")
        probe = KafkaProbe(connection, settings)
        yield from look_at_brokers(probe.broker_config(min(metadata.brokers)))
        report = inspect_topics(KafkaTopicAdmin(settings), names)
        yield from look_at_topics(report, names)
        yield from look_at_workers(settings.workers, report.partitions, os.cpu_count())
        yield from look_at_replicas(metadata, names)
        existing = [spec.name for spec in topic_specs(names) if spec.name not in report.missing]
        yield from look_at_rights(probe.topic_operations(existing), probe.group_operations(names.group_id), names)
        probe.try_transactions()
        yield fine("transactions", "can be begun")
    except Unavailable as error:
        yield failure("kafka", str(error))


def look_at_brokers(config: Mapping[str, str | None]) -> Iterator[Finding]:
    """Tell how new the broker is, as far as it shows: no question that the library can ask is answered by a version."""
    protocols = config.get("group.coordinator.rebalance.protocols")
    if not config:
        yield fine("broker", "does not show its settings to this user")
        return
    age = "4.0 or newer" if protocols and "consumer" in protocols else "older than 4.0"
    yield fine("broker", f"Kafka {age}, by its settings")
    if config.get("auto.create.topics.enable") == "true":
        mend = "set auto.create.topics.enable=false on the brokers"
        yield warning("broker", "makes topics that somebody merely names, with the wrong settings", mend)


def look_at_topics(report: TopicReport, names: TopicNames) -> Iterator[Finding]:
    """Tell what is missing and what differs, a finding each."""
    if report.missing:
        yield failure("topics", f"missing: {', '.join(report.missing)}; run link-actions topics create")
    for difference in report.differences:
        status = Status(difference.severity)
        yield Finding("topics", status, f"{difference.topic} {difference.problem}", difference.mend)
    if not report.failures:
        number = len(topic_specs(names))
        yield fine("topics", f"{number} are as they must be, with {report.partitions} partitions")


def look_at_replicas(metadata: ClusterMetadata, names: TopicNames) -> Iterator[Finding]:
    """Tell whether records outlive a broker."""
    single = [
        spec.name
        for spec in topic_specs(names)
        if spec.name in metadata.topics
        and any(len(partition.replicas) == 1 for partition in metadata.topics[spec.name].partitions.values())
    ]
    if single:
        mend = "good enough for trying out; else make them anew with --replication-factor 3"
        yield warning(
            "replicas", f"{len(single)} topics have one replica: with its broker their records are lost", mend
        )


def look_at_rights(topics: Mapping[str, Operations], group: Operations, names: TopicNames) -> Iterator[Finding]:
    """Tell what this user may not do: a failure if the worker needs it, a warning if another command does."""
    lacking = [*_lacking(topics, _worker_needs(names)), *_lacking({names.group_id: group}, {names.group_id: {"READ"}})]
    for name, operation in lacking:
        yield failure("rights", f"this user may not {operation} {name}; grant it")
    for name, operation in _lacking(topics, _author_needs(names)):
        seen = f"this user may not {operation} {name}"
        yield warning("rights", seen, "grant it, unless this user only runs the worker")
    if None in (*topics.values(), group):
        yield fine("rights", "the broker does not tell all of them")
    elif not lacking:
        yield fine("rights", f"this user may do what the worker needs with {len(topics)} topics and the group")


def _lacking(have: Mapping[str, Operations], needs: Mapping[str, set[str]]) -> Iterator[tuple[str, str]]:
    for name, operations in have.items():
        for operation in sorted(needs.get(name, set()) - operations) if operations is not None else ():
            yield name, operation.capitalize()


def _worker_needs(names: TopicNames) -> Mapping[str, set[str]]:
    return {
        names.clicks: {"READ", "WRITE"},
        names.definitions: {"READ"},
        names.hits: {"WRITE"},
        names.dead_letters: {"WRITE"},
        names.changelog: {"READ", "WRITE"},
        **{topic: {"WRITE"} for topic in names.updates.values()},
    }


def _author_needs(names: TopicNames) -> Mapping[str, set[str]]:
    updates = {topic: {"READ"} for topic in names.updates.values()}
    return {names.definitions: {"WRITE"}, names.dead_letters: {"READ"}, **updates}
