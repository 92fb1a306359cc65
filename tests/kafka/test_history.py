"""Contradicting offsets, dedupe state and clicks on a real Kafka: the refusal, and each resolution."""

import json
import os
import subprocess
from collections.abc import Iterable

from confluent_kafka import TopicPartition

from consumer.verify.reference_model import ReferenceModel
from schemas.topics import LINK_CLICKS
from tests.builders import Record, a_link, an_action
from tests.support.deployment import UPDATES, Deployment
from tests.support.outcome import assert_exact, hits, look_at, read_all
from tests.support.patience import stretched
from tests.support.records import click_by
from tests.support.waiting import wait_until
from tests.support.worker import LINK_ACTIONS

LINK = a_link(an_action("SetField"), link_id="plain")
PEOPLE = 40
SECONDS = 30.0
REFUSED = 6


def clicks_of(number: int) -> list[Record]:
    return [click_by(f"r-{each}", "plain", clicked_at=1_700_000_000_000 + number) for each in range(PEOPLE)]


def at_work(deployment: Deployment) -> list[Record]:
    """Have a worker do one click of everyone, and publish another one; return both."""
    deployment.define(LINK)
    first, second = clicks_of(0), clicks_of(1)
    deployment.click(*first)
    deployment.drain()
    deployment.click(*second)
    return [*first, *second]


def command(deployment: Deployment, *words: str) -> "subprocess.CompletedProcess[str]":
    environ = {
        **os.environ,
        "LINK_ACTIONS_BOOTSTRAP_SERVERS": deployment.servers,
        "LINK_ACTIONS_TOPIC_PREFIX": deployment.prefix,
        "LINK_ACTIONS_GROUP_ID": deployment.group,
        "LINK_ACTIONS_INSTANCE_ID": "drain",
        "LINK_ACTIONS_STATE_DIR": str(deployment.folder / "state"),
    }
    return subprocess.run(
        [*LINK_ACTIONS, *words], env=environ, capture_output=True, text=True, check=False, timeout=stretched(60)
    )


def reconcile(deployment: Deployment, way: str) -> None:
    """Resolve the contradiction, after a dry run that changes nothing."""
    before = deployment.committed()
    rehearsed = command(deployment, "state", "reconcile", f"--{way}", "--dry-run")
    assert rehearsed.returncode == 0, rehearsed.stderr
    assert deployment.committed() == before
    done = command(deployment, "state", "reconcile", f"--{way}", "--yes")
    assert done.returncode == 0, done.stderr
    again = command(deployment, "state", "reconcile")
    assert "there is nothing to do" in again.stdout, again.stderr


def assert_refused(deployment: Deployment, told: str) -> None:
    """Assert that worker and doctor tell it, twice, and that no click is handled."""
    updates = counted(deployment)
    for _ in range(2):
        worker = deployment.start("drain", "--drain")
        assert worker.wait_exit(timeout=SECONDS) == REFUSED
        assert told in worker.log
        assert "link-actions state reconcile --" in worker.log
    examined = command(deployment, "doctor", "--json")
    findings = [json.loads(line) for line in examined.stdout.splitlines()]
    (history,) = [each for each in findings if each["subject"] == "history"]
    assert history["status"] == "fail"
    assert told in history["seen"]
    assert examined.returncode == REFUSED
    assert counted(deployment) == updates


def counted(deployment: Deployment) -> int:
    return sum(map(len, read_all(deployment, *UPDATES)))


def expected_updates(*memories: Iterable[Record]) -> int:
    """Count what is expected with a model of its own for each dedupe state."""
    total = 0
    for clicks in memories:
        model = ReferenceModel([LINK], partitions=4)
        for click in clicks:
            model.click(click)
        total += len(model.expected)
    return total


def lose_offsets(deployment: Deployment) -> None:
    """Do as a broker does some days after the last member left."""
    wait_until(lambda: deployment.group_state() == "EMPTY", "group without members")
    deployment.admin.delete_consumer_groups([deployment.group])[deployment.group].result(timeout=stretched(SECONDS))
    wait_until(lambda: not deployment.committed(), "end of what was committed")


def delete_topic(deployment: Deployment, name: str) -> None:
    topic = deployment.topic(name)
    deployment.admin.delete_topics([topic])[topic].result(timeout=stretched(SECONDS))
    wait_until(lambda: topic not in deployment.admin.list_topics().topics, "end of the topic")


def delete_clicks(deployment: Deployment) -> dict[int, int]:
    """Delete all but the last click of each partition; return the first offset that is left."""
    ends = deployment.publisher.ends(deployment.topic(LINK_CLICKS))
    places = [TopicPartition(deployment.topic(LINK_CLICKS), p, end - 1) for p, end in ends.items()]
    for future in deployment.admin.delete_records(places).values():
        future.result(timeout=stretched(SECONDS))
    return {place.partition: place.offset for place in places}


def test_a_changelog_that_was_deleted_and_created_again(deployment: Deployment) -> None:
    clicks = at_work(deployment)
    delete_topic(deployment, deployment.changelog)
    assert_refused(deployment, "is missing, and group")
    deployment.create_topics(leaving_out=[name for name in deployment.topics if name != deployment.changelog])
    assert_refused(deployment, "but the changelog is empty")
    reconcile(deployment, "accept-lost-memory")
    deployment.drain()

    assert counted(deployment) == expected_updates(clicks[:PEOPLE], clicks[PEOPLE:]) == 2 * PEOPLE


def test_missing_changelog_is_created_on_request_only(deployment: Deployment) -> None:
    clicks = at_work(deployment)
    delete_topic(deployment, deployment.changelog)
    done = command(deployment, "state", "reconcile", "--accept-lost-memory", "--yes")
    assert done.returncode == 0, done.stderr
    deployment.drain()

    assert counted(deployment) == expected_updates(clicks[:PEOPLE], clicks[PEOPLE:])


def test_offsets_that_are_gone_taken_from_the_memory(deployment: Deployment) -> None:
    at_work(deployment)
    lose_offsets(deployment)
    assert_refused(deployment, "has no committed offset")
    reconcile(deployment, "offsets-from-state")
    deployment.drain()

    assert_exact(deployment)


def test_expired_offsets_with_reprocessed_clicks(deployment: Deployment) -> None:
    clicks = at_work(deployment)
    lose_offsets(deployment)
    reconcile(deployment, "offsets-from-group")
    deployment.drain()

    outcome = look_at(deployment)
    assert outcome.comparison.is_exact, str(outcome.comparison)
    assert hits(deployment) == {("acme", "plain"): (0, PEOPLE + len(clicks), PEOPLE)}


def test_clicks_that_were_deleted_before_they_were_read(deployment: Deployment) -> None:
    clicks = at_work(deployment)
    done = deployment.committed()
    first = delete_clicks(deployment)
    assert_refused(deployment, "were deleted before they were read")
    reconcile(deployment, "skip-lost-clicks")
    worker = deployment.start("drain").wait_ready(assigned=4)
    deployment.wait_done()

    lost = {partition: first[partition] - done[partition] for partition in first}
    metrics = worker.metrics()
    assert {p: metrics["clicks_lost_total", str(p)] for p in lost} == lost
    assert metrics["records_consumed_total",] == len(clicks) - PEOPLE - sum(lost.values())
    assert counted(deployment) == PEOPLE
    assert worker.stop() == 0
    restarted = deployment.start("drain").wait_ready(assigned=4)
    assert restarted.metrics()["clicks_lost_total", "0"] == lost[0]
    assert restarted.stop() == 0


def test_clicks_that_are_deleted_under_a_running_worker(deployment: Deployment) -> None:
    """It stays in the group, so that only the client library can tell."""
    deployment.configure(**{"consumer.session.timeout.ms": "45000"})
    deployment.define(LINK)
    deployment.click(*clicks_of(0))
    worker = deployment.start("a").wait_ready(assigned=4)
    deployment.wait_done()
    worker.pause()
    # What the library has asked for before is answered by the first; it asks for no more while the process is stopped.
    deployment.click(*clicks_of(1))
    deployment.click(*(click for number in range(2, 5) for click in clicks_of(number)))
    delete_clicks(deployment)
    worker.resume()
    assert worker.wait_exit(timeout=90) == REFUSED
    assert "were deleted before they were read" in worker.log


def test_the_command_waits_for_no_worker(deployment: Deployment) -> None:
    at_work(deployment)
    worker = deployment.start("drain").wait_ready(assigned=4)
    refused = command(deployment, "state", "reconcile", "--skip-lost-clicks", "--yes")
    assert refused.returncode == 3
    assert "stop all of them" in refused.stderr
    assert worker.stop() == 0
