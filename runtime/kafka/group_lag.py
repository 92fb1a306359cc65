"""Asks a broker for the lag of a group."""

from collections.abc import Iterable, Mapping

from confluent_kafka import ConsumerGroupTopicPartitions, IsolationLevel, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from runtime.kafka.offsets import TopicAndPartition, read_offsets


def group_lag(
    admin: AdminClient,
    group_id: str,
    partitions: Iterable[TopicAndPartition],
    *,
    answer_seconds: float,
    patience_seconds: float,
) -> Mapping[TopicAndPartition, int]:
    """Return the lag per partition, including control records and open transactions, without deleted records.

    Retries transient errors for `patience_seconds`. Raises KafkaException.
    """
    partitions = list(partitions)
    asked = ConsumerGroupTopicPartitions(group_id, [TopicPartition(*each) for each in partitions])
    ends, firsts = (
        read_offsets(
            admin,
            partitions,
            spec,
            level=IsolationLevel.READ_UNCOMMITTED,
            answer_seconds=answer_seconds,
            patience_seconds=patience_seconds,
        )
        for spec in (OffsetSpec.latest(), OffsetSpec.earliest())  # type: ignore[no-untyped-call]
    )
    future = admin.list_consumer_group_offsets([asked], request_timeout=answer_seconds)[group_id]
    found = future.result().topic_partitions or []
    committed = {(each.topic, each.partition): each.offset for each in found}
    return {each: max(ends[each] - max(committed.get(each, 0), firsts[each]), 0) for each in partitions}
