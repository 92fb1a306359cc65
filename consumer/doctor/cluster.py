"""Checks of Kafka: connection, versions, topics, rights, transactions."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from confluent_kafka.admin import ClusterMetadata

from consumer.app.missing_changelog import require_changelog
from consumer.doctor.definitions import read_definitions
from consumer.doctor.finding import Finding, Status, failure, fine, warning
from consumer.doctor.local import check_descriptors
from consumer.doctor.workers import check_workers
from consumer.loop.history import explain
from consumer.maintenance.inspection import contradictions, open_inspection
from runtime.config.settings import Settings
from runtime.errors import Contradictory, ExitCode, Unavailable
from runtime.kafka.admin.acls import Acl, Role, acls_of, missing_acls_error
from runtime.kafka.admin.connection import Connection
from runtime.kafka.admin.permission import Permission
from runtime.kafka.admin.probe import KafkaProbe
from runtime.kafka.admin.topic_admin import KafkaTopicAdmin, inspect_topics
from runtime.kafka.admin.topics import TopicReport, topic_specs, worker_topic_specs
from runtime.ports import RetriableError
from runtime.process.file_descriptors import limit
from runtime.terminal.text import counted
from schemas.topics import TopicNames

READERS_OF_DEFINITIONS = (Role.WORKER, Role.AUTHOR, Role.EDGE)


def check_cluster(settings: Settings, names: TopicNames, role: Role) -> Iterator[Finding]:
    """Check all that the role needs; if no broker answers, that is the only finding."""
    try:
        connection = Connection(settings.kafka)
        metadata = connection.metadata()
        yield fine("connection", f"cluster {metadata.cluster_id} answers, {counted(len(metadata.brokers), 'broker')}")
        lacking = Permission(connection).missing_acls(acls_of(role, settings.kafka, names))
        yield from check_rights(role, lacking)
        if role in READERS_OF_DEFINITIONS and not lacking and names.definitions in metadata.topics:
            yield from read_definitions(settings, names.definitions)
        if role is not Role.WORKER:
            return
        probe = KafkaProbe(connection, settings.kafka)
        yield from check_brokers(probe.broker_config(min(metadata.brokers)))
        inspected = inspect_topics(KafkaTopicAdmin(settings.kafka), names, worker_topic_specs(names))
        report = without({right.name for right in lacking}, inspected)
        yield from check_topics(report, names)
        yield check_descriptors(limit(), report.partitions or 0, len(metadata.brokers))
        yield from check_history(settings, names, report)
        yield from check_workers(settings.workers, report.partitions, os.cpu_count())
        yield from check_replicas(metadata, names)
        probe.try_transactions()
        yield fine("transactions", "can be started")
    except Unavailable as error:
        yield failure("kafka", str(error))


def without(hidden: Collection[str], report: TopicReport) -> TopicReport:
    """Remove from the missing topics those that this user is not allowed to see."""
    return replace(report, missing=tuple(name for name in report.missing if name not in hidden))


def check_brokers(config: Mapping[str, str | None]) -> Iterator[Finding]:
    """Report the broker's age, guessed from its settings: no API of the client library returns its version."""
    protocols = config.get("group.coordinator.rebalance.protocols")
    if not config:
        yield fine("broker", "does not show its settings to this user")
        return
    age = "4.0 or newer" if protocols and "consumer" in protocols else "older than 4.0"
    yield fine("broker", f"Kafka {age}, by its settings")
    if config.get("auto.create.topics.enable") == "true":
        fix = "set auto.create.topics.enable=false on the brokers"
        yield warning("broker", "creates topics on first use, with the wrong settings", fix)


def check_topics(report: TopicReport, names: TopicNames) -> Iterator[Finding]:
    """Report each missing and each misconfigured topic."""
    missing = [name for name in report.missing if name != names.changelog]
    if missing:
        yield failure("topics", f"missing: {', '.join(missing)}; run link-actions topics create")
    for difference in report.differences:
        status = Status(difference.severity)
        yield Finding("topics", status, f"{difference.topic} {difference.problem}", difference.advice)
    if not report.failures:
        number = len(worker_topic_specs(names))
        yield fine("topics", f"{number} topics are correct, with {counted(report.partitions or 0, 'partition')}")


def check_history(settings: Settings, names: TopicNames, report: TopicReport) -> Iterator[Finding]:
    """Report whether committed offsets, dedupe state and clicks agree."""
    try:
        require_changelog(settings, names, report)
        if names.changelog in report.missing:
            yield failure("topics", f"missing: {names.changelog}; run link-actions topics create")
        elif report.partitions is not None and not report.failures:
            with open_inspection(settings, names) as inspection:
                found = contradictions(inspection.look(report.partitions))
            if found:
                raise Contradictory(explain(found, settings.group_id))
            yield fine(
                "history",
                f"committed offsets, dedupe state and clicks of {counted(report.partitions, 'partition')} agree",
            )
    except (Contradictory, RetriableError) as error:
        code = error.exit_code if isinstance(error, Contradictory) else ExitCode.UNAVAILABLE
        yield Finding("history", Status.FAIL, str(error), exit_code=code)


def check_replicas(metadata: ClusterMetadata, names: TopicNames) -> Iterator[Finding]:
    """Report topics that would be lost with one broker."""
    single = [
        spec.name
        for spec in topic_specs(names)
        if spec.name in metadata.topics
        and any(len(partition.replicas) == 1 for partition in metadata.topics[spec.name].partitions.values())
    ]
    if single:
        fix = "enough for a trial; in production run link-actions topics create --replication-factor 3 first"
        yield warning(
            "replicas",
            f"{counted(len(single), 'topic')} with one replica: if its broker is lost, so are they",
            fix,
        )


def check_rights(role: Role, lacking: Iterable[Acl]) -> Iterator[Finding]:
    """Report each missing right with the arguments of kafka-acls.sh that grant it."""
    lacks = list(lacking)
    for right in lacks:
        yield failure("rights", str(missing_acls_error([right])))
    if not lacks:
        yield fine("rights", f"this user has all rights of the {role}, as far as the broker shows them")
