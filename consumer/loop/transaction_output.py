"""Writes the output of a batch into its transaction, topic by topic."""

from dataclasses import dataclass

from consumer.loop.batch import PartitionBatch
from runtime.ports import ConsumerRecord, Headers, ProducerRecord, TransactionalConsumer
from schemas.bad_record import BadRecord
from schemas.dead_letter_headers import with_reason
from schemas.topics import TopicNames

_UNREADABLE = "the name of one is not UTF-8"


@dataclass(frozen=True, slots=True)
class TransactionOutput:
    """Produces the records of a decision in the open transaction.

    `hits_frame` precedes the body of a LinkHits; `version` is the program's, for dead letters.
    """

    consumer: TransactionalConsumer
    names: TopicNames
    hits_frame: bytes
    version: str

    def write(self, batch: PartitionBatch) -> None:
        """Write updates, hits, rerouted clicks, dead letters and the changelog; takes the updates out of the batch.

        Raises TransactionAborted or OutcomeUnknown.
        """
        decision, partition = batch.decision, batch.partition
        self.consumer.produce_batch(partition, batch.pop_updates())  # frees 11 MiB of a large batch: the library copies
        self.consumer.produce_batch(partition, decision.hits.records(self.names.hits, self.hits_frame, partition))
        for row, key, right in decision.rerouted:
            self.consumer.produce(self._rerouted(batch.records[row], key, right))
        for row, bad in sorted(decision.dead_letters.items()):
            self.consumer.produce(self._dead_letter(batch.records[row], bad))
        self._write_changelog(batch)

    def _write_changelog(self, batch: PartitionBatch) -> None:
        """Write the entries to the changelog partition of the same number, the checkpoint last and tracked."""
        topic, entries = self.names.changelog, list(batch.entries.items())
        key, value = entries.pop()
        self.consumer.produce_batch(batch.partition, [(topic, value, key, None) for key, value in entries])
        self.consumer.produce_tracked(ProducerRecord(topic, batch.partition, key, value))

    def _rerouted(self, record: ConsumerRecord, key: bytes, partition: int) -> ProducerRecord:
        """Return the record with a new timestamp: with its own, retention could delete it before it is read."""
        return ProducerRecord(self.names.clicks, partition, key, record.value(), _headers(record) or ())

    def _dead_letter(self, record: ConsumerRecord, bad: BadRecord) -> ProducerRecord:
        kept = _headers(record)
        detail = bad.detail if kept is not None else f"{bad.detail}; its headers are left out, since {_UNREADABLE}"
        timestamp_ms = _timestamp(record)
        headers = with_reason(
            kept or (),
            reason=bad.reason,
            topic=self.names.clicks,
            partition=record.partition(),
            offset=record.offset(),
            timestamp_ms=timestamp_ms,
            version=self.version,
            detail=detail,
        )
        partition = record.partition() or 0
        return ProducerRecord(self.names.dead_letters, partition, record.key(), record.value(), headers, timestamp_ms)


def _timestamp(record: ConsumerRecord) -> int:
    """Return the record's own time; 0, which means the time of the call, if it has none."""
    return max(record.timestamp()[1], 0)


def _headers(record: ConsumerRecord) -> Headers | None:
    """Return the headers; None if the library cannot read the name of one: asked again, it would crash."""
    try:
        return tuple(record.headers() or ())
    except (SystemError, UnicodeDecodeError):
        return None
