"""The demo without Kafka: the same loop on an in-memory fake, workers as threads."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from actions.registry import load_kinds
from consumer.app.record_formats import topic_names
from consumer.demo.click_sender import prepare_sender
from consumer.demo.environment import PARTITIONS
from consumer.demo.flow import DOWN_SECONDS, KILL_AT_SHARE
from consumer.demo.in_memory_evidence import InMemoryGroup, collect_in_memory_evidence
from consumer.demo.links import definition_records, describe_links, read_links
from consumer.demo.progress_reporter import ProgressReporter
from consumer.demo.sample import Sample
from consumer.demo.scenario import CHECKED, CHECKING, checked
from consumer.demo.summary import Summary
from consumer.demo.thread_worker import ThreadWorker
from consumer.demo.watch import Watch
from runtime.clock import SystemClock
from runtime.config.settings import Settings
from runtime.fake_kafka.cluster import FakeCluster
from runtime.fake_kafka.publisher import FakePublisher
from runtime.fake_kafka.topic_admin import FakeTopicAdmin
from runtime.kafka.admin.topic_admin import create_topics
from schemas.record_schema import load_schemas

GROUP = "link-actions-demo"
WORKERS = 2
NOT_SHOWN = (
    "a real broker (this ran on an in-memory fake of Kafka, which never fails)",
    "a kill (the thread of a worker was ended in the middle of a transaction instead)",
    "the edge (its clicks were published like the others)",
    "several processes (install Docker, or Java 17 with Maven, and run the demo again)",
)


def run_in_memory(sample: Sample, reporter: ProgressReporter) -> Summary:
    """Run the demo without a broker and return its result. Raises a LinkActionsError."""
    reporter.say("continuing with an in-memory fake of Kafka, and threads instead of processes", style="bold yellow")
    cluster = FakeCluster(SystemClock())
    names = topic_names(_settings(0).kafka, load_kinds(load_schemas()))
    create_topics(FakeTopicAdmin(cluster), names, partitions=PARTITIONS, replication_factor=1)
    links, publisher = read_links(), FakePublisher(cluster)
    for key, value in definition_records(links, SystemClock()):
        publisher.publish(names.definitions, value, key)
    reporter.say(describe_links(links))
    with _running_workers(cluster) as workers:
        _run_flow(cluster, sample, workers, reporter)
    with reporter.waiting(CHECKING):
        findings = checked(lambda: collect_in_memory_evidence(cluster, names), sample)
    reporter.say(CHECKED)
    return Summary("an in-memory fake of Kafka", sample.seed, reporter.seconds, None, findings, NOT_SHOWN)


def _settings(number: int) -> Settings:
    return Settings(bootstrap_servers="memory:9092", group_id=GROUP, instance_id=f"worker-{number}")


@contextmanager
def _running_workers(cluster: FakeCluster) -> Iterator[Sequence[ThreadWorker]]:
    """Start the workers; stop all afterwards. Raises the error that ended one."""
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="worker") as executor:
        workers = [ThreadWorker(cluster, _settings(number), PARTITIONS, executor) for number in range(1, WORKERS + 1)]
        try:
            for worker in workers:
                worker.start()
            yield workers
        finally:
            for worker in workers:
                worker.stop()
    for worker in workers:
        worker.wait_until_stopped()


def _run_flow(
    cluster: FakeCluster, sample: Sample, workers: Sequence[ThreadWorker], reporter: ProgressReporter
) -> None:
    clicks = topic_names(_settings(0).kafka, {}).clicks
    group = InMemoryGroup(cluster, GROUP, clicks)
    sender = prepare_sender(sample, FakePublisher(cluster), clicks, reporter)
    *others, victim = workers
    total = len(sample.publications)
    with reporter.progress(total) as show, sender:
        watch = Watch(group, sender, show, workers)
        watch.wait_until(lambda: sender.sent >= KILL_AT_SHARE * total)
        victim.crash()
        watch.running = others
        reporter.say(f"{victim.name} crashed in the middle of a transaction", style="bold")
        watch.wait(DOWN_SECONDS)
        victim.start()
        watch.running = workers
        reporter.say(f"{victim.name} restarted; clicks kept arriving", style="bold")
        watch.wait_until(lambda: sender.is_done)
        reporter.say(f"all clicks sent, {watch.poll():,} processed")
        watch.wait_until(group.is_done)
    reporter.say("all clicks processed")
