"""Asks for the offsets of many partitions at once."""

import time
from collections.abc import Mapping, Sequence

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

TopicAndPartition = tuple[str, int]

TRANSIENT = frozenset(
    {
        "FENCED_LEADER_EPOCH",
        "LEADER_NOT_AVAILABLE",
        "NOT_LEADER_FOR_PARTITION",
        "OFFSET_NOT_AVAILABLE",
        "UNKNOWN_LEADER_EPOCH",
        "UNKNOWN_TOPIC_OR_PART",
        "_NOENT",
    }
)
"""Names of errors that soon pass: the topic is new, or its leader has just changed or is not known yet."""

PAUSE_SECONDS = 0.05


def read_offsets(
    admin: AdminClient,
    partitions: Sequence[TopicAndPartition],
    spec: OffsetSpec,
    *,
    level: IsolationLevel,
    answer_seconds: float,
    patience_seconds: float | None = None,
) -> Mapping[TopicAndPartition, int]:
    """Return an offset per partition; under read_committed the latest is the start of the first open transaction.

    Retries transient errors for `patience_seconds`, by default `answer_seconds`. Raises KafkaException.
    """
    deadline = time.monotonic() + (answer_seconds if patience_seconds is None else patience_seconds)
    while True:
        try:
            return _ask(admin, partitions, spec, level=level, answer_seconds=answer_seconds)
        except KafkaException as error:
            kafka_error: KafkaError = error.args[0]
            if kafka_error.name() not in TRANSIENT:
                raise
            # Without this the library asks the old leader, or in the old epoch, for minutes.
            admin.list_topics(timeout=answer_seconds)
            if time.monotonic() > deadline:
                raise
        time.sleep(PAUSE_SECONDS)


def _ask(
    admin: AdminClient,
    partitions: Sequence[TopicAndPartition],
    spec: OffsetSpec,
    *,
    level: IsolationLevel,
    answer_seconds: float,
) -> Mapping[TopicAndPartition, int]:
    """Ask once.

    If the leader of a partition does not answer in time, the library reports no error but the offset -1001. Taken as
    the end of a changelog, it would make an empty state look completely restored.
    """
    request = {TopicPartition(*each): spec for each in partitions}
    futures = admin.list_offsets(request, isolation_level=level, request_timeout=answer_seconds)
    offsets = {(each.topic, each.partition): future.result().offset for each, future in futures.items()}
    unanswered = [f"{topic}/{partition}" for (topic, partition), offset in offsets.items() if offset < 0]
    if unanswered:
        reason = f"the leader of {', '.join(unanswered)} does not return its offsets"
        raise KafkaException(KafkaError(KafkaError.LEADER_NOT_AVAILABLE, reason))
    return offsets
