"""Compares the output with the expected set of records, made and read without the program's code.

Records are encoded by fastavro from the `.avsc` file, ids by the standard library's uuid5; what is read is what a
subscriber sees, read_committed. Keys, values, headers and partitions are held against each other, byte for byte.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from io import BytesIO
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid5

from confluent_kafka import Consumer, Message, TopicPartition, murmur2
from fastavro import parse_schema, schemaless_writer

from bench.links import EPOCH, actions_of
from bench.workload import Click, Workload, click_key

NAMESPACE = UUID("6b1f9c52-6d0e-5d0b-9a3e-2f0c7c1e8a44")
UPDATE_TYPE = "crm-updates.interest.v1"
_SCHEMA = Path(__file__).parents[1] / "schemas" / "change_interest.avsc"
_SHARED = ("tenant_id", "link_id", "recipient_id", "click_id", "clicked_at", "person_id", "company_id", "mailing_id")
_STANDSTILL_SECONDS = 60
"""Seconds without a record after which a transaction counts as left open."""

Headers = Iterable[tuple[str, bytes]]


class WrongOutput(Exception):
    """The output is not as expected; the message counts the differences."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """The digests of all records that must come out."""

    digests: frozenset[bytes]

    def check(self, seen: Iterable[bytes]) -> None:
        """Hold the digests of what came out against it: each once, no other; raises WrongOutput."""
        found = list(seen)
        different = set(found)
        missing, unexpected = len(self.digests - different), len(different - self.digests)
        doubled = len(found) - len(different)
        if missing or unexpected or doubled:
            raise WrongOutput(f"{missing} of {len(self.digests)} missing, {doubled} doubled, {unexpected} unexpected")


def expected_updates(workload: Workload, frame: bytes) -> Expectation:
    """Expect the updates of each first click, in the words of the version that it names."""
    return Expectation(frozenset(_update_digests(workload, frame)))


def expected_copies(records: Iterable[tuple[bytes, bytes]]) -> Expectation:
    """Expect the clicks themselves, as a pass-through hands them on."""
    return Expectation(frozenset(digest(key, value, ()) for key, value in records))


def digest(key: bytes, value: bytes, headers: Headers) -> bytes:
    """Return the identity of a record; the order of its headers does not count."""
    told = b"\0".join(part for name, content in sorted(headers) for part in (name.encode(), content))
    return blake2b(b"\0".join((key, value, told)), digest_size=16).digest()


def read_digests(servers: str, topic: str, starts: Mapping[int, int]) -> Iterator[bytes]:
    """Yield the digest of every committed record from these offsets to the end; raises WrongOutput."""
    config = {"bootstrap.servers": servers, "group.id": "bench-check", "isolation.level": "read_committed"}
    consumer = Consumer({**config, "enable.partition.eof": True, "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, partition, offset) for partition, offset in starts.items()])
    ended: set[int] = set()
    still = 0
    while len(ended) < len(starts):
        messages = consumer.consume(10_000, 1)
        still = 0 if messages else still + 1
        if still > _STANDSTILL_SECONDS:
            raise WrongOutput("the topic cannot be read to its end")
        for message in messages:
            partition = message.partition() or 0
            if message.error():
                ended.add(partition)
                continue
            key, value = message.key() or b"", message.value() or b""
            if murmur2(key, len(starts)) != partition:
                raise WrongOutput("a record is in another partition than its key requires")
            yield digest(key, value, _headers_of(message))
    consumer.close()


def _headers_of(message: Message) -> Headers:
    pairs: Iterable[tuple[str, str | bytes | None]] = cast("Any", message.headers()) or ()
    return [(name, content) for name, content in pairs if isinstance(content, bytes)]


def _update_digests(workload: Workload, frame: bytes) -> Iterator[bytes]:
    plain = json.loads(_SCHEMA.read_text(), object_hook=lambda part: {k: part[k] for k in part if k != "logicalType"})
    schema = parse_schema(plain)
    for link, is_first, click in workload.clicks_in_order():
        if not is_first:
            continue
        for action in actions_of(workload.shape, link, click["link_version"]):
            identifier = _update_id(click, action["action_id"])
            value = frame + _encode(schema, _update(click, action, identifier))
            yield digest(click_key(click), value, _headers(click["tenant_id"], identifier))


def _update(click: Click, action: Mapping[str, str], identifier: str) -> dict[str, Any]:
    shared = {name: click[name] for name in _SHARED}
    return {**shared, **action, "update_id": identifier, "link_version": click["link_version"], "epoch": EPOCH}


def _update_id(click: Click, action_id: str) -> str:
    parts = (click["tenant_id"], click["link_id"], str(EPOCH), action_id, click["recipient_id"], "")
    return str(uuid5(NAMESPACE, "\x1f".join(parts)))


def _headers(tenant_id: str, identifier: str) -> Headers:
    return (
        ("ce_specversion", b"1.0"),
        ("ce_type", UPDATE_TYPE.encode()),
        ("ce_source", f"/link-actions/{tenant_id}".encode()),
        ("content-type", b"application/avro"),
        ("ce_id", identifier.encode()),
    )


def _encode(schema: Any, record: Mapping[str, Any]) -> bytes:
    buffer = BytesIO()
    schemaless_writer(buffer, schema, record)
    return buffer.getvalue()
