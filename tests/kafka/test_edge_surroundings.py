"""A running edge in odd surroundings: a wrong clock, no links, odd links, no topic, a keyring that changes."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.kafka import Broker
from schemas.topics import LINK_CLICKS, LINK_DEFINITIONS
from tests.builders import a_link
from tests.kafka import nasty_requests
from tests.kafka.test_edge import a_path, an_edge, clicks_in_topic
from tests.support.deployment import Deployment
from tests.support.edge import KEYRING, link_path
from tests.support.turned_edge import TURNED_SECONDS
from tests.support.waiting import wait_until

pytestmark = pytest.mark.kafka

TURNED = (sys.executable, "-m", "tests.support.turned_edge", "edge", "run")
HOUR, DAY = 3_600, 86_400
STOPPED_SECONDS = 1.5
ROOT = Path(__file__).parents[2]


@pytest.fixture
def bare(kafka: Broker, topic_prefix: str, tmp_path: Path) -> Iterator[Deployment]:
    """Without topics and links."""
    deployment = Deployment(kafka, topic_prefix, tmp_path)
    yield deployment
    deployment.close()


@pytest.fixture
def deployment(bare: Deployment) -> Deployment:
    bare.create_topics()
    bare.define(a_link())
    return bare


def test_every_group_has_a_test() -> None:
    """A group whose test is renamed or removed is noticed."""
    for test in nasty_requests.ELSEWHERE.values():
        file, _, name = test.partition("::")
        assert f"def {name}" in (ROOT / file).read_text(), test
    groups = {int(each.split()[0]) for each in nasty_requests.ELSEWHERE}
    assert groups | {row.group for row in nasty_requests.rows()} == set(range(33))


@pytest.mark.parametrize("seconds", [-HOUR, 2 * DAY])
def test_wrong_clock(deployment: Deployment, seconds: int) -> None:
    """The click has the wrong time. A broker that refuses such a time gets the record kept in a file."""
    deployment.alter(LINK_CLICKS, {"message.timestamp.after.max.ms": str(HOUR * 1000)})
    edge = an_edge(deployment, program=TURNED, settings={TURNED_SECONDS: str(seconds)}).wait_edge()
    answer = edge.get(a_path(1))
    click_id = answer.headers["Link-Actions-Click"]
    assert answer.status == 302
    if seconds < 0:
        edge.wait_published()
        (click,) = clicks_in_topic(deployment)
        assert click["click_id"] == click_id
        assert click["clicked_at"] < 1000 * (time.time() + seconds / 2)
    else:
        kept = Path(edge.wait_event("record.refused")["file"])
        assert click_id.encode() in kept.read_bytes()
    assert edge.stop() == 0


def test_no_links_odd_links(bare: Deployment) -> None:
    """An edge without links answers 404; a link that it cannot read is told once, and disturbs no other."""
    bare.create_topics()
    edge = an_edge(bare).wait_edge()
    odd, sound = link_path("odd", "r-1"), a_path(1)
    assert [edge.get(odd).status, edge.get(sound).status] == [404, 404]
    bare.publisher.publish(bare.topic(LINK_DEFINITIONS), b"\xc3\x01 nonsense", b"acme/odd/1", partition=0)
    bare.define(a_link())
    wait_until(lambda: edge.get(sound).status == 302, "answer of the first link")
    assert [edge.get(odd).status for _ in range(5)] == [503] * 5
    assert len(edge.events("link.unreadable")) == 1
    assert edge.stop() == 0


def test_missing_topic(bare: Deployment) -> None:
    """Clicks wait in the spool until the topic is there."""
    bare.create_topics(leaving_out=[LINK_CLICKS])
    bare.define(a_link())
    edge = an_edge(bare).wait_edge()
    answer = edge.get(a_path(1))
    assert answer.status == 302
    bare.create_topics(leaving_out=[each for each in bare.topics if each != LINK_CLICKS])
    edge.wait_published()
    assert edge.stop() == 0
    assert [click["click_id"] for click in clicks_in_topic(bare)] == [answer.headers["Link-Actions-Click"]]


def test_stopped_edge_goes_on(deployment: Deployment) -> None:
    edge = an_edge(deployment).wait_edge()
    assert edge.get(a_path(1)).status == 302
    edge.pause()
    time.sleep(STOPPED_SECONDS)
    edge.resume()
    assert edge.get(a_path(2)).status == 302
    assert edge.probe("/livez")[0] == 200
    assert edge.stop() == 0
    assert len(clicks_in_topic(deployment)) == 2


def test_keyring_while_running(deployment: Deployment) -> None:
    """A key that is removed takes its links with it; a file that cannot be used changes nothing."""
    edge = an_edge(deployment).wait_edge()
    keyring = deployment.folder / "keyring.yaml"
    assert edge.get(a_path(1)).status == 302
    keyring.chmod(0o644)
    wait_until(lambda: len(edge.events("keyring.refused")) == 1, "refusal of a file that others can read")
    keyring.unlink()
    wait_until(lambda: len(edge.events("keyring.refused")) == 2, "refusal of no file")
    assert edge.get(a_path(2)).status == 302
    keyring.touch(mode=0o600)
    keyring.write_text(KEYRING.replace("key_id: 1", "key_id: 2"))
    wait_until(lambda: edge.get(a_path(3)).status == 404, "end of the removed key")
    keyring.write_text(KEYRING)
    wait_until(lambda: edge.get(a_path(4)).status == 302, "return of the key")
    assert edge.stop() == 0
