"""The demo on a real Kafka, step by step from the topics to the check."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from consumer.demo.browsing import NOTHING_BROWSED, Browsed, browse
from consumer.demo.crash import KilledWorker
from consumer.demo.edge_process import EdgeProcess
from consumer.demo.environment import PARTITIONS, Environment, create_demo_topics
from consumer.demo.evidence import Evidence, collect_evidence
from consumer.demo.failure import DemoFailed
from consumer.demo.findings import Findings, examine
from consumer.demo.flow import run_flow
from consumer.demo.links import describe_links, publish_links, read_links
from consumer.demo.progress_reporter import ProgressReporter
from consumer.demo.sample import Sample
from consumer.demo.summary import Summary
from consumer.demo.worker_process import WorkerProcess, wait_until_sharing
from consumer.verify.reader import NotReadable
from consumer.verify.update_record import UnknownKind

CHECKING = "reading all topics as a subscriber and comparing them with the reference model"
CHECKED = "all topics read as a subscriber and compared with the reference model"


def run_scenario(
    environment: Environment,
    sample: Sample,
    reporter: ProgressReporter,
    environ: Mapping[str, str],
    *,
    before_check: Callable[[Environment], None] = lambda _environment: None,
) -> Summary:
    """Run the demo and return its result, exact or not. Raises DemoFailed or another LinkActionsError.

    `before_check` lets a test tamper with what the workers wrote.
    """
    reporter.say(f"{create_demo_topics(environment)} topics created, the clicks topic with {PARTITIONS} partitions")
    links = read_links()
    publish_links(links, environment.settings)
    reporter.say(describe_links(links))
    with running_edge(environment, environ, sample) as edge, running_workers(environment, environ) as workers:
        with reporter.waiting("starting two worker processes"):
            wait_until_sharing(workers)
        for worker in workers:
            numbers = " and ".join(map(str, worker.assigned()))
            reporter.say(f"{worker.name} runs (process {worker.process_id}) with partitions {numbers}")
        browsed = _browse(edge, sample, reporter)
        killed = run_flow(environment, sample, workers, reporter)
        for line in account(killed, {worker.name: worker.clicks_counted() for worker in workers}):
            reporter.say(line)
        stop_workers(workers)
        reporter.say("both workers exited with code 0 after SIGTERM")
    before_check(environment)
    with reporter.waiting(CHECKING):
        findings = check(environment, sample, browsed)
    reporter.say(CHECKED)
    return Summary(environment.kafka, sample.seed, reporter.seconds, killed, findings)


def account(killed: KilledWorker, counted: Mapping[str, int]) -> Iterator[str]:
    """Yield the records of each worker and their sum, which is the total of the table below."""
    for name, records in counted.items():
        since = " since its restart" if name == killed.worker else ""
        yield f"{name} counted {records:,} records{since}"
    total = sum(counted.values()) + killed.done
    yield f"plus the {killed.done:,} that {killed.worker} had processed before the kill: {total:,} records"


def check(environment: Environment, sample: Sample, browsed: Browsed) -> Findings:
    """Read all topics with the independent reader and compare them with the model. Raises DemoFailed."""
    return checked(lambda: collect_evidence(environment.settings, environment.names), sample, browsed)


def checked(collect: Callable[[], Evidence], sample: Sample, browsed: Browsed = NOTHING_BROWSED) -> Findings:
    """Compare the evidence with the model. Raises DemoFailed if it cannot be read or has an unknown kind."""
    try:
        return examine(
            collect(),
            sample.broken,
            sent=len(sample.publications),
            partitions=PARTITIONS,
            answered=browsed.click_ids,
        )
    except (NotReadable, UnknownKind) as error:
        raise DemoFailed(f"The check cannot run: {error}") from error


@contextmanager
def running_workers(environment: Environment, environ: Mapping[str, str]) -> Iterator[Sequence[WorkerProcess]]:
    """Start two workers; kill those that still run afterwards."""
    workers = [_worker(environment, number, environ) for number in (1, 2)]
    try:
        for worker in workers:
            worker.start()
        yield workers
    finally:
        for worker in workers:
            worker.kill()


@contextmanager
def running_edge(environment: Environment, environ: Mapping[str, str], sample: Sample) -> Iterator[EdgeProcess]:
    """Start an edge if the sample has clicks for it; kill it if it still runs afterwards."""
    settings = environment.settings.model_copy(update={"instance_id": "edge"})
    edge = EdgeProcess(settings, environment.folder, environ)
    try:
        if sample.browsed:
            edge.start()
        yield edge
    finally:
        edge.kill()


def _browse(edge: EdgeProcess, sample: Sample, reporter: ProgressReporter) -> Browsed:
    if not sample.browsed:
        return NOTHING_BROWSED
    with reporter.waiting("clicking links in browsers"):
        edge.wait_until_ready()
        browsed = browse(edge, sample.browsed)
    reporter.say(str(browsed), style="bold")
    return browsed


def stop_workers(workers: Sequence[WorkerProcess]) -> None:
    """Send SIGTERM to all workers and wait until they have exited. Raises DemoFailed."""
    for worker in workers:
        worker.send_sigterm()
    for worker in workers:
        worker.wait_until_exited()


def _worker(environment: Environment, number: int, environ: Mapping[str, str]) -> WorkerProcess:
    name = f"worker-{number}"
    settings = environment.settings.model_copy(update={"instance_id": name})
    return WorkerProcess(settings, environment.folder / f"{name}.log", environ)
