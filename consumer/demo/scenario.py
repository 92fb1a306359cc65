"""The demo on a real Kafka, from the topics to the verdict, in one visible order."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from consumer.demo.crash import Killing
from consumer.demo.environment import PARTITIONS, Environment, make_topics
from consumer.demo.evidence import Evidence, collect_evidence
from consumer.demo.failure import DemoFailed
from consumer.demo.findings import Findings, examine
from consumer.demo.flow import let_clicks_flow
from consumer.demo.links import describe_links, publish_links, read_links
from consumer.demo.progress_reporter import ProgressReporter
from consumer.demo.sample import Sample
from consumer.demo.summary import Summary
from consumer.demo.worker_process import WorkerProcess, wait_until_sharing
from consumer.verify.reader import NotReadable
from consumer.verify.update_record import UnknownKind

CHECKING = "reading every topic as a subscriber would, and comparing with a naive model"
CHECKED = "every topic was read as a subscriber would, and compared with a naive model"


def run_scenario(
    stage: Environment,
    sample: Sample,
    narrator: ProgressReporter,
    environ: Mapping[str, str],
    *,
    before_check: Callable[[Environment], None] = lambda _stage: None,
) -> Summary:
    """Do everything and return what was found, exact or not. Raises DemoFailed or another LinkActionsError.

    `before_check` lets a test tamper with what the workers wrote.
    """
    narrator.say(f"{make_topics(stage)} topics created, {PARTITIONS} partitions of clicks")
    links = read_links()
    publish_links(links, stage.settings)
    narrator.say(describe_links(links))
    with running_workers(stage, environ) as workers:
        with narrator.waiting("starting two workers, each a process of its own"):
            wait_until_sharing(workers)
        for worker in workers:
            numbers = " and ".join(map(str, worker.assigned()))
            narrator.say(f"{worker.name} runs (process {worker.process_id}) and has partitions {numbers}")
        killing = let_clicks_flow(stage, sample, workers, narrator)
        for line in account(killing, {worker.name: worker.clicks_counted() for worker in workers}):
            narrator.say(line)
        leave(workers)
        narrator.say("both workers left with exit code 0 when asked by SIGTERM")
    before_check(stage)
    with narrator.waiting(CHECKING):
        findings = check(stage, sample)
    narrator.say(CHECKED)
    return Summary(stage.kafka, sample.seed, narrator.seconds, killing, findings)


def account(killing: Killing, counted: Mapping[str, int]) -> Iterator[str]:
    """Yield who did how many records, and the sum of it all, which is that of the table below."""
    for name, records in counted.items():
        again = ", since it came back" if name == killing.worker else ""
        yield f"{name} counts {records:,} records{again}"
    total = sum(counted.values()) + killing.done
    yield f"with the {killing.done:,} that {killing.worker} had done before the kill: {total:,} records"


def check(stage: Environment, sample: Sample) -> Findings:
    """Read everything with the judge's own reader and compare it with the model. Raises DemoFailed."""
    return checked(lambda: collect_evidence(stage.settings, stage.names), sample)


def checked(collect: Callable[[], Evidence], sample: Sample) -> Findings:
    """Compare what is collected with the model. Raises DemoFailed where it cannot be read or is not judged."""
    try:
        return examine(collect(), sample.broken, sent=len(sample.publications), partitions=PARTITIONS)
    except (NotReadable, UnknownKind) as error:
        raise DemoFailed(f"The check could not be made: {error}") from error


@contextmanager
def running_workers(stage: Environment, environ: Mapping[str, str]) -> Iterator[Sequence[WorkerProcess]]:
    """Start two workers, and kill what is left of them in the end."""
    workers = [_worker(stage, number, environ) for number in (1, 2)]
    try:
        for worker in workers:
            worker.start()
        yield workers
    finally:
        for worker in workers:
            worker.kill()


def leave(workers: Sequence[WorkerProcess]) -> None:
    """Ask all to leave at once, and wait until they have. Raises DemoFailed."""
    for worker in workers:
        worker.ask_to_leave()
    for worker in workers:
        worker.wait_until_left()


def _worker(stage: Environment, number: int, environ: Mapping[str, str]) -> WorkerProcess:
    name = f"worker-{number}"
    settings = stage.settings.model_copy(update={"instance_id": name})
    return WorkerProcess(settings, stage.folder / f"{name}.log", environ)
