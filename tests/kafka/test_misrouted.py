"""Clicks that come through another partitioner, or without a key, are rerouted once and deduplicated all the same."""

from collections import Counter
from itertools import islice
from random import Random

from consumer.verify.murmur import partition_of
from consumer.verify.reader import Seen, decode
from schemas.topics import LINK_CLICKS
from tests.builders import Record
from tests.support.deployment import Installation
from tests.support.outcome import assert_exact, read
from tests.support.records import click_key, encode_click
from tests.support.traffic import LINKS, endless_clicks

CLICKS = 1_500
KEYS = (None, b"", b"acme/somebody-else", b"\xff\xfe")


def test_a_misrouted_click_is_sent_on_once_and_acts_once(installation: Installation) -> None:
    installation.define(*LINKS)
    published = publish_anywhere(installation, CLICKS)
    workers = [installation.start("a"), installation.start("b")]
    installation.wait_done()
    installation.drain("c")

    assert_exact(installation)
    misrouted = sum(each.partition != right_partition(each, installation) for each in published)
    assert misrouted > CLICKS / 2
    assert sum(worker.metrics()["clicks_total", "rerouted"] for worker in workers) == misrouted
    assert_each_is_where_it_belongs(published, read(installation, LINK_CLICKS), installation)


def test_drain_includes_rerouted_clicks(installation: Installation) -> None:
    installation.define(*LINKS)
    publish_anywhere(installation, 200)
    installation.drain()

    assert_exact(installation)


def publish_anywhere(installation: Installation, number: int) -> list[Seen]:
    """Publish clicks into any partition and under any key, and return what the topic holds then."""
    chance = Random(5)
    for click in islice(endless_clicks(seed=5, recipients=number // 8), number):
        installation.publisher.publish(
            installation.topic(LINK_CLICKS),
            encode_click(click),
            chance.choice([*KEYS, click_key(click)]),
            partition=chance.randrange(installation.partitions),
            headers=[("traceparent", click["click_id"].encode())],
        )
    installation.publisher.finish()
    return read(installation, LINK_CLICKS)


def assert_each_is_where_it_belongs(before: list[Seen], after: list[Seen], installation: Installation) -> None:
    """Assert that beside what was published there is one copy of each misrouted click, the same but for its key."""
    misrouted = [each for each in before if each.partition != right_partition(each, installation)]
    copies = [each for each in after if (each.partition, each.offset) not in {(b.partition, b.offset) for b in before}]
    assert Counter(map(essence, copies)) == Counter(map(essence, misrouted))
    for copy in copies:
        assert copy.key == click_key(click_in(copy))
        assert copy.partition == right_partition(copy, installation)


def essence(record: Seen) -> tuple[object, ...]:
    return record.value, tuple(record.headers)


def right_partition(record: Seen, installation: Installation) -> int:
    return partition_of(click_key(click_in(record)), installation.partitions)


def click_in(record: Seen) -> Record:
    return decode("LinkClicked", record.value)
