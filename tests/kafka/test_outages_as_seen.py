"""Probes and metrics while a broker is suspended, a disk is full, or there is nothing to do."""

import resource
import shutil
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from consumer.doctor.local import CONNECTIONS_TO_BROKER, DESCRIPTORS, FILES_OF_PARTITION
from deploy.kafka import Broker, KafkaProcess
from runtime.stream.group_watch import ASK_SECONDS
from tests.support.deployment import Deployment
from tests.support.outcome import assert_exact
from tests.support.traffic import LINKS, endless_clicks
from tests.support.waiting import wait_until
from tests.support.worker import Worker

ALL_ZERO = {"0": 0.0, "1": 0.0, "2": 0.0, "3": 0.0}


def by_partition(worker: Worker, name: str) -> dict[str, float]:
    return {labels[0]: value for (metric, *labels), value in worker.metrics().items() if metric == name}


def seconds_without_progress(worker: Worker) -> float:
    """Evaluate what the alert in docs/operations.md compares: time() - link_actions_last_progress_timestamp_seconds."""
    return time.time() - worker.metrics()["last_progress_timestamp_seconds",]


def test_a_broker_that_stands_still_is_seen(kafka_process: KafkaProcess, breakable_deployment: Deployment) -> None:
    deployment = breakable_deployment
    deployment.define(*LINKS)
    worker = deployment.start("a").wait_ready(assigned=4)
    wait_until(lambda: by_partition(worker, "lag_records") == ALL_ZERO, "lag of every partition of an idle worker")
    assert worker.metrics()["definitions_read_total",] == len(LINKS)
    deployment.click(*islice(endless_clicks(seed=1), 200))
    deployment.wait_done()
    kafka_process.pause()

    wait_until(lambda: worker.probe("/readyz")[0] == 503, "red /readyz", timeout=60)
    wait_until(lambda: not worker.assigned(), "end of the session", timeout=60)
    wait_until(lambda: seconds_without_progress(worker) > 3 * ASK_SECONDS, "standstill", timeout=60)
    assert worker.probe("/readyz")[0] == 503
    assert worker.probe("/livez")[0] == 200
    assert by_partition(worker, "lag_records").keys() == ALL_ZERO.keys()

    kafka_process.resume()
    worker.wait_ready(assigned=4, timeout=60)
    wait_until(lambda: by_partition(worker, "lag_records") == ALL_ZERO, "lag of every partition")
    wait_until(lambda: seconds_without_progress(worker) < ASK_SECONDS, "progress")
    assert_exact(deployment)


def test_a_full_disk_is_seen(deployment: Deployment) -> None:
    """If no disk can be filled, a limit keeps the process from extending its files."""
    deployment.define(*LINKS)
    clicks = endless_clicks(seed=2)
    worker = deployment.start("a").wait_ready(assigned=4)
    deployment.click(*islice(clicks, 12_000))
    deployment.wait_done()
    unlimited = resource.prlimit(worker.process_id, resource.RLIMIT_FSIZE, (40_000, resource.RLIM_INFINITY))
    deployment.click(*islice(clicks, 200))
    wait_until(lambda: worker.probe("/readyz")[1].get("interrupted"), "full disk")
    committed = deployment.total_committed()
    deployment.click(*islice(clicks, 1_000))
    assert worker.events("state.refused")
    assert not worker.events("broker.lost")

    wait_until(lambda: sum(by_partition(worker, "lag_records").values()) >= 1_000, "growing lag")
    wait_until(lambda: seconds_without_progress(worker) > 2 * ASK_SECONDS, "standstill")
    assert worker.probe("/readyz")[0] == 503
    assert worker.probe("/livez")[0] == 200
    assert deployment.total_committed() == committed

    resource.prlimit(worker.process_id, resource.RLIMIT_FSIZE, unlimited)
    deployment.wait_done()
    worker.wait_ready(assigned=4)
    wait_until(lambda: by_partition(worker, "lag_records") == ALL_ZERO, "lag of every partition")
    assert_exact(deployment)


def test_worker_recovers_from_exhausted_descriptors(deployment: Deployment) -> None:
    deployment.define(*LINKS)
    clicks = endless_clicks(seed=4)
    worker, other = (deployment.start(name) for name in ("a", "b"))
    for each in (worker, other):
        each.wait_ready(assigned=2)
    deployment.click(*islice(clicks, 400))
    deployment.wait_done()
    needed = DESCRIPTORS + FILES_OF_PARTITION * 4 + CONNECTIONS_TO_BROKER
    assert worker.descriptors < needed, "doctor promises less than a worker needs"
    _, hard = resource.prlimit(worker.process_id, resource.RLIMIT_NOFILE)
    resource.prlimit(worker.process_id, resource.RLIMIT_NOFILE, (10, hard))
    other.stop()

    detail = worker.wait_event("descriptors.exhausted")["detail"]
    assert "ulimit -n" in detail
    resource.prlimit(worker.process_id, resource.RLIMIT_NOFILE, (hard, hard))
    worker.wait_ready(assigned=4)
    deployment.click(*islice(clicks, 400))
    deployment.wait_done()
    assert len(worker.events("descriptors.exhausted")) < 5
    assert not worker.events("broker.lost")
    assert_exact(deployment)


def test_worker_is_ready_after_restore(deployment: Deployment) -> None:
    deployment.define(*LINKS)
    deployment.click(*islice(endless_clicks(seed=3), 2_000))
    deployment.drain("a")
    shutil.rmtree(deployment.state_of("a"))
    worker = deployment.start("a")
    wait_until(lambda: worker.probe("/readyz")[0], "answer of /readyz")
    assert seconds_without_progress(worker) < 3600, "the first page has the start of the process, not 1970"
    status, answer = worker.probe("/readyz")
    while status != 200:
        status, answer = worker.probe("/readyz")
        assert worker.is_running
    assert answer["assigned"] == [0, 1, 2, 3]
    assert by_partition(worker, "restore_remaining_records") == ALL_ZERO
    assert worker.metrics()["restore_records_total",] > 0
    wait_until(lambda: by_partition(worker, "lag_records") == ALL_ZERO, "lag of every partition")


@pytest.fixture
def small_deployment(kafka: Broker, topic_prefix: str, tmp_path: Path) -> Iterator[Deployment]:
    """With one partition."""
    deployment = Deployment(kafka, topic_prefix, tmp_path, partitions=1).create_topics()
    yield deployment
    deployment.close()


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_worker_without_partitions_is_ready(small_deployment: Deployment, protocol: str) -> None:
    deployment = small_deployment
    deployment.configure(consumer__group__protocol=protocol)
    first = deployment.start("a").wait_ready(assigned=1)
    second = deployment.start("b")
    wait_until(lambda: first.probe("/readyz")[0] == second.probe("/readyz")[0] == 200, "two ready workers")
    assert sorted([*first.assigned(), *second.assigned()]) == [0]
    wait_until(
        lambda: len(by_partition(first, "lag_records")) + len(by_partition(second, "lag_records")) == 1,
        "lag told by one worker alone",
    )
    for worker in (first, second):
        assert seconds_without_progress(worker) < 3 * ASK_SECONDS
