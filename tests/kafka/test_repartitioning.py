"""More partitions with the dedupe state kept, on a real Kafka: clicks before and after, compared as one history."""

import os
import subprocess
from itertools import islice

from consumer.verify.murmur import partition_of
from tests.builders import Record
from tests.support.deployment import Deployment
from tests.support.outcome import assert_exact, hits, look_at
from tests.support.patience import stretched
from tests.support.records import click_key
from tests.support.traffic import LINKS, endless_clicks
from tests.support.worker import LINK_ACTIONS

# The hits that a script is told of are those of its partition, and so depend on the count.
PLAIN_LINKS = tuple(link for link in LINKS if link["link_id"] != "counting")


def test_people_who_clicked_before_are_known_after(deployment: Deployment) -> None:
    deployment.define(*PLAIN_LINKS)
    clicks = (click for click in endless_clicks(seed=21, recipients=300) if click["link_id"] != "counting")
    before, after = list(islice(clicks, 3_000)), list(islice(clicks, 3_000))
    deployment.click(*before)
    worker = deployment.start("a").wait_ready(assigned=4, timeout=90)
    refused = repartition(deployment, 7)
    assert refused.returncode == 3
    assert "stop all of them" in refused.stderr
    deployment.wait_done()
    assert worker.stop() == 0
    assert_exact(deployment, before)

    rehearsed, done = repartition(deployment, 7, "--dry-run"), repartition(deployment, 7)
    assert (rehearsed.returncode, done.returncode) == (0, 0), rehearsed.stderr + done.stderr
    assert rehearsed.stdout.split()[0] == done.stdout.split()[0]
    assert int(done.stdout.split()[0]) > 1_000
    assert repartition(deployment, 7).stdout.startswith("0 entries")

    assert {click_key(click) for click in before} & {click_key(click) for click in after}
    deployment.partitions = 7
    deployment._publisher = None  # the old one knows the new partitions minutes later
    deployment.click(*after)
    supervisor = deployment.start("a", "--workers", "2").wait_ready(assigned=7, timeout=90)
    deployment.wait_done()
    assert supervisor.stop() == 0
    assert_once(deployment, before, after)


def assert_once(deployment: Deployment, before: list[Record], after: list[Record]) -> None:
    """Assert exactly once over both; what came of earlier clicks lies where these did, and so is met out of turn."""
    outcome = look_at(deployment, [*before, *after])
    comparison = outcome.comparison
    wrong = [*comparison.missing, *comparison.doubled, *comparison.unexpected, *outcome.dead_letters]
    assert not wrong, str(comparison)
    earlier = {click["click_id"] for click in before}
    for each in comparison.differing:
        assert each.expected.record["click_id"] in earlier, each
        assert all(difference.startswith("the partition is") for difference in each.differences), each
    for unordered in comparison.out_of_order:
        assert partition_of(unordered.key, 4) != partition_of(unordered.key, 7), unordered
    assert hits(deployment) == outcome.model.hits


def repartition(deployment: Deployment, partitions: int, *options: str) -> "subprocess.CompletedProcess[str]":
    """Run the tool."""
    environ = {
        **os.environ,
        "LINK_ACTIONS_BOOTSTRAP_SERVERS": deployment.servers,
        "LINK_ACTIONS_TOPIC_PREFIX": deployment.prefix,
        "LINK_ACTIONS_GROUP_ID": deployment.group,
        "LINK_ACTIONS_STATE_DIR": str(deployment.folder / "state"),
    }
    command = [*LINK_ACTIONS, "state", "repartition", "--partitions", str(partitions), *options]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=stretched(120))
