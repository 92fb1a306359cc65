"""Runs one after the other on the same broker: none finds what another has left."""

from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from confluent_kafka.admin import AdminClient, NewTopic

from bench.candidate import Job, Output, Running
from bench.candidates.link_actions import LinkActions
from bench.constant_rate import Traffic, measure
from bench.environment import Environment
from bench.shape import Shape
from bench.workload import Workload
from deploy.kafka import Broker
from tests.support.patience import stretched
from tests.support.waiting import wait_until

TRAFFIC = Traffic(rate=200, warm_up_seconds=1, seconds=1)


@dataclass
class Leaving:
    """Does its work, and leaves a topic that is named after its group, as Kafka Streams does."""

    name: str = "leaving"
    guarantee: str = ""
    output: Output = Output.UPDATES
    ends_by_itself: bool = False
    groups: list[str] = field(default_factory=list)

    def supports(self, _shape: Shape) -> bool:
        return True

    def prepare(self) -> None: ...

    def start(self, job: Job) -> Running:
        self.groups.append(job.group)
        admin = AdminClient({"bootstrap.servers": job.servers})
        admin.create_topics([NewTopic(f"{job.group}-store-changelog", 1)])[f"{job.group}-store-changelog"].result()
        return LinkActions(drain=False).start(job)


def test_each_run_is_a_group_of_its_own_and_leaves_nothing(kafka: Broker, tmp_path: Path, topic_prefix: str) -> None:
    candidate = Leaving()
    for number in range(2):
        shape = Shape(f"{topic_prefix.rstrip('.')}-{number}")
        with closing(Environment(kafka.bootstrap_servers, tmp_path, Workload(shape, TRAFFIC.clicks))) as environment:
            latency = measure(environment, candidate, TRAFFIC)
        assert 0 < latency.p50 <= latency.p99

    assert len(set(candidate.groups)) == 2
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    # A topic that is deleted may be listed for a moment.
    wait_until(lambda: not left_of(candidate, admin), lambda: f"end of {left_of(candidate, admin)}")


def left_of(candidate: Leaving, admin: AdminClient) -> list[str]:
    """The topics there are whose names have one of its groups in them."""
    topics = admin.list_topics(timeout=stretched(10)).topics
    return [topic for topic in topics if any(group in topic for group in candidate.groups)]


def test_missing_topic_counts_as_deleted(kafka: Broker, tmp_path: Path, topic_prefix: str) -> None:
    """The list that the names come from may be older than the topic's end."""
    shape = Shape(topic_prefix.rstrip("."))
    with closing(Environment(kafka.bootstrap_servers, tmp_path, Workload(shape, TRAFFIC.clicks))) as environment:
        environment.publish_links()
        names = [environment.names.clicks, f"{topic_prefix}never-there", environment.names.hits]
        environment._delete(names)
        environment._delete(names)
        admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
        wait_until(lambda: not admin.list_topics().topics.keys() & set(names), "end of the topics")
