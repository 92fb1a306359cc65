"""Links that the edge looks up while a thread follows their topic, with a broker and without one."""

from collections.abc import Callable
from typing import TypeVar

import pytest
from structlog.testing import capture_logs

from actions.definition import UnreadableDefinition
from edge.link_cache import LinkCache, LinkNotReady
from runtime.fake_kafka.cluster import FakeCluster
from runtime.fake_kafka.log_reader import FakeLogReader
from runtime.fake_kafka.network import Lost
from runtime.fake_kafka.publisher import FakePublisher
from runtime.ports import RetriableError, StateRefused
from runtime.state.in_memory import MemoryState
from schemas.definition_key import definition_key, encode_link
from schemas.topics import LINK_DEFINITIONS
from tests.turned_clock import TurnedClock

Answer = TypeVar("Answer")
Compiled = tuple[int, bytes]


class Line:
    """The network of one edge, which may be cut."""

    def __init__(self) -> None:
        self.is_cut = False

    def ask(self, name: str, request: Callable[[], Answer]) -> Answer:
        if self.is_cut:
            raise Lost(name)
        return request()


class Links:
    """A topic of definitions, and the local state of one edge over several lives."""

    def __init__(self) -> None:
        self.cluster = FakeCluster(TurnedClock())
        self.cluster.create_topic(LINK_DEFINITIONS, 1)
        self.state = MemoryState()
        self.line = Line()
        self.compiled: list[Compiled] = []

    def define(self, link_id: str, version: int, value: bytes | None = b"") -> None:
        key = definition_key("acme", link_id, version)
        FakePublisher(self.cluster).publish(LINK_DEFINITIONS, value or (None if value is None else key), key)

    def open(self, topic_id: str | None = None) -> LinkCache[Compiled]:
        return LinkCache(
            FakeLogReader(self.cluster, LINK_DEFINITIONS, self.line), self.state, self._compile, topic_id=topic_id
        )

    def _compile(self, link_key: bytes, version: int, value: bytes) -> Compiled:
        assert link_key == key_of(value.split(b"/")[1].decode())
        self.compiled.append((version, value))
        return self.compiled[-1]


def key_of(link_id: str) -> bytes:
    return encode_link("acme", link_id)


def never() -> bool:
    return False


@pytest.fixture
def links() -> Links:
    return Links()


def test_newest_version_is_found_and_compiled_once(links: Links) -> None:
    links.define("a", 1)
    links.define("a", 2)
    table = links.open()
    table.catch_up(never)
    assert [table.find(key_of("a")) for _ in range(3)] == [(2, b"acme/a/2")] * 3
    assert links.compiled == [(2, b"acme/a/2")]


def test_next_version_replaces_the_compiled_one(links: Links) -> None:
    links.define("a", 1)
    table = links.open()
    table.catch_up(never)
    table.find(key_of("a"))
    links.define("a", 2)
    links.define("b", 1)
    table.follow(0)
    assert (table.find(key_of("a")), table.find(key_of("b"))) == ((2, b"acme/a/2"), (1, b"acme/b/1"))


def test_withdrawn_version_is_not_answered(links: Links) -> None:
    links.define("a", 1)
    links.define("a", 2)
    table = links.open()
    table.catch_up(never)
    table.find(key_of("a"))
    links.define("a", 2, None)
    table.follow(0)
    assert table.find(key_of("a")) == (1, b"acme/a/1")


def test_unknown_link_is_not_ready_before_all_are_read(links: Links) -> None:
    links.define("a", 1)
    table = links.open()
    with pytest.raises(LinkNotReady):
        table.find(key_of("b"))
    table.catch_up(never)
    assert table.find(key_of("b")) is None


def test_first_life_needs_a_broker(links: Links) -> None:
    links.line.is_cut = True
    with pytest.raises(RetriableError):
        links.open()


def test_second_life_answers_without_a_broker(links: Links) -> None:
    links.define("a", 1)
    first = links.open()
    first.catch_up(never)
    topic_id = first.attach()
    links.define("a", 2)
    links.line.is_cut = True
    table = links.open(topic_id)
    assert (table.find(key_of("a")), table.find(key_of("b"))) == ((1, b"acme/a/1"), None)
    with pytest.raises(RetriableError):
        table.attach()
    links.line.is_cut = False
    assert table.attach() == topic_id
    table.catch_up(never)
    assert table.find(key_of("a")) == (2, b"acme/a/2")


def test_recreated_topic_is_read_from_its_beginning(links: Links) -> None:
    links.define("a", 1)
    first = links.open()
    first.catch_up(never)
    topic_id = first.attach()
    links.cluster.recreate_topic(LINK_DEFINITIONS)
    links.define("b", 1)
    table = links.open(topic_id)
    assert table.find(key_of("a"))
    assert table.attach() != topic_id
    with pytest.raises(LinkNotReady):
        table.find(key_of("a"))
    table.catch_up(never)
    assert (table.find(key_of("a")), table.find(key_of("b"))) == (None, (1, b"acme/b/1"))


class Unlucky:
    """Compiles no link, or has no disk to read one from."""

    def __init__(self, links: Links, error: Exception) -> None:
        self.now = 0.0
        state = MemoryState()
        reader = FakeLogReader(links.cluster, LINK_DEFINITIONS, links.line)
        self._error = error
        self.table = LinkCache(reader, state, self._compile, topic_id=None, monotonic=lambda: self.now)
        self.table.catch_up(never)

    def _compile(self, _link_key: bytes, _version: int, _value: bytes) -> Compiled:
        raise self._error

    def events_of(self, *link_ids: str) -> list[str]:
        with capture_logs() as lines:
            for link_id in link_ids:
                with pytest.raises(type(self._error)):
                    self.table.find(key_of(link_id))
        return [line["event"] for line in lines]


def test_unreadable_link_is_logged_once_in_a_while(links: Links) -> None:
    links.define("a", 1)
    links.define("b", 1)
    unlucky = Unlucky(links, UnreadableDefinition("of a newer program", newer=True))
    assert unlucky.events_of("a", "a", "b", "a", "b") == ["link.unreadable"] * 2
    unlucky.now = 60.0
    assert unlucky.events_of("a", "a") == ["link.unreadable"]


def test_refusing_disk_is_no_unreadable_link(links: Links) -> None:
    links.define("a", 1)
    links.define("b", 1)
    assert Unlucky(links, StateRefused("no disk")).events_of("a", "b", "a") == ["state.refused"]
