"""What is sent to the topic of clicks, in its order."""

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

from consumer.demo.broken import BrokenRecord
from consumer.demo.clicks import SampleClick
from consumer.kafka.publisher import ANY_PARTITION
from schemas.codec import Codec
from schemas.identity import partition_of


@dataclass(frozen=True, slots=True)
class Publication:
    """One record to send; `published_at` in milliseconds since 1970 UTC."""

    published_at: int
    key: bytes
    value: bytes | None
    partition: int = ANY_PARTITION


def publications(
    clicks: Sequence[SampleClick], broken: Sequence[BrokenRecord], codec: Codec, partitions: int
) -> list[Publication]:
    """Encode the clicks, put the broken records among them, and send some where another partitioner would."""
    sent = [_publication(click, codec, partitions) for click in clicks]
    sent += [Publication(record.published_at, record.key, record.value) for record in broken]
    return sorted(sent, key=lambda publication: publication.published_at)


def _publication(click: SampleClick, codec: Codec, partitions: int) -> Publication:
    key = f"{click.record['tenant_id']}/{click.record['recipient_id']}".encode()
    partition = _misrouted(key, partitions) if click.is_misrouted else ANY_PARTITION
    return Publication(click.published_at, key, codec.encode(click.record), partition)


def _misrouted(key: bytes, partitions: int) -> int:
    """Return the partition that librdkafka's default partitioner takes, or where by chance it is right, the next."""
    partition = crc32(key) % partitions
    return partition if partition != partition_of(key, partitions) else (partition + 1) % partitions
