"""A plain reader of topics and of their records."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec
from fastavro import parse_schema, schemaless_reader
from fastavro.schema import fingerprint, to_parsing_canonical_form

from consumer.verify.definition_schemas import definition_schemas
from consumer.verify.update_record import RECORDS, TOPICS

SCHEMAS = Path(__file__).parents[2] / "schemas"
_TIMEOUT_SECONDS = 60.0
"""Longest time without a record: an open transaction of a dead producer hides what follows until it times out."""

_LEADER_SECONDS = 60.0
_NO_LEADER_YET = frozenset({KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE})


class NotReadable(Exception):
    """A topic or a record cannot be read, or not in time."""


@dataclass(frozen=True)
class Seen:
    """A record as a subscriber sees it; `partitions` is the number of partitions of its topic."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]
    partitions: int | None = None


def read_topic(
    bootstrap_servers: str,
    topic: str,
    *,
    isolation: str = "read_committed",
    config: Mapping[str, Any] | None = None,
) -> list[Seen]:
    """Return all records up to the end offsets at the time of the call; open transactions are waited for.

    `config` has further client properties. Raises NotReadable if the topic is missing or a transaction stays open.
    """
    common = {**(config or {}), "bootstrap.servers": bootstrap_servers}
    ends = _ends(AdminClient(common), topic)
    settings = {
        "group.id": "link-actions-verify",
        "isolation.level": isolation,
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        "enable.partition.eof": True,
        # The default reports the end of each partition half a second late.
        "fetch.wait.max.ms": 20,
        **common,
    }
    consumer = Consumer(settings)
    try:
        consumer.assign([TopicPartition(topic, partition, 0) for partition in ends])
        return _read_to(consumer, topic, ends)
    finally:
        consumer.close()


def decode_update(seen: Seen) -> dict[str, Any]:
    """Return the update in a record; the name of its topic may have a prefix. Raises NotReadable."""
    for kind, topic in TOPICS.items():
        if seen.topic.endswith(topic):
            return decode(RECORDS[kind], seen.value)
    raise NotReadable(f"{seen.topic} is not a topic of updates")


def decode(record_name: str, value: bytes | None) -> dict[str, Any]:
    """Return a record of this type, times in milliseconds, unions of records as (name, record).

    Accepts Avro's single-object encoding with the fingerprint of the `.avsc` file or an earlier version of it (of a
    link definition also of these extended by added kinds), and Confluent's wire format with any schema id. Fields that
    an earlier version lacks have their defaults.
    Raises NotReadable, also if bytes follow the record.
    """
    schemas = _schemas(record_name)
    if not value:
        raise NotReadable("there is no value")
    header = 5 if value[0] == 0 else 10
    if value[0] != 0 and value[:header] not in schemas:
        wanted = " or ".join(known.hex() for known in schemas)
        raise NotReadable(f"the header {value[:header].hex()} is not that of {record_name}, {wanted}")
    schema = schemas.get(value[:header], next(iter(schemas.values())))
    body = BytesIO(value[header:])
    try:
        record: Any = schemaless_reader(body, schema, next(iter(schemas.values())), return_record_name=True)
    except (EOFError, IndexError, ValueError, TypeError) as error:
        raise NotReadable(f"the body is not a {record_name}: {error!r}") from error
    if body.read(1):
        raise NotReadable(f"bytes follow after the {record_name}")
    return dict(record)


@cache
def _schemas(record_name: str) -> dict[bytes, Any]:
    """Return the schemas of the record by their single-object header, the most recent one first."""
    files = {path.stem: _read_schema(path) for path in _files()}
    found = [stem for stem, definition in files.items() if definition["name"] == record_name]
    if not found:
        raise NotReadable(f"no schema in {SCHEMAS} has the name {record_name}")
    versions = [files[found[0]], *(_read_schema(path) for path in _earlier_files(found[0]))]
    every = definition_schemas(files, versions[1:]) if record_name == "LinkDefined" else versions
    return {_header(version): parse_schema(version) for version in every}


def _files() -> list[Path]:
    return sorted(SCHEMAS.glob("*.avsc"))


def _earlier_files(stem: str) -> list[Path]:
    """Return the earlier versions of a schema, the newest first."""
    return sorted((SCHEMAS / "earlier" / stem).glob("*.avsc"), key=lambda path: int(path.stem), reverse=True)


def _read_schema(path: Path) -> dict[str, Any]:
    """Read without logical types: the times are then numbers, and the canonical form is the same."""
    schema: dict[str, Any] = json.loads(path.read_text(), object_hook=_without_logical_type)
    return schema


def _without_logical_type(part: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in part.items() if key != "logicalType"}


def _header(definition: dict[str, Any]) -> bytes:
    return b"\xc3\x01" + bytes.fromhex(fingerprint(to_parsing_canonical_form(definition), "CRC-64-AVRO"))


def _ends(admin: AdminClient, topic: str) -> dict[int, int]:
    """Return the end offset of each partition, including records of open transactions.

    A new topic is known a moment before its leaders are; this waits for them.
    """
    deadline = monotonic() + _LEADER_SECONDS
    while True:
        try:
            return _ends_now(admin, topic)
        except KafkaException as error:
            if error.args[0].code() not in _NO_LEADER_YET or monotonic() > deadline:
                raise NotReadable(f"{topic}: {error}") from error
        sleep(0.1)


def _ends_now(admin: AdminClient, topic: str) -> dict[int, int]:
    found = admin.list_topics(topic, timeout=30).topics[topic]
    if found.error is not None:
        raise NotReadable(f"{topic}: {found.error.str()}")
    latest = {TopicPartition(topic, number): OffsetSpec.latest() for number in found.partitions}  # type: ignore[no-untyped-call]  # its stub lacks the types
    ends = admin.list_offsets(latest, isolation_level=IsolationLevel.READ_UNCOMMITTED, request_timeout=30)
    offsets = {partition.partition: future.result().offset for partition, future in sorted(ends.items())}
    if any(offset < 0 for offset in offsets.values()):
        raise NotReadable(f"{topic}: the leader of a partition does not report its end offset")
    return offsets


def _read_to(consumer: Consumer, topic: str, ends: Mapping[int, int]) -> list[Seen]:
    positions = dict.fromkeys(ends, 0)
    seen: list[Seen] = []
    deadline = monotonic() + _TIMEOUT_SECONDS
    while any(positions[partition] < end for partition, end in ends.items()):
        for message in consumer.consume(10_000, 0.2):
            partition, offset, error = message.partition() or 0, message.offset() or 0, message.error()
            if error is None:
                positions[partition] = offset + 1
                if offset < ends[partition]:
                    seen.append(_seen(message, len(ends)))
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - the library's public name for it
                # Its offset follows control records, which are never delivered.
                positions[partition] = max(offset, positions[partition])
            elif error.fatal():
                raise NotReadable(f"{topic}: {error}")
            deadline = monotonic() + _TIMEOUT_SECONDS
        if monotonic() > deadline:
            raise NotReadable(f"{topic} cannot be read to its end: a transaction in it stays open")
    return sorted(seen, key=lambda each: (each.partition, each.offset))


def _seen(message: Any, partitions: int) -> Seen:
    return Seen(
        topic=message.topic(),
        partition=message.partition(),
        offset=message.offset(),
        timestamp_ms=message.timestamp()[1],
        key=message.key(),
        value=message.value(),
        headers=[(name, value or b"") for name, value in message.headers() or []],
        partitions=partitions,
    )
