"""The evidence of a perfect run, made without any worker."""

from dataclasses import replace
from pathlib import Path

from actions.link import record_from_link
from actions.registry import load_kinds
from consumer.demo.evidence import Evidence
from consumer.demo.links import LINK_FILE
from consumer.demo.publication import Publication
from consumer.demo.sample import Sample, make_sample
from consumer.links.history import Histories
from consumer.links.link_files import check_link_files
from consumer.links.versioning import Authorship, next_versions
from consumer.verify.reader import NotReadable, Seen, decode
from consumer.verify.reference_model import ReferenceModel
from schemas.codec import Codec
from schemas.identity import partition_of
from schemas.record_schema import load_schemas
from tests.verify.sightings import all_seen

NOON = 1_795_608_000_000
PARTITIONS = 4
PREFIX = "demo-test."
CLICKS = 5_000


def a_sample(clicks: int = CLICKS, seed: int = 1) -> Sample:
    return make_sample(clicks, seed=seed, now_ms=NOON, partitions=PARTITIONS)


def links() -> list[dict[str, object]]:
    """Return the sample links as `LinkDefined`."""
    kinds, codec = load_kinds(load_schemas()), Codec(load_schemas()["LinkDefined"])
    wanted = check_link_files([Path(LINK_FILE)], kinds).links
    histories = Histories(codec, kinds, frozenset(link.reference for link in wanted))
    return [record_from_link(planned.link) for planned in next_versions(wanted, histories, Authorship("demo", NOON))]


def perfect_evidence(sample: Sample) -> Evidence:
    """Return every click, misrouted ones a second time in their right partition, and every expected record once."""
    codecs = {name: Codec(schema) for name, schema in load_schemas().items()}
    clicks = click_records(sample)
    model = ReferenceModel(links(), partitions=PARTITIONS)
    reasons = {record.value: record.reason for record in sample.broken}
    letters = [letter(seen, reasons[seen.value]) for seen in clicks if seen.value in reasons]
    for seen in clicks:
        if seen.value not in reasons and seen.partition == correct_partition(seen):
            model.click(decode("LinkClicked", seen.value))
    hits = [
        {"tenant_id": tenant, "link_id": link, "partition": 0, "epoch": epoch, "clicks": count, "first_clicks": first}
        for (tenant, link), (epoch, count, first) in model.hits.items()
    ]
    return Evidence(
        prefix=PREFIX,
        definitions=[a_record(codecs["LinkDefined"].encode(link), number) for number, link in enumerate(links())],
        clicks=clicks,
        updates=all_seen(model.expected, PREFIX),
        dead_letters=letters,
        hits=[a_record(codecs["LinkHits"].encode(record), number) for number, record in enumerate(hits)],
    )


def click_records(sample: Sample) -> list[Seen]:
    seen = [_click(publication, offset) for offset, publication in enumerate(sample.publications)]
    misrouted = [record for record in seen if _is_misrouted(record)]
    seen += [
        replace(record, partition=correct_partition(record), offset=len(seen) + number)
        for number, record in enumerate(misrouted)
    ]
    return sorted(seen, key=lambda record: (record.partition, record.offset))


def correct_partition(seen: Seen) -> int:
    return partition_of(seen.key or b"", PARTITIONS)


def letter(seen: Seen, reason: str) -> Seen:
    return replace(seen, topic=f"{PREFIX}link.clicks.dlq.v1", headers=[("dlq.reason", reason.encode())])


def a_record(value: bytes, number: int) -> Seen:
    return Seen("any", 0, number, NOON, b"%d" % number, value, [], 1)


def _click(publication: Publication, offset: int) -> Seen:
    partition = publication.partition if publication.partition >= 0 else partition_of(publication.key, PARTITIONS)
    topic = f"{PREFIX}link.clicks.v1"
    return Seen(
        topic, partition, offset, publication.published_at_ms, publication.key, publication.value, [], PARTITIONS
    )


def _is_misrouted(seen: Seen) -> bool:
    try:
        decode("LinkClicked", seen.value)
    except NotReadable:
        return False
    return seen.partition != correct_partition(seen)
