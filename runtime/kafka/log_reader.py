"""Reads partitions of a topic from given positions: link definitions, and the changelog during a restore."""

from collections.abc import Mapping, Sequence

from confluent_kafka import (
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Message,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec

from runtime.kafka.errors import fatal_error, is_about_the_group, read_error
from runtime.kafka.offsets import read_offsets
from runtime.ports import ConsumerRecord

_TIMEOUT_SECONDS = 10
_PATIENCE_SECONDS = 1.0
"""Time to retry while leaders change; after that the loop waits, which reacts to signals meanwhile."""


class KafkaLogReader:
    """Reads committed records by assignment, outside any group. Implements `LogReader`.

    Positions come from records and from EOF events, whose offset is after trailing control records.
    """

    def __init__(self, consumer: Consumer, admin: AdminClient, topic: str) -> None:
        """`consumer` must have `enable.partition.eof` on."""
        self._consumer = consumer
        self._admin = admin
        self._topic = topic
        self._positions: dict[int, int] = {}

    @property
    def positions(self) -> Mapping[int, int]:
        """Next offset of each assigned partition."""
        return self._positions

    def topic_id(self) -> str:
        """Return the cluster id and the topic id."""
        try:
            # Without this the library keeps asking a controller that is gone until it returns.
            self._admin.list_topics(self._topic, timeout=_TIMEOUT_SECONDS)
            topics = self._admin.describe_topics(TopicCollection([self._topic]), request_timeout=_TIMEOUT_SECONDS)
            cluster = self._admin.describe_cluster(request_timeout=_TIMEOUT_SECONDS)
            return f"{cluster.result().cluster_id}/{topics[self._topic].result().topic_id}"
        except KafkaException as error:
            raise read_error(error) from error

    def assign(self, partition: int, position: int) -> None:
        """Read this partition from a position."""
        self._consumer.incremental_assign([TopicPartition(self._topic, partition, position)])
        self._positions[partition] = position

    def unassign(self, partition: int) -> None:
        """Stop reading this partition."""
        if self._positions.pop(partition, None) is not None:
            self._consumer.incremental_unassign([TopicPartition(self._topic, partition)])

    def watermarks(self, partitions: Sequence[int]) -> Mapping[int, tuple[int, int]]:
        """Return first and end offset; the end is read uncommitted: a restore must wait for open transactions."""
        first = self._offsets(partitions, OffsetSpec.earliest())  # type: ignore[no-untyped-call]  # its stub lacks the types
        end = self._offsets(partitions, OffsetSpec.latest())  # type: ignore[no-untyped-call]  # its stub lacks the types
        return {partition: (first[partition], end[partition]) for partition in partitions}

    def poll(self, limit: int, timeout_seconds: float) -> Sequence[ConsumerRecord]:
        """Return up to `limit` records.

        Nearly all batches have only records of assigned partitions; those are returned whole, which saves a tenth of
        the time of a restore.
        """
        try:
            messages = self._consumer.consume(limit, timeout_seconds)
        except KafkaException as error:
            raise read_error(error) from error
        plain = [message for message in messages if message.error() is None]
        last = dict(zip([message.partition() for message in plain], plain, strict=True))
        if len(plain) < len(messages) or not last.keys() <= self._positions.keys():
            return self._read_one_by_one(messages)
        for partition, message in last.items():
            self._positions[partition or 0] = (message.offset() or 0) + 1
        return plain

    def _read_one_by_one(self, messages: Sequence[Message]) -> Sequence[ConsumerRecord]:
        records = []
        for message in messages:
            partition, offset, error = message.partition(), message.offset(), message.error()
            if partition not in self._positions or offset is None:
                continue
            if error is None:
                records.append(message)
                self._positions[partition] = offset + 1
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - the library's public name for it
                self._positions[partition] = offset
            elif not is_about_the_group(error) and (final := fatal_error(error)) is not None:
                raise final
        return records

    def close(self) -> None:
        """Close the consumer."""
        self._consumer.close()

    def _offsets(self, partitions: Sequence[int], spec: OffsetSpec) -> dict[int, int]:
        targets = [(self._topic, partition) for partition in partitions]
        try:
            offsets = read_offsets(
                self._admin,
                targets,
                spec,
                level=IsolationLevel.READ_UNCOMMITTED,
                answer_seconds=_TIMEOUT_SECONDS,
                patience_seconds=_PATIENCE_SECONDS,
            )
        except KafkaException as error:
            raise read_error(error) from error
        return {partition: offset for (_, partition), offset in offsets.items()}
