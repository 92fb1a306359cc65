"""Topics that are not as they must be: one sentence, exit code 3, nothing done."""

import socket
from collections.abc import Mapping
from itertools import islice
from typing import Any

import pytest
from confluent_kafka.admin import NewPartitions

from schemas.topics import DEAD_LETTERS, LINK_CLICKS, LINK_DEFINITIONS, LINK_HITS
from tests.support.deployment import UPDATES, Deployment
from tests.support.patience import stretched
from tests.support.traffic import LINKS, endless_clicks
from tests.support.worker import Worker

UNAVAILABLE = 3

WRONG: Mapping[str, tuple[Mapping[str, Any], tuple[str, ...]]] = {
    "a topic is missing": ({"leaving_out": [DEAD_LETTERS]}, ("Missing", DEAD_LETTERS, "topics create")),
    "updates have too few partitions": ({"counts": {UPDATES[0]: 3}}, (UPDATES[0], "3 partitions", "must have 4")),
    "updates have too many partitions": ({"counts": {UPDATES[0]: 5}}, (UPDATES[0], "5 partitions", "must have 4")),
    "definitions have two partitions": ({"counts": {LINK_DEFINITIONS: 2}}, (LINK_DEFINITIONS, "must have 1")),
    "definitions are not compacted": (
        {"configs": {LINK_DEFINITIONS: {"cleanup.policy": "delete"}}},
        (LINK_DEFINITIONS, "compact", "kafka-configs.sh"),
    ),
}


@pytest.mark.parametrize(("topics", "words"), WRONG.values(), ids=WRONG.keys())
def test_wrong_topics_are_refused_in_one_sentence(
    bare_deployment: Deployment, topics: Mapping[str, Any], words: tuple[str, ...]
) -> None:
    worker = bare_deployment.create_topics(**topics).start("a")
    assert_refuses(worker, *words)


def test_a_broker_that_is_away_is_named(bare_deployment: Deployment) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        address = f"127.0.0.1:{nobody.getsockname()[1]}"
    worker = bare_deployment.start("a", settings={"LINK_ACTIONS_BOOTSTRAP_SERVERS": address})
    assert_refuses(worker, address, "LINK_ACTIONS_BOOTSTRAP_SERVERS")


def test_changed_partition_count_stops_the_worker(deployment: Deployment) -> None:
    deployment.configure(topic__metadata__refresh__interval__ms="300")
    deployment.define(*LINKS)
    deployment.click(*islice(endless_clicks(seed=1), 200))
    worker = deployment.start("a").wait_ready()
    deployment.wait_done()
    grow(deployment, LINK_CLICKS)
    assert_refuses(worker, "4 partitions", "link-actions doctor")
    assert_refuses(deployment.start("a"), LINK_CLICKS, "link-actions state repartition --partitions")
    grow(deployment, *UPDATES, LINK_HITS, DEAD_LETTERS, deployment.changelog)
    assert_refuses(deployment.start("a"), "dedupe state", "4 partitions")
    assert_refuses(deployment.start("b"), "dedupe state", "4 partitions")


def assert_refuses(worker: Worker, *words: str) -> None:
    assert worker.wait_exit() == UNAVAILABLE, worker.log
    assert len(worker.events("command.failed")) == 1, worker.log
    missing = [word for word in words if word not in worker.last_words]
    assert not missing, f"{missing} are not in: {worker.last_words}"


def grow(deployment: Deployment, *topics: str) -> None:
    wanted = [NewPartitions(deployment.topic(topic), deployment.partitions + 2) for topic in topics]
    for future in deployment.admin.create_partitions(wanted).values():
        future.result(timeout=stretched(30))
