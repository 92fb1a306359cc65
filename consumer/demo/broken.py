"""Broken records, one kind for each way in which a click can be unreadable."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from consumer.demo.clicks import SampleClick
from schemas.codec import Codec

MAX_PER_KIND = 3


@dataclass(frozen=True, slots=True)
class BrokenRecord:
    """A record that is not a valid click, and the `dlq.reason` that it must get."""

    value: bytes | None
    reason: str
    key: bytes
    published_at_ms: int


def sample_broken_records(clicks: list[SampleClick], codec: Codec, *, seed: int) -> list[BrokenRecord]:
    """Make a few of each kind from random clicks; the same ones for the same arguments."""
    random = Random(seed)  # noqa: S311 - a sample, not a secret
    broken = []
    for kind in range(len(list(_variants(clicks[0], codec)))):
        for _ in range(random.randint(1, MAX_PER_KIND)):
            click = random.choice(clicks)
            reason, value = list(_variants(click, codec))[kind]
            key = f"{click.record['tenant_id']}/{click.record['recipient_id']}".encode()
            broken.append(BrokenRecord(value, reason, key, click.published_at_ms))
    return broken


def _variants(click: SampleClick, codec: Codec) -> Iterator[tuple[str, bytes | None]]:
    """Yield each reason with a broken value made from the click."""
    record = click.record
    good = codec.encode(record)
    recipient = record["recipient_id"].encode()
    yield "null_value", None
    yield "empty_value", b""
    yield "too_large", codec.encode({**record, "user_agent": "x" * 70_000})
    yield "unknown_frame", b'{"linkId": "spring-offer", "recipient": "r-1"}'
    yield "unknown_schema", good[:2] + b"12345678" + good[10:]
    yield "truncated", good[: len(good) // 2]
    yield "malformed", good[:10] + b"\x01" + good[11:]
    yield "invalid_utf8", good.replace(recipient, b"\xff" * len(recipient))
    yield "trailing_bytes", good + b"and more"
    yield "identity_missing", codec.encode({**record, "recipient_id": ""})
    yield "identity_invalid", codec.encode({**record, "tenant_id": "acme/north"})
    yield "timestamp_out_of_range", codec.encode({**record, "clicked_at": 0})
    yield "click_id_missing", codec.encode({**record, "click_id": ""})
