"""Refuses to recreate a changelog that existed before: that would lose the dedupe state."""

from contextlib import closing

from consumer.loop.history_check import TOPICS_FILE, read_known_topics
from runtime.config.settings import Settings
from runtime.errors import Contradictory
from runtime.kafka.admin.connection import Connection
from runtime.kafka.admin.consumer_group import ConsumerGroup
from runtime.kafka.admin.topics import TopicReport
from runtime.kafka.clients import KafkaClients
from runtime.state.factory import state_folder
from schemas.topics import TopicNames


def require_changelog(settings: Settings, names: TopicNames, report: TopicReport) -> None:
    """Raise Contradictory if the changelog is missing and existed before; may raise Unavailable or RetriableError."""
    if names.changelog not in report.missing or report.partitions is None:
        return
    group = ConsumerGroup(Connection(settings.kafka), settings.group_id)
    offsets = group.committed(names.clicks, range(report.partitions))
    begun = {partition: offset for partition, offset in offsets.items() if offset}
    if begun:
        raise missing_changelog(names, f"group {settings.group_id} has committed offsets in {len(begun)} partitions")
    known = read_known_topics(state_folder(settings) / TOPICS_FILE, settings.group_id)
    with closing(KafkaClients(settings.kafka).open_reader(names.clicks)) as clicks:
        if known.had_state("", clicks.topic_id()):
            raise missing_changelog(names, "this worker's disk holds a copy of it")


def missing_changelog(names: TopicNames, evidence: str) -> Contradictory:
    """Return the error that says what is lost and what to run."""
    return Contradictory(
        f"{names.changelog} is missing, and {evidence}: the dedupe state is lost. Stop all workers of the group and"
        " run link-actions state reconcile --accept-lost-memory, which creates the topic and continues from the"
        " committed offsets with an empty dedupe state, so actions that already happened are repeated at the next click"
    )
