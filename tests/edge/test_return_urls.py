"""Addresses that scripts have set: for one recipient, in one epoch, until they end."""

from typing import Any

import pytest

from edge.return_urls import RETRY_SECONDS, ReturnUrls
from runtime.errors import Unavailable
from runtime.fake_kafka.cluster import FakeCluster
from runtime.fake_kafka.log_reader import FakeLogReader
from runtime.fake_kafka.publisher import FakePublisher
from runtime.fake_kafka.topic_admin import FakeTopicAdmin
from runtime.kafka.admin.topics import Cleanup, TopicSpec
from runtime.state.in_memory import MemoryState
from schemas.codec import Codec
from schemas.topics import RETURN_URLS
from tests.builders import NOON, an_action
from tests.edge.parts import SCHEMAS, a_responder, a_token, an_edge_link, clicks_of, get, header
from tests.turned_clock import TurnedClock

CODEC = Codec(SCHEMAS["ReturnUrlSet"])
URL = "https://www.example.com/next"
PARTITIONS = 2


class Topic:
    """The topic, and what an edge knows of it."""

    def __init__(self) -> None:
        self.clock = TurnedClock()
        self.cluster = FakeCluster(self.clock)
        self.state = MemoryState()
        admin = FakeTopicAdmin(self.cluster)
        admin.create_topics([TopicSpec(RETURN_URLS, Cleanup.COMPACT)], partitions=PARTITIONS, replication_factor=1)
        self._publisher = FakePublisher(self.cluster)

    def set(self, recipient: str = "r-1", **changes: Any) -> None:
        record = {"tenant_id": "acme", "link_id": "spring", "recipient_id": recipient, "url": URL, "epoch": 0}
        record |= {"update_id": "u", "clicked_at": NOON, "expires_at": NOON + 1} | changes
        self._publisher.publish(RETURN_URLS, CODEC.encode(record), f"acme/spring/{recipient}".encode())

    def end(self, recipient: str = "r-1") -> None:
        self._publisher.publish(RETURN_URLS, None, f"acme/spring/{recipient}".encode())

    def read(self, *, is_away: bool = False) -> ReturnUrls:
        def partitions() -> int:
            if is_away:
                raise Unavailable("away")
            return PARTITIONS

        reader = FakeLogReader(self.cluster, RETURN_URLS)
        urls = ReturnUrls(reader, self.state, CODEC, partitions=partitions, monotonic=self.clock.monotonic)
        urls.follow()
        return urls


def found(urls: ReturnUrls, recipient: str = "r-1", **changes: Any) -> bytes | None:
    return urls.find("acme", "spring", recipient, **({"epoch": 0, "now_ms": NOON} | changes))


@pytest.fixture
def topic() -> Topic:
    return Topic()


def test_address_is_for_its_recipient_in_its_epoch_until_it_ends(topic: Topic) -> None:
    topic.set()
    topic.set("r-2")
    topic.end("r-2")
    urls = topic.read()
    assert found(urls) == URL.encode()
    assert [found(urls, "r-2"), found(urls, "r-3"), found(urls, epoch=1), found(urls, now_ms=NOON + 1)] == [None] * 4


def test_newest_address_counts(topic: Topic) -> None:
    topic.set()
    urls = topic.read()
    topic.set(url=URL + "/2")
    urls.follow()
    assert found(urls) == f"{URL}/2".encode()


def test_addresses_outlive_the_process_while_kafka_is_away(topic: Topic) -> None:
    topic.set()
    topic.read()
    assert found(topic.read(is_away=True)) == URL.encode()


def test_broker_that_comes_back_is_asked_again(topic: Topic) -> None:
    answers = iter([False, True])

    def partitions() -> int:
        if not next(answers):
            raise Unavailable("away")
        return PARTITIONS

    topic.set()
    reader = FakeLogReader(topic.cluster, RETURN_URLS)
    urls = ReturnUrls(reader, topic.state, CODEC, partitions=partitions, monotonic=topic.clock.monotonic)
    urls.follow()
    urls.follow()
    assert found(urls) is None
    topic.clock.sleep(RETRY_SECONDS)
    urls.follow()
    assert found(urls) == URL.encode()


@pytest.mark.parametrize(("actions", "location"), [([an_action("RunScript")], URL), ([an_action()], None)])
def test_link_leads_there_if_it_runs_a_script(topic: Topic, actions: list[Any], location: str | None) -> None:
    topic.set()
    own = "https://www.example.com/spring"
    link = an_edge_link(*actions, url=own, response=("link_actions.RedirectResponse", {"url": own, "rules": []}))
    answer = a_responder(link, return_urls=topic.read())(get(f"/l/{a_token()}"))
    assert header(answer, "location") == (location or own)
    assert clicks_of(answer)[0]["url"] == (location or own)
