"""A permanent refusal ends the worker with a message; during a temporary one it waits and is not ready."""

import os
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from threading import Event, Thread

import pytest
from confluent_kafka import Consumer

from deploy.kafka import TEST, KafkaProcess
from runtime.monitoring.log_throttle import REPEAT_SECONDS
from schemas.topics import LINK_CLICKS
from tests.support.deployment import Deployment
from tests.support.outcome import assert_exact
from tests.support.traffic import LINKS, endless_clicks
from tests.support.waiting import wait_until
from tests.support.worker import LINK_ACTIONS, Worker

USAGE = 2
STRICT = replace(
    TEST,
    settings={
        **TEST.settings,
        "group.max.size": "1",
        "group.coordinator.rebalance.protocols": "classic",
        "transaction.max.timeout.ms": "10000",
    },
)
A_LINK = """\
tenant: acme
links:
  - {id: offer, name: Offer, response: {redirect: "https://www.example.com/"}, actions: []}
"""


def assert_ends(worker: Worker, code: int, *words: str) -> None:
    assert worker.wait_exit() == code, worker.log
    missing = [word for word in words if word not in worker.last_words]
    assert not missing, f"{missing} are not in: {worker.last_words}"
    assert "Traceback" not in worker.log
    assert "another worker" not in worker.last_words


def refused(worker: Worker) -> str:
    """Return why /readyz is red, once the group has refused the worker."""

    def look() -> str:
        status, answer = worker.probe("/readyz")
        return str(answer["refused"]) if status == 503 and answer.get("refused") else ""

    return wait_until(look, lambda: f"refusal; {worker.log}")


def assert_logged_now_and_then(worker: Worker, begun: float) -> None:
    """See a line at once and then one in REPEAT_SECONDS, though the group refuses every two seconds."""
    lines = Counter(event["error"] for event in worker.events("consumer.disturbed"))
    assert lines
    assert max(lines.values()) <= 1 + (time.monotonic() - begun) // REPEAT_SECONDS


@contextmanager
def foreign_member(deployment: Deployment) -> Iterator[None]:
    """Have a member in the group that shares out partitions in another way."""
    consumer = Consumer(
        {
            "bootstrap.servers": deployment.servers,
            "group.id": deployment.group,
            "partition.assignment.strategy": "range",
        }
    )
    consumer.subscribe([deployment.topic(LINK_CLICKS)])
    ended = Event()

    def stay() -> None:
        while not ended.is_set():
            consumer.poll(0.1)

    thread = Thread(target=stay, name="foreign member", daemon=True)
    thread.start()
    try:
        wait_until(lambda: deployment.group_state() == "STABLE", "foreign member")
        yield
    finally:
        ended.set()
        thread.join()
        consumer.close()


REFUSED_FOR_GOOD = {
    "session": (
        {"session__timeout__ms": "500", "consumer__session__timeout__ms": "500", "heartbeat__interval__ms": "100"},
        ("group.min.session.timeout.ms", "echo consumer.session.timeout.ms="),
    ),
    "assignor": (
        {"consumer__group__protocol": "consumer", "consumer__group__remote__assignor": "no-such"},
        ("group.remote.assignor", "sed -i"),
    ),
}


@pytest.mark.parametrize(("properties", "words"), REFUSED_FOR_GOOD.values(), ids=REFUSED_FOR_GOOD.keys())
def test_what_no_waiting_changes_ends_the_worker(
    deployment: Deployment, properties: dict[str, str], words: tuple[str, ...]
) -> None:
    deployment.configure(**properties)

    assert_ends(deployment.start("a"), USAGE, *words)


def test_worker_is_not_ready_while_group_refuses_it(deployment: Deployment) -> None:
    deployment.define(*LINKS)
    with foreign_member(deployment):
        begun = time.monotonic()
        worker = deployment.start("a")
        assert "partition.assignment.strategy" in refused(worker)
        assert_logged_now_and_then(worker, begun)
    worker.wait_ready(assigned=deployment.partitions)
    assert worker.probe("/readyz")[1]["refused"] is None
    deployment.click(*islice(endless_clicks(seed=1), 100))
    deployment.wait_done()

    assert_exact(deployment)


@pytest.mark.parametrize("kafka_process", [STRICT], indirect=True, ids=["strict"])
def test_limits_of_a_strict_broker(
    kafka_process: KafkaProcess,  # noqa: ARG001 - the deployment is on it
    breakable_deployment: Deployment,
    tmp_path: Path,
) -> None:
    """One broker for all, since each takes seconds to start."""
    deployment = breakable_deployment
    for look in (transaction_timeout, author, new_protocol, full_group):
        look(deployment, tmp_path)


def transaction_timeout(deployment: Deployment, _folder: Path) -> None:
    words = ("transaction.max.timeout.ms", "echo producer.transaction.timeout.ms=")
    assert_ends(deployment.start("a"), USAGE, *words)


def author(deployment: Deployment, folder: Path) -> None:
    """Who publishes links is told the same, and tries once."""
    (folder / "links.yaml").write_text(A_LINK)
    code, said = command(deployment, "links", "publish", str(folder / "links.yaml"))
    assert (code, said.count("transaction.max.timeout.ms")) == (USAGE, 2), said
    assert "attempts" not in said
    code, said = command(deployment, "doctor")
    assert "transaction.max.timeout.ms" in said, said
    deployment.configure(producer__transaction__timeout__ms="10000")
    assert command(deployment, "links", "publish", str(folder / "links.yaml"))[0] == 0


def new_protocol(deployment: Deployment, _folder: Path) -> None:
    deployment.configure(consumer__group__protocol="consumer")
    assert_ends(deployment.start("b"), USAGE, "group.coordinator.rebalance.protocols=classic,consumer")
    deployment.configure(consumer__group__protocol="classic")


def full_group(deployment: Deployment, _folder: Path) -> None:
    first = deployment.start("c").wait_ready(assigned=deployment.partitions)
    begun = time.monotonic()
    second = deployment.start("d")
    assert "group.max.size" in refused(second)
    assert_logged_now_and_then(second, begun)
    assert first.stop() == 0
    second.wait_ready(assigned=deployment.partitions)


def command(deployment: Deployment, *arguments: str) -> tuple[int, str]:
    """Run a command with the settings of the workers, and return its exit code and what it says."""
    settings = {
        "LINK_ACTIONS_BOOTSTRAP_SERVERS": deployment.servers,
        "LINK_ACTIONS_TOPIC_PREFIX": deployment.prefix,
        "LINK_ACTIONS_GROUP_ID": deployment.group,
        "LINK_ACTIONS_KAFKA_CONFIG": str(deployment.write_properties()),
    }
    done = subprocess.run(
        [*LINK_ACTIONS, *arguments], env={**os.environ, **settings}, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr
