"""Expected updates as a subscriber sees them, for tests to plant faults in."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from actions.registry import load_kinds
from consumer.verify.reader import Seen
from consumer.verify.reference_model import Expected
from schemas.codec import Codec
from schemas.identity import partition_of
from schemas.record_schema import load_schemas
from schemas.topics import update_topic

UPDATES = {update_topic(name): kind.update for name, kind in load_kinds(load_schemas()).items()}
PARTITIONS = 4


def all_seen(expected: Iterable[Expected], prefix: str = "") -> list[Seen]:
    codecs = {topic: Codec(load_schemas()[record]) for topic, record in UPDATES.items()}
    return [_seen(each, codecs[each.topic], offset, prefix) for offset, each in enumerate(expected)]


def _seen(expected: Expected, codec: Codec, offset: int, prefix: str) -> Seen:
    return Seen(
        topic=prefix + expected.topic,
        partition=partition_of(expected.key, PARTITIONS),
        offset=offset,
        timestamp_ms=expected.record["clicked_at"],
        key=expected.key,
        value=codec.encode(expected.record),
        headers=[
            ("ce_specversion", b"1.0"),
            ("ce_type", expected.topic.encode()),
            ("ce_source", b"/link-actions/acme"),
            ("content-type", b"application/avro"),
            ("ce_id", expected.record["update_id"].encode()),
        ],
        partitions=PARTITIONS,
    )


def changed(seen: Seen, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Seen:
    """Return a copy with a changed record in its value."""
    codec = Codec(load_schemas()[UPDATES[seen.topic]])
    return replace(seen, value=codec.encode(change(codec.decode(seen.value or b""))))


def reordered(seen: Sequence[Seen], order: Iterable[int]) -> list[Seen]:
    """Return the records in this order, with ascending offsets."""
    return [replace(seen[index], offset=offset) for offset, index in enumerate(order)]
