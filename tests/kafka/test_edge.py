"""The edge on a real Kafka: every answered click arrives, whatever happens to edge and broker.

The judge reads the topic with the independent reader and decodes the clicks with the library.
"""

import sys
import time
from collections import Counter
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import murmur2
from fastavro import schemaless_reader

from consumer.verify.reader import read_topic
from deploy.kafka import Broker, KafkaProcess
from schemas.record_schema import load_schemas
from schemas.topics import LINK_CLICKS
from tests.builders import a_link, an_action
from tests.support.deployment import Deployment
from tests.support.edge import Crowd, EdgeProcess, link_path
from tests.support.waiting import wait_until

pytestmark = pytest.mark.kafka

KILLS = 5
LOAD_SECONDS = 0.6
FRAME_BYTES = 10
MAX_DOUBLED_PER_KILL = 20_000
"""The records in flight when an edge is killed; the broker may have had each of them."""
HASTY = (sys.executable, "-m", "tests.support.hasty_edge", "edge", "run")
LINKS = (a_link(), a_link(an_action(), link_id="news"))
SCHEMA = load_schemas()["LinkClicked"].parsed


@pytest.fixture
def deployment(kafka: Broker, topic_prefix: str, tmp_path: Path) -> Iterator[Deployment]:
    deployment = Deployment(kafka, topic_prefix, tmp_path).create_topics()
    deployment.define(*LINKS)
    yield deployment
    deployment.close()


def an_edge(deployment: Deployment, name: str = "edge-a", **options: Any) -> EdgeProcess:
    return EdgeProcess(deployment.servers, deployment.prefix, deployment.folder, name, **options)


def clicks_in_topic(deployment: Deployment) -> list[dict[str, Any]]:
    """Every click in the topic, checked to have the key and partition of its recipient."""
    clicks = []
    for seen in read_topic(deployment.servers, deployment.topic(LINK_CLICKS)):
        assert seen.value
        assert seen.key
        click: Any = schemaless_reader(BytesIO(seen.value[FRAME_BYTES:]), SCHEMA, None)
        assert seen.key.decode() == f"{click['tenant_id']}/{click['recipient_id']}"
        assert seen.partition == murmur2(seen.key, deployment.partitions)
        clicks.append(click)
    return clicks


def a_path(number: int) -> str:
    return link_path("spring", f"r-{number}")


def lost_by_kills(deployment: Deployment, kills: int, **options: Any) -> tuple[set[str], int]:
    """Kill an edge under load again and again; return the answered clicks that never arrive, and how many doubled."""
    answered: list[str] = []
    for _ in range(kills):
        edge = an_edge(deployment, **options).wait_edge()
        crowd = Crowd(edge.edge_port, a_path)
        wait_until(lambda crowd=crowd: len(crowd.click_ids) > 50, "answers")  # type: ignore[misc]
        time.sleep(LOAD_SECONDS)
        edge.kill()
        answered += crowd.stop().click_ids
    last = an_edge(deployment).wait_edge()
    spool = deployment.folder / "spool"
    wait_until(lambda: len([*spool.iterdir()]) == 1, "takeover of every folder")
    assert last.stop() == 0
    numbers = Counter(click["click_id"] for click in clicks_in_topic(deployment))
    return set(answered) - numbers.keys(), sum(number - 1 for number in numbers.values())


def test_kills_lose_no_answered_click(deployment: Deployment) -> None:
    lost, doubled = lost_by_kills(deployment, KILLS)
    assert lost == set()
    assert doubled <= KILLS * MAX_DOUBLED_PER_KILL


def test_judge_sees_an_edge_that_answers_first(deployment: Deployment) -> None:
    lost, _ = lost_by_kills(deployment, 1, program=HASTY)
    assert lost


def test_spool_is_empty_after_a_stop(deployment: Deployment) -> None:
    edge = an_edge(deployment).wait_edge()
    crowd = Crowd(edge.edge_port, a_path)
    wait_until(lambda: len(crowd.click_ids) > 100, "answers")
    crowd.stop()
    assert edge.stop() == 0
    assert [*(deployment.folder / "spool").iterdir()] == []
    assert set(crowd.click_ids) <= {click["click_id"] for click in clicks_in_topic(deployment)}


def test_published_links_are_answered_without_a_restart(deployment: Deployment) -> None:
    edge = an_edge(deployment).wait_edge()
    path = link_path("later", "r-1")
    assert edge.get(path).status == 404
    deployment.define(a_link(link_id="later"))
    wait_until(lambda: edge.get(path).status == 302, "answer of a new link")
    url = "https://example.com/newer"
    response = ("link_actions.RedirectResponse", {"url": url, "rules": []})
    deployment.define(a_link(link_id="later", version=2, url=url, response=response))
    wait_until(lambda: edge.get(path).headers["Location"] == url, "answer of the next version")
    edge.stop()


def test_changed_keyring_is_read_without_a_restart(deployment: Deployment) -> None:
    edge = an_edge(deployment).wait_edge()
    keyring = deployment.folder / "keyring.yaml"
    assert edge.get(a_path(1)).status == 302
    keyring.write_text(keyring.read_text().replace("state: signing", "state: revoked"))
    wait_until(lambda: edge.get(a_path(1)).status == 404, "refusal of a revoked key")
    keyring.write_text("nonsense: [")
    edge.wait_event("keyring.refused")
    assert edge.get(a_path(1)).status == 404
    edge.stop()


@pytest.fixture
def alone(kafka_process: KafkaProcess, topic_prefix: str, tmp_path: Path) -> Iterator[Deployment]:
    """On a broker that the test may disturb."""
    deployment = Deployment(kafka_process, topic_prefix, tmp_path).create_topics()
    deployment.define(*LINKS)
    yield deployment
    deployment.close()


def test_frozen_broker_is_not_noticed_by_people(alone: Deployment, kafka_process: KafkaProcess) -> None:
    edge = an_edge(alone).wait_edge()
    crowd = Crowd(edge.edge_port, a_path)
    wait_until(lambda: len(crowd.click_ids) > 100, "answers")
    kafka_process.pause()
    before = len(crowd.click_ids)
    time.sleep(3)
    wait_until(lambda: len(crowd.click_ids) > before + 200, "answers without a broker")
    assert edge.metrics()["edge_spool_oldest_seconds",] > 1
    assert edge.probe("/readyz")[0] == 200
    kafka_process.resume()
    crowd.stop()
    edge.wait_published()
    assert edge.metrics()["edge_spool_oldest_seconds",] == 0
    assert edge.stop() == 0
    assert set(crowd.click_ids) <= {click["click_id"] for click in clicks_in_topic(alone)}


def test_second_start_needs_no_broker(alone: Deployment, kafka_process: KafkaProcess) -> None:
    edge = an_edge(alone).wait_edge()
    assert edge.get(a_path(1)).status == 302
    edge.wait_published()
    assert edge.stop() == 0
    kafka_process.kill()
    edge = an_edge(alone).wait_edge()
    answer = edge.get(a_path(2))
    assert (answer.status, edge.get(link_path("unknown", "r-1")).status) == (302, 404)
    kafka_process.start()
    edge.wait_published()
    assert edge.stop() == 0
    assert answer.headers["Link-Actions-Click"] in {click["click_id"] for click in clicks_in_topic(alone)}


def test_first_start_without_broker_says_what_to_do(tmp_path: Path) -> None:
    edge = EdgeProcess("127.0.0.1:1", "", tmp_path)
    assert edge.wait_exit(timeout=60) == 3
    assert "link-actions edge check" in edge.last_words
