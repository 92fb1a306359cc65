"""Bad input through the real process: one dead letter each, neighbours untouched, nothing lost. Design, section 6."""

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle
from random import Random

from hypothesis import find

from bench.registry_double import running_registry
from consumer.verify.murmur import partition_of
from consumer.verify.reader import Seen, read_topic
from schemas.codec import confluent_frame, single_object_frame
from schemas.record_schema import load_schemas, writer_schema
from schemas.topics import DEAD_LETTERS, LINK_CLICKS
from tests.bad_records import LINK, MAX_CLICK_BYTES, BadRecordCase, bad_records
from tests.builders import Record, a_link, an_action
from tests.schemas.java_style import EVERY_TYPE, as_java_registers
from tests.schemas.strategies import encodings
from tests.support.deployment import Deployment
from tests.support.outcome import assert_exact
from tests.support.records import click_by, click_key, encode_click

BEARS_ALL = {"LINK_ACTIONS_DEAD_LETTER_LIMIT": "1"}
ENDLESS = '{"type": "record", "name": "LinkClicked", "fields": [{"name": "next", "type": ["null", "LinkClicked"]}]}'
REASON_HEADERS = ("reason", "topic", "partition", "offset", "timestamp", "version", "detail")


def test_bad_record_corpus_becomes_dead_letters(
    deployment: Deployment,
) -> None:
    deployment.define(LINK)
    cases = bad_records()
    neighbours = publish_corpus(deployment, cases)
    worker = deployment.start("a", settings=BEARS_ALL)
    deployment.wait_done()
    deployment.drain("b")

    clicks = [*neighbours, *(case.click for case in cases if case.click is not None)]
    bad = [case for case in cases if case.reason is not None]
    outcome = assert_exact(deployment, clicks, dead_letters=len(bad))
    letters = {name_in(letter): letter for letter in outcome.dead_letters}
    assert letters.keys() == {case.name for case in bad}
    for original in published_cases(deployment):
        if name_in(original) in letters:
            case = next(case for case in bad if case.name == name_in(original))
            assert_is_the_letter_of(letters[case.name], original, case)
    assert counted(worker.metrics(), "clicks_total") >= Counter(case.outcome for case in cases)
    assert counted(worker.metrics(), "dead_letters_total") == Counter(case.reason for case in bad)


def test_only_schemas_that_are_safe_are_read(deployment: Deployment) -> None:
    with running_registry() as registry:
        subject = f"{deployment.topic(LINK_CLICKS)}-value"
        refused = registry.register(subject, ENDLESS)
        deployment.define(a_link(an_action("SetField")))
        good, bad = click_by("good"), click_by("bad")
        deployment.click(good)
        frame = b"\x00" + refused.to_bytes(4, "big")
        publish(deployment, frame + encode_click(bad)[10:], click_key(bad), home(bad, deployment.partitions))
        settings = {"LINK_ACTIONS_SCHEMA_REGISTRY_URL": registry.url}
        worker = deployment.start("a", settings=settings)
        deployment.wait_done()

    assert worker.wait_event("schema.refused")["reason"] == "LinkClicked contains itself"
    outcome = assert_exact(deployment, [good], dead_letters=1)
    assert outcome.reasons == {"unknown_schema": 1}


def test_equivalent_schemas_are_read_in_both_formats(deployment: Deployment) -> None:
    clicked = load_schemas()["LinkClicked"]
    fields = [*clicked.definition["fields"], *({"name": f"f{n}", "type": t} for n, t in enumerate(EVERY_TYPE.values()))]
    same, later = (as_java_registers(clicked.definition | changes) for changes in ({}, {"fields": fields}))
    clicks = [click_by(f"r-{number}") for number in range(4)]
    appended = {"type": "record", "name": "Tail", "fields": fields[len(clicked.definition["fields"]) :]}
    tail = find(encodings(writer_schema(appended).form), lambda _: True)
    deployment.define(a_link(an_action("SetField")))
    with running_registry() as registry:
        subject = f"{deployment.topic(LINK_CLICKS)}-value"
        ids = [registry.register(subject, json.dumps(schema)) for schema in (same, later)]
        frames = [confluent_frame(ids[0]), single_object_frame(writer_schema(same))]
        frames += [confluent_frame(ids[1]), single_object_frame(writer_schema(later))]
        for number, (click, frame) in enumerate(zip(clicks, frames, strict=True)):
            value = frame + encode_click(click)[10:] + (tail if number > 1 else b"")
            publish(deployment, value, click_key(click), home(click, deployment.partitions))
        settings = {"LINK_ACTIONS_SCHEMA_REGISTRY_URL": registry.url}
        assert deployment.start("a", "--drain", settings=settings).wait_exit() == 0

    assert_exact(deployment, clicks, dead_letters=0)


def test_dead_letter_of_largest_click_fits(deployment: Deployment) -> None:
    deployment.define(a_link(an_action("SetField")))
    value = Random(1).randbytes(1_048_588 - 100)
    publish(deployment, value, b"acme/r-0", 0, headers=[("traceparent", b"x")])
    neighbour = click_by("r-1")
    deployment.click(neighbour)
    deployment.drain()

    outcome = assert_exact(deployment, [neighbour], dead_letters=1)
    assert outcome.reasons == {"too_large": 1}
    assert outcome.dead_letters[0].value == value


def test_refused_dead_letter_stops_the_worker(
    bare_deployment: Deployment,
) -> None:
    deployment = bare_deployment.create_topics(configs={DEAD_LETTERS: {"max.message.bytes": "100000"}})
    deployment.define(a_link(an_action("SetField")))
    publish(deployment, Random(1).randbytes(200_000), b"acme/r-0", 0)
    worker = deployment.start("a")

    assert worker.wait_exit() == 3
    assert "dead letter" in worker.last_words
    assert "Traceback" not in worker.log

    deployment.alter(DEAD_LETTERS, {"max.message.bytes": "1148588"})
    deployment.drain("a")
    assert_exact(deployment, dead_letters=1)


def test_click_with_refused_update_is_isolated(bare_deployment: Deployment) -> None:
    deployment = bare_deployment.create_topics(configs={"crm-updates.set-field.v1": {"max.message.bytes": "20000"}})
    deployment.define(a_link(an_action("SetField")))
    neighbours = [click_by(f"r-{number}") for number in range(8)]
    giant = click_by("giant", person_id=Random(1).randbytes(12_000).hex())
    assert len(encode_click(giant)) < MAX_CLICK_BYTES
    deployment.click(*neighbours[:4], giant, *neighbours[4:])
    worker = deployment.start("a", settings=BEARS_ALL)
    deployment.wait_done()

    outcome = assert_exact(deployment, neighbours, dead_letters=1)
    assert outcome.reasons == {"rejected_by_broker": 1}
    assert outcome.dead_letters[0].value == encode_click(giant)
    assert worker.is_running


def test_too_many_bad_records_stop_the_worker(deployment: Deployment) -> None:
    deployment.define(a_link(an_action("SetField")))
    good = [click_by(f"r-{number}") for number in range(50)]
    deployment.click(*good)
    for number in range(500):
        publish(deployment, b"garbage", b"acme/garbage", number % deployment.partitions)
    worker = deployment.start("a")

    assert worker.wait_exit() == 5
    assert "LINK_ACTIONS_DEAD_LETTER_LIMIT" in worker.last_words
    assert "Traceback" not in worker.log

    assert deployment.start("a", "--drain", settings=BEARS_ALL).wait_exit() == 0
    assert_exact(deployment, good, dead_letters=500)


def publish_corpus(deployment: Deployment, cases: list[BadRecordCase]) -> list[Record]:
    """Publish every case with a good click before and after it in the same partition; return the good ones."""
    neighbours: list[Record] = []
    recipients = {number: neighbours_at(number, deployment.partitions) for number in range(deployment.partitions)}
    now = int(time.time() * 1000)
    for number, case in enumerate(cases):
        partition = partition_of(case.right_key, deployment.partitions)
        partition = (partition + case.misplaced) % deployment.partitions
        before, after = (next(recipients[partition]) for _ in range(2))
        deployment.click(before)
        headers = [("case", case.name.encode()), ("traceparent", b"00-1")]
        publish(deployment, case.value, case.key, partition, headers=headers, timestamp=now - number)
        deployment.click(after)
        neighbours += [before, after]
    return neighbours


def neighbours_at(partition: int, partitions: int) -> Iterator[Record]:
    for number in cycle(range(10**6)):
        click = click_by(f"neighbour-{number}", "corpus")
        if home(click, partitions) == partition:
            yield click


def publish(
    deployment: Deployment,
    value: bytes | None,
    key: bytes | None,
    partition: int,
    *,
    headers: Sequence[tuple[str, bytes]] = (),
    timestamp: int = 0,
) -> None:
    topic = deployment.topic(LINK_CLICKS)
    deployment.publisher.publish(topic, value, key, partition=partition, headers=headers, timestamp=timestamp)
    deployment.publisher.finish()


def published_cases(deployment: Deployment) -> list[Seen]:
    records = read_topic(deployment.servers, deployment.topic(LINK_CLICKS))
    return [record for record in records if name_in(record)]


def assert_is_the_letter_of(letter: Seen, original: Seen, case: BadRecordCase) -> None:
    told = {name.removeprefix("dlq."): value.decode() for name, value in letter.headers if name.startswith("dlq.")}
    assert (letter.key, letter.value, letter.timestamp_ms) == (original.key, original.value, original.timestamp_ms)
    assert letter.partition == original.partition
    assert letter.headers[: len(original.headers)] == original.headers
    assert tuple(told) == REASON_HEADERS
    assert told["reason"] == case.reason, case.name
    assert told["topic"] == original.topic
    assert told["partition"] == str(original.partition)
    assert told["offset"] == str(original.offset)
    assert told["timestamp"] == str(original.timestamp_ms)
    assert "odd-" not in told["detail"], "a dead letter's detail tells the recipient"


def name_in(record: Seen) -> str:
    return dict(record.headers).get("case", b"").decode()


def counted(metrics: Mapping[tuple[str, ...], float], name: str) -> Counter[str | None]:
    return Counter({sample[1]: int(value) for sample, value in metrics.items() if sample[0] == name and value})


def home(click: Record, partitions: int) -> int:
    return partition_of(click_key(click), partitions)
