"""How many records a group has not committed, asked of the broker."""

from collections.abc import Iterable, Mapping

from confluent_kafka import ConsumerGroupTopicPartitions, IsolationLevel, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from consumer.kafka.offsets import Place, read_offsets


def group_lag(
    admin: AdminClient, group_id: str, places: Iterable[Place], *, answer_seconds: float, patience_seconds: float
) -> Mapping[Place, int]:
    """Return it for each partition, control records and open transactions included.

    Records that retention has deleted are left out. Asks again for `patience_seconds` where an error may pass. Raises
    KafkaException.
    """
    places = list(places)
    asked = ConsumerGroupTopicPartitions(group_id, [TopicPartition(*place) for place in places])
    ends, firsts = (
        read_offsets(
            admin,
            places,
            spec,
            level=IsolationLevel.READ_UNCOMMITTED,
            answer_seconds=answer_seconds,
            patience_seconds=patience_seconds,
        )
        for spec in (OffsetSpec.latest(), OffsetSpec.earliest())  # type: ignore[no-untyped-call]
    )
    future = admin.list_consumer_group_offsets([asked], request_timeout=answer_seconds)[group_id]
    found = future.result().topic_partitions or []
    done = {(place.topic, place.partition): place.offset for place in found}
    return {place: max(ends[place] - max(done.get(place, 0), firsts[place]), 0) for place in places}
