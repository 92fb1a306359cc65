"""The demo where no Kafka is to be had: the same loop on the twin in memory, workers as threads."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from actions.registry import load_kinds
from consumer.app.record_formats import topic_names
from consumer.clock import SystemClock
from consumer.config.settings import Settings
from consumer.demo.environment import PARTITIONS
from consumer.demo.flow import AWAY_SECONDS, KILL_AT_SHARE
from consumer.demo.links import definition_records, describe_links, read_links
from consumer.demo.memory_evidence import MemoryProgress, collect_memory_evidence
from consumer.demo.progress_reporter import ProgressReporter
from consumer.demo.sample import Sample
from consumer.demo.scenario import CHECKED, CHECKING, checked
from consumer.demo.sending import announce_sending
from consumer.demo.summary import Summary
from consumer.demo.thread_worker import ThreadWorker
from consumer.demo.watch import Watch
from consumer.fake_kafka.cluster import FakeCluster
from consumer.fake_kafka.publisher import FakePublisher
from consumer.fake_kafka.topic_admin import FakeTopicAdmin
from consumer.kafka.admin.topic_admin import create_topics
from schemas.record_schema import load_schemas

GROUP = "link-actions-demo"
WORKERS = 2
NOT_SHOWN = (
    "a real broker. This ran on a twin of Kafka in memory, which does what it is asked and never fails.",
    "a kill. No process was killed; the thread of a worker was cut off inside a transaction instead.",
    "more than one process. To see all that, install Docker, or Java 17 and Maven, and run the demo again.",
)


def run_in_memory(sample: Sample, narrator: ProgressReporter) -> Summary:
    """Do what can be done without a broker and return what was found. Raises a LinkActionsError."""
    narrator.say("going on with a twin of Kafka in this process, and threads instead of processes", style="bold yellow")
    cluster = FakeCluster(SystemClock())
    names = topic_names(_settings(0).kafka, load_kinds(load_schemas()))
    create_topics(FakeTopicAdmin(cluster), names, partitions=PARTITIONS, replication_factor=1)
    links, publisher = read_links(), FakePublisher(cluster)
    for key, value in definition_records(links, SystemClock()):
        publisher.publish(names.definitions, value, key)
    narrator.say(describe_links(links))
    with _running_workers(cluster) as workers:
        _let_clicks_flow(cluster, sample, workers, narrator)
    with narrator.waiting(CHECKING):
        findings = checked(lambda: collect_memory_evidence(cluster, names), sample)
    narrator.say(CHECKED)
    return Summary("a twin of Kafka in memory", sample.seed, narrator.seconds, None, findings, NOT_SHOWN)


def _settings(number: int) -> Settings:
    return Settings(bootstrap_servers="memory:9092", group_id=GROUP, instance_id=f"worker-{number}")


@contextmanager
def _running_workers(cluster: FakeCluster) -> Iterator[Sequence[ThreadWorker]]:
    """Start the workers and ask all to leave at the end. Raises what went wrong in one."""
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="worker") as executor:
        workers = [ThreadWorker(cluster, _settings(number), PARTITIONS, executor) for number in range(1, WORKERS + 1)]
        try:
            for worker in workers:
                worker.start()
            yield workers
        finally:
            for worker in workers:
                worker.ask_to_leave()
    for worker in workers:
        worker.require_left()


def _let_clicks_flow(
    cluster: FakeCluster, sample: Sample, workers: Sequence[ThreadWorker], narrator: ProgressReporter
) -> None:
    clicks = topic_names(_settings(0).kafka, {}).clicks
    group = MemoryProgress(cluster, GROUP, clicks)
    sending = announce_sending(sample, FakePublisher(cluster), clicks, narrator)
    *others, victim = workers
    total = len(sample.publications)
    with narrator.progress(total) as show, sending:
        watch = Watch(group, sending, show, workers)
        watch.until(lambda: sending.sent >= KILL_AT_SHARE * total)
        victim.cut_off()
        watch.running = others
        narrator.say(f"{victim.name} was cut off in the middle of a transaction", style="bold")
        watch.pause(AWAY_SECONDS)
        victim.start()
        watch.running = workers
        narrator.say(f"{victim.name} started again; clicks kept flowing", style="bold")
        watch.until(lambda: sending.is_done)
        narrator.say(f"all clicks are sent; {watch.look():,} are done")
        watch.until(group.is_done)
    narrator.say("all clicks are done")
