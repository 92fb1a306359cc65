"""A running edge among strangers who hold thousands of connections: it answers others, and remains small."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import quantiles

import pytest

from deploy.kafka import Broker
from runtime.process.file_descriptors import limit, raise_limit
from tests.builders import a_link
from tests.kafka.test_edge import a_path, an_edge
from tests.support.deployment import Deployment
from tests.support.edge import Crowd
from tests.support.patience import YARDSTICK, stretched
from tests.support.strangers import attack_with, ranges, silence, slow_body, slow_headers
from tests.support.waiting import wait_until
from tests.support.worker import LINK_ACTIONS

pytestmark = pytest.mark.kafka

IDLE = 5_000
MIB_PER_CONNECTION = 0.02
DEADLINE_SECONDS = 20.0
"""Ten seconds, two to notice, and the time that it takes to connect so often; without a deadline it is for ever."""
P99_SECONDS = 0.5
"""Most of it is the moment in which all connect, in the process of those who click; a blocked edge takes seconds."""
FEW_DESCRIPTORS = ("sh", "-c", 'ulimit -n 160; exec "$@"', "sh", *LINK_ACTIONS, "edge", "run")


@pytest.fixture
def deployment(kafka: Broker, topic_prefix: str, tmp_path: Path) -> Iterator[Deployment]:
    deployment = Deployment(kafka, topic_prefix, tmp_path).create_topics()
    deployment.define(a_link())
    yield deployment
    deployment.close()


def test_slow_attacks(deployment: Deployment) -> None:
    raise_limit()
    number = min(IDLE, (limit() or IDLE) // 2)
    edge = an_edge(deployment).wait_edge()
    before_mib = edge.resident_mib
    crowd = Crowd(edge.edge_port, a_path, per_second=50)
    seconds = stretched(DEADLINE_SECONDS)
    attacks = (silence, silence, slow_headers, slow_body, ranges)
    borne = attack_with(attacks, edge.edge_port, connections=number, seconds=seconds)
    peak_mib = edge.peak_mib
    crowd.stop()
    assert borne.ended == borne.opened == number, borne
    assert peak_mib - before_mib < 10 + number * MIB_PER_CONNECTION
    assert len(crowd.click_ids) > 100
    assert quantiles(crowd.seconds, n=100)[98] < P99_SECONDS * YARDSTICK.stretch
    assert edge.stop() == 0


def test_few_descriptors(deployment: Deployment) -> None:
    """Connections leave it the files that it needs, so that probes, spool and broker do not notice."""
    edge = an_edge(deployment, program=FEW_DESCRIPTORS).wait_edge()
    assert edge.get(a_path(1)).status == 302
    busy = edge.cpu_seconds
    with ThreadPoolExecutor(1) as stranger:
        attack = stranger.submit(attack_with, [silence], edge.edge_port, connections=300, seconds=3)
        edge.wait_event("connections.refused")
        assert edge.probe("/livez")[0] == 200
        assert attack.result().ended > 0
    assert len(edge.events("connections.refused")) == 1
    assert edge.cpu_seconds - busy < 1.5
    wait_until(lambda: edge.get(a_path(2)).status == 302, "answer")
    edge.wait_published()
    assert edge.stop() == 0
