"""The records to send to the clicks topic, in order."""

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

from consumer.demo.broken import BrokenRecord
from consumer.demo.clicks import SampleClick
from runtime.kafka.publisher import ANY_PARTITION
from schemas.codec import Codec
from schemas.identity import partition_of


@dataclass(frozen=True, slots=True)
class Publication:
    """One record to send; `published_at_ms` in milliseconds since 1970 UTC."""

    published_at_ms: int
    key: bytes
    value: bytes | None
    partition: int = ANY_PARTITION


def publications(
    clicks: Sequence[SampleClick], broken: Sequence[BrokenRecord], codec: Codec, partitions: int
) -> list[Publication]:
    """Encode the clicks, add the broken records, and assign misrouted clicks to a wrong partition."""
    sent = [_publication(click, codec, partitions) for click in clicks]
    sent += [Publication(record.published_at_ms, record.key, record.value) for record in broken]
    return sorted(sent, key=lambda publication: publication.published_at_ms)


def _publication(click: SampleClick, codec: Codec, partitions: int) -> Publication:
    key = f"{click.record['tenant_id']}/{click.record['recipient_id']}".encode()
    partition = _wrong_partition(key, partitions) if click.is_misrouted else ANY_PARTITION
    return Publication(click.published_at_ms, key, codec.encode(click.record), partition)


def _wrong_partition(key: bytes, partitions: int) -> int:
    """Return the partition of librdkafka's default partitioner, or the next one if that happens to be right."""
    partition = crc32(key) % partitions
    return partition if partition != partition_of(key, partitions) else (partition + 1) % partitions
