"""Contradicting offsets, dedupe state and clicks on a real Kafka: the refusal, and each resolution."""

import json
import os
import subprocess
from collections.abc import Iterable

from confluent_kafka import TopicPartition

from consumer.verify.reference_model import ReferenceModel
from schemas.topics import LINK_CLICKS
from tests.builders import Record, a_link, an_action
from tests.support.deployment import UPDATES, Installation
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


def at_work(installation: Installation) -> list[Record]:
    """Have a worker do one click of everyone, and publish another one; return both."""
    installation.define(LINK)
    first, second = clicks_of(0), clicks_of(1)
    installation.click(*first)
    installation.drain()
    installation.click(*second)
    return [*first, *second]


def command(installation: Installation, *words: str) -> "subprocess.CompletedProcess[str]":
    environ = {
        **os.environ,
        "LINK_ACTIONS_BOOTSTRAP_SERVERS": installation.servers,
        "LINK_ACTIONS_TOPIC_PREFIX": installation.prefix,
        "LINK_ACTIONS_GROUP_ID": installation.group,
        "LINK_ACTIONS_INSTANCE_ID": "drain",
        "LINK_ACTIONS_STATE_DIR": str(installation.folder / "state"),
    }
    return subprocess.run(
        [*LINK_ACTIONS, *words], env=environ, capture_output=True, text=True, check=False, timeout=stretched(60)
    )


def reconcile(installation: Installation, way: str) -> None:
    """Resolve the contradiction, after a dry run that changes nothing."""
    before = installation.committed()
    rehearsed = command(installation, "state", "reconcile", f"--{way}", "--dry-run")
    assert rehearsed.returncode == 0, rehearsed.stderr
    assert installation.committed() == before
    done = command(installation, "state", "reconcile", f"--{way}", "--yes")
    assert done.returncode == 0, done.stderr
    again = command(installation, "state", "reconcile")
    assert "there is nothing to do" in again.stdout, again.stderr


def assert_refused(installation: Installation, told: str) -> None:
    """Assert that worker and doctor tell it, twice, and that no click is handled."""
    updates = counted(installation)
    for _ in range(2):
        worker = installation.start("drain", "--drain")
        assert worker.wait_exit(timeout=SECONDS) == REFUSED
        assert told in worker.log
        assert "link-actions state reconcile --" in worker.log
    examined = command(installation, "doctor", "--json")
    findings = [json.loads(line) for line in examined.stdout.splitlines()]
    (history,) = [each for each in findings if each["subject"] == "history"]
    assert history["status"] == "fail"
    assert told in history["seen"]
    assert examined.returncode == REFUSED
    assert counted(installation) == updates


def counted(installation: Installation) -> int:
    return sum(map(len, read_all(installation, *UPDATES)))


def expected_updates(*memories: Iterable[Record]) -> int:
    """Count what a model of its own for each memory expects."""
    total = 0
    for clicks in memories:
        model = ReferenceModel([LINK], partitions=4)
        for click in clicks:
            model.click(click)
        total += len(model.expected)
    return total


def lose_offsets(installation: Installation) -> None:
    """Do as a broker does some days after the last member left."""
    wait_until(lambda: installation.group_state() == "EMPTY", "group without members")
    installation.admin.delete_consumer_groups([installation.group])[installation.group].result(
        timeout=stretched(SECONDS)
    )
    wait_until(lambda: not installation.committed(), "end of what was committed")


def delete_topic(installation: Installation, name: str) -> None:
    topic = installation.topic(name)
    installation.admin.delete_topics([topic])[topic].result(timeout=stretched(SECONDS))
    wait_until(lambda: topic not in installation.admin.list_topics().topics, "end of the topic")


def delete_clicks(installation: Installation) -> dict[int, int]:
    """Delete all but the last click of each partition; return the first offset that is left."""
    ends = installation.publisher.ends(installation.topic(LINK_CLICKS))
    places = [TopicPartition(installation.topic(LINK_CLICKS), p, end - 1) for p, end in ends.items()]
    for future in installation.admin.delete_records(places).values():
        future.result(timeout=stretched(SECONDS))
    return {place.partition: place.offset for place in places}


def test_a_changelog_that_was_deleted_and_created_again(installation: Installation) -> None:
    clicks = at_work(installation)
    delete_topic(installation, installation.changelog)
    assert_refused(installation, "is missing, and group")
    installation.create_topics(leaving_out=[name for name in installation.topics if name != installation.changelog])
    assert_refused(installation, "but the changelog is empty")
    reconcile(installation, "accept-lost-memory")
    installation.drain()

    assert counted(installation) == expected_updates(clicks[:PEOPLE], clicks[PEOPLE:]) == 2 * PEOPLE


def test_missing_changelog_is_created_on_request_only(installation: Installation) -> None:
    clicks = at_work(installation)
    delete_topic(installation, installation.changelog)
    done = command(installation, "state", "reconcile", "--accept-lost-memory", "--yes")
    assert done.returncode == 0, done.stderr
    installation.drain()

    assert counted(installation) == expected_updates(clicks[:PEOPLE], clicks[PEOPLE:])


def test_offsets_that_are_gone_taken_from_the_memory(installation: Installation) -> None:
    at_work(installation)
    lose_offsets(installation)
    assert_refused(installation, "has no committed offset")
    reconcile(installation, "offsets-from-state")
    installation.drain()

    assert_exact(installation)


def test_expired_offsets_with_reprocessed_clicks(installation: Installation) -> None:
    clicks = at_work(installation)
    lose_offsets(installation)
    reconcile(installation, "offsets-from-group")
    installation.drain()

    outcome = look_at(installation)
    assert outcome.comparison.is_exact, str(outcome.comparison)
    assert hits(installation) == {("acme", "plain"): (0, PEOPLE + len(clicks), PEOPLE)}


def test_clicks_that_were_deleted_before_they_were_read(installation: Installation) -> None:
    clicks = at_work(installation)
    done = installation.committed()
    first = delete_clicks(installation)
    assert_refused(installation, "were deleted before they were read")
    reconcile(installation, "skip-lost-clicks")
    worker = installation.start("drain").wait_ready(assigned=4)
    installation.wait_done()

    lost = {partition: first[partition] - done[partition] for partition in first}
    metrics = worker.metrics()
    assert {p: metrics["clicks_lost_total", str(p)] for p in lost} == lost
    assert metrics["records_consumed_total",] == len(clicks) - PEOPLE - sum(lost.values())
    assert counted(installation) == PEOPLE
    assert worker.stop() == 0
    restarted = installation.start("drain").wait_ready(assigned=4)
    assert restarted.metrics()["clicks_lost_total", "0"] == lost[0]
    assert restarted.stop() == 0


def test_clicks_that_are_deleted_under_a_running_worker(installation: Installation) -> None:
    """It stays in the group, so that only the client library can tell."""
    installation.configure(**{"consumer.session.timeout.ms": "45000"})
    installation.define(LINK)
    installation.click(*clicks_of(0))
    worker = installation.start("a").wait_ready(assigned=4)
    installation.wait_done()
    worker.pause()
    # What the library has asked for before is answered by the first; it asks for no more while the process is stopped.
    installation.click(*clicks_of(1))
    installation.click(*(click for number in range(2, 5) for click in clicks_of(number)))
    delete_clicks(installation)
    worker.resume()
    assert worker.wait_exit(timeout=90) == REFUSED
    assert "were deleted before they were read" in worker.log


def test_the_command_waits_for_no_worker(installation: Installation) -> None:
    at_work(installation)
    worker = installation.start("drain").wait_ready(assigned=4)
    refused = command(installation, "state", "reconcile", "--skip-lost-clicks", "--yes")
    assert refused.returncode == 3
    assert "stop all of them" in refused.stderr
    assert worker.stop() == 0
