"""Asking for the offsets of many partitions at once."""

import time
from collections.abc import Mapping, Sequence

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

Place = tuple[str, int]
"""Topic and partition."""

PASSING = frozenset(
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
"""Names of errors that pass: a topic was made a moment ago, its leader has just changed, or is not known again yet."""

PAUSE_SECONDS = 0.05


def read_offsets(
    admin: AdminClient,
    places: Sequence[Place],
    spec: OffsetSpec,
    *,
    level: IsolationLevel,
    answer_seconds: float,
    patience_seconds: float | None = None,
) -> Mapping[Place, int]:
    """Return an offset of each partition; under read_committed the latest is the first of an open transaction.

    Asks again where an error may pass, for `patience_seconds` or else as long as an answer may take. Raises
    KafkaException.
    """
    deadline = time.monotonic() + (answer_seconds if patience_seconds is None else patience_seconds)
    while True:
        try:
            return _ask(admin, places, spec, level=level, answer_seconds=answer_seconds)
        except KafkaException as error:
            kafka_error: KafkaError = error.args[0]
            if kafka_error.name() not in PASSING:
                raise
            # Else the library asks the old leader, or in the old epoch, for minutes.
            admin.list_topics(timeout=answer_seconds)
            if time.monotonic() > deadline:
                raise
        time.sleep(PAUSE_SECONDS)


def _ask(
    admin: AdminClient, places: Sequence[Place], spec: OffsetSpec, *, level: IsolationLevel, answer_seconds: float
) -> Mapping[Place, int]:
    """Ask once.

    Where the leader of a partition does not answer in time the library reports no error, but an offset of -1001. Taken
    for the end of a changelog, it would pass a state for complete of which nothing was read.
    """
    wanted = {TopicPartition(*place): spec for place in places}
    futures = admin.list_offsets(wanted, isolation_level=level, request_timeout=answer_seconds)
    offsets = {(where.topic, where.partition): future.result().offset for where, future in futures.items()}
    unanswered = [f"{topic}/{partition}" for (topic, partition), offset in offsets.items() if offset < 0]
    if unanswered:
        reason = f"the leader of {', '.join(unanswered)} does not tell its offsets"
        raise KafkaException(KafkaError(KafkaError.LEADER_NOT_AVAILABLE, reason))
    return offsets
