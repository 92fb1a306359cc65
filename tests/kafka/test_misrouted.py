"""Clicks that come through another partitioner, or without a key, are rerouted once and deduplicated all the same."""

from collections import Counter
from itertools import islice
from random import Random

from consumer.verify.murmur import partition_of
from consumer.verify.reader import Seen, decode
from schemas.topics import LINK_CLICKS
from tests.builders import Record
from tests.support.deployment import Deployment
from tests.support.outcome import assert_exact, read
from tests.support.records import click_key, encode_click
from tests.support.traffic import LINKS, endless_clicks

CLICKS = 1_500
KEYS = (None, b"", b"acme/somebody-else", b"\xff\xfe")


def test_a_misrouted_click_is_sent_on_once_and_acts_once(deployment: Deployment) -> None:
    deployment.define(*LINKS)
    published = publish_anywhere(deployment, CLICKS)
    workers = [deployment.start("a"), deployment.start("b")]
    deployment.wait_done()
    deployment.drain("c")

    assert_exact(deployment)
    misrouted = sum(each.partition != right_partition(each, deployment) for each in published)
    assert misrouted > CLICKS / 2
    assert sum(worker.metrics()["clicks_total", "rerouted"] for worker in workers) == misrouted
    assert_each_is_where_it_belongs(published, read(deployment, LINK_CLICKS), deployment)


def test_drain_includes_rerouted_clicks(deployment: Deployment) -> None:
    deployment.define(*LINKS)
    publish_anywhere(deployment, 200)
    deployment.drain()

    assert_exact(deployment)


def publish_anywhere(deployment: Deployment, number: int) -> list[Seen]:
    """Publish clicks into any partition and under any key, and return what the topic holds then."""
    chance = Random(5)
    for click in islice(endless_clicks(seed=5, recipients=number // 8), number):
        deployment.publisher.publish(
            deployment.topic(LINK_CLICKS),
            encode_click(click),
            chance.choice([*KEYS, click_key(click)]),
            partition=chance.randrange(deployment.partitions),
            headers=[("traceparent", click["click_id"].encode())],
        )
    deployment.publisher.finish()
    return read(deployment, LINK_CLICKS)


def assert_each_is_where_it_belongs(before: list[Seen], after: list[Seen], deployment: Deployment) -> None:
    """Assert that beside what was published there is one copy of each misrouted click, the same but for its key."""
    misrouted = [each for each in before if each.partition != right_partition(each, deployment)]
    copies = [each for each in after if (each.partition, each.offset) not in {(b.partition, b.offset) for b in before}]
    assert Counter(map(essence, copies)) == Counter(map(essence, misrouted))
    for copy in copies:
        assert copy.key == click_key(click_in(copy))
        assert copy.partition == right_partition(copy, deployment)


def essence(record: Seen) -> tuple[object, ...]:
    return record.value, tuple(record.headers)


def right_partition(record: Seen, deployment: Deployment) -> int:
    return partition_of(click_key(click_in(record)), deployment.partitions)


def click_in(record: Seen) -> Record:
    return decode("LinkClicked", record.value)
