"""An edge on a real Kafka while something fails: a process, a record, the registry, descriptors, the disk."""

import os
import resource
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.registry_double import running_registry
from consumer.verify.reader import read_topic
from deploy.kafka import Broker
from schemas.topics import LINK_CLICKS
from tests.builders import a_link, an_action
from tests.kafka.test_edge import a_path, an_edge, clicks_in_topic
from tests.support.deployment import Deployment
from tests.support.edge import Crowd, EdgeProcess
from tests.support.waiting import wait_until

pytestmark = pytest.mark.kafka


@pytest.fixture
def deployment(kafka: Broker, topic_prefix: str, tmp_path: Path) -> Iterator[Deployment]:
    deployment = Deployment(kafka, topic_prefix, tmp_path).create_topics()
    deployment.define(a_link(), a_link(an_action(), link_id="news"))
    yield deployment
    deployment.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def answered(crowd: Crowd, number: int) -> None:
    before = len(crowd.click_ids)
    wait_until(lambda: len(crowd.click_ids) >= before + number, "answers")


class TwoEdges(EdgeProcess):
    """A supervisor of two edges that share one port."""

    def __init__(self, deployment: Deployment) -> None:
        self._port = free_port()
        settings = {"LINK_ACTIONS_EDGE_PORT": str(self._port), "LINK_ACTIONS_WORKERS": "2"}
        super().__init__(deployment.servers, deployment.prefix, deployment.folder, "edges", settings=settings)

    @property
    def edge_port(self) -> int:
        return self._port

    @property
    def children(self) -> list[int]:
        path = Path(f"/proc/{self.process_id}/task/{self.process_id}/children")
        return [int(each) for each in path.read_text().split()]


def test_killed_edge_of_two_loses_nothing(deployment: Deployment) -> None:
    edges = TwoEdges(deployment)
    wait_until(lambda: edges.probe("/readyz")[0] == 200, edges._described("ready edges"), timeout=60)
    crowd = Crowd(edges.edge_port, a_path, connections=4)
    answered(crowd, 100)
    first, *_ = edges.children
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: first not in edges.children and len(edges.children) == 2, "restart")
    wait_until(lambda: edges.probe("/readyz")[0] == 200, "ready edges", timeout=60)
    others = Crowd(edges.edge_port, a_path, connections=4)
    answered(others, 100)
    ids = set(crowd.stop().click_ids) | set(others.stop().click_ids)
    spool = deployment.folder / "spool"
    wait_until(lambda: len([*spool.glob("edge-*")]) == 2, "takeover of the killed one's folder")
    assert any(sample[0] == "edge_clicks_total" for sample in edges.metrics())
    assert edges.stop() == 0
    assert ids <= {click["click_id"] for click in clicks_in_topic(deployment)}


def test_record_too_large_for_the_topic_blocks_no_other(deployment: Deployment) -> None:
    deployment.alter(LINK_CLICKS, {"max.message.bytes": "700"})
    edge = an_edge(deployment).wait_edge()
    noise = "".join(chr(33 + number * 7 % 90) for number in range(2_000))
    large = edge.get(a_path(1), **{"User-Agent": os.urandom(900).hex() + noise})
    small = [edge.get(a_path(number)).headers["Link-Actions-Click"] for number in range(2, 6)]
    line = edge.wait_event("record.refused")
    wait_until(lambda: edge.metrics()["edge_records_published_total",] >= 4, "publication of the others")
    assert edge.metrics()["edge_spool_refused_records",] == 1
    assert edge.stop() == 0
    assert large.headers["Link-Actions-Click"].encode() in Path(line["file"]).read_bytes()
    assert {click["click_id"] for click in clicks_in_topic(deployment)} == set(small)


def test_registry_decides_the_frame_and_may_be_away_at_the_next_start(deployment: Deployment) -> None:
    with running_registry() as double:
        settings = {"LINK_ACTIONS_SCHEMA_REGISTRY_URL": double.url}
        edge = an_edge(deployment, settings=settings).wait_edge()
        assert edge.get(a_path(1)).status == 302
        assert edge.stop() == 0
    edge = an_edge(deployment, settings=settings).wait_edge()
    assert edge.get(a_path(2)).status == 302
    assert edge.stop() == 0
    values = [seen.value for seen in read_topic(deployment.servers, deployment.topic(LINK_CLICKS))]
    assert [value[:1] for value in values if value] == [b"\0", b"\0"]


def limit(edge: EdgeProcess, which: int, soft: int) -> None:
    _, hard = resource.prlimit(edge.process_id, which)
    resource.prlimit(edge.process_id, which, (soft, hard))


def test_full_disk_is_answered_by_the_broker(deployment: Deployment) -> None:
    settings = {"LINK_ACTIONS_EDGE_SPOOL_LIMIT": "128 MiB"}
    edge = an_edge(deployment, settings=settings).wait_edge()
    _, hard = resource.prlimit(edge.process_id, resource.RLIMIT_FSIZE)
    limit(edge, resource.RLIMIT_FSIZE, 1 << 20)
    ids = [edge.get(a_path(number)).headers["Link-Actions-Click"] for number in range(5)]
    assert edge.probe("/readyz")[0] == 503
    resource.prlimit(edge.process_id, resource.RLIMIT_FSIZE, (hard, hard))
    wait_until(lambda: edge.probe("/readyz")[0] == 200, "use of the disk")
    ids.append(edge.get(a_path(9)).headers["Link-Actions-Click"])
    assert edge.stop() == 0
    recorded = {each for each in ids if each}  # the first ones may come before the connection to the broker
    assert len(recorded) > 1
    assert recorded <= {click["click_id"] for click in clicks_in_topic(deployment)}


def test_edge_out_of_descriptors_recovers(deployment: Deployment) -> None:
    edge = an_edge(deployment).wait_edge()
    assert edge.get(a_path(1)).status == 302
    before, _ = resource.prlimit(edge.process_id, resource.RLIMIT_NOFILE)
    limit(edge, resource.RLIMIT_NOFILE, edge.descriptors)
    many = [socket.create_connection(("127.0.0.1", edge.edge_port), timeout=5) for _ in range(20)]
    time.sleep(1)
    limit(edge, resource.RLIMIT_NOFILE, before)
    for each in many:
        each.close()
    wait_until(lambda: edge.get(a_path(2)).status == 302, "answers")
    assert edge.stop() == 0


def test_stop_answers_or_closes_what_is_open(deployment: Deployment) -> None:
    edge = an_edge(deployment).wait_edge()
    crowd = Crowd(edge.edge_port, a_path, connections=4)
    answered(crowd, 100)
    assert edge.stop() == 0
    ids = crowd.stop().click_ids
    assert set(ids) <= {click["click_id"] for click in clicks_in_topic(deployment)}
