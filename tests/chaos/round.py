"""One round: fresh topics, two workers, faults while clicks flow, then verification."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from schemas.topics import LINK_CLICKS
from tests.chaos.brokers import Brokers
from tests.chaos.disk import mount, unmount
from tests.chaos.edge import Edge
from tests.chaos.environment import TRANSACTION_TIMEOUT_SECONDS, WORKERS, Environment
from tests.chaos.executor import RoundExecutor
from tests.chaos.plan import Round
from tests.chaos.result import Result
from tests.chaos.subscriber_process import SubscriberProcess
from tests.chaos.traffic import endless_publications
from tests.support.deployment import Deployment
from tests.support.patience import stretched
from tests.support.traffic import LINKS

PER_SECOND = 300
SOCKET_TIMEOUT_SECONDS = 3.0
COMPACTING = {"segment.ms": "2000", "min.cleanable.dirty.ratio": "0.01"}
"""Of the changelog, which is compacted all the time."""


def run_round(planned: Round, brokers: Brokers, folder: Path, *, say: Callable[[str], object]) -> Result:
    """Run a round and verify it; the result holds the violations."""
    prefix = f"chaos-{planned.seed}."
    with ExitStack() as stack:
        deployment = brokers.deploy(prefix, folder)
        has_disks = stack.enter_context(disks(deployment))
        stack.callback(deployment.close)
        configure(deployment)
        deployment.create_topics(configs={deployment.changelog: COMPACTING})
        deployment.define(*LINKS)
        publications = endless_publications(planned.seed, partitions=deployment.partitions)
        edge = Edge(deployment.servers, deployment.topic(LINK_CLICKS), publications, per_second=PER_SECOND)
        stack.callback(edge.close)
        subscriber = SubscriberProcess(deployment.servers, prefix, folder)
        stack.callback(subscriber.close)
        subscriber.wait_reading()
        executor = RoundExecutor(Environment(deployment, edge, brokers), subscriber, say=say, has_disks=has_disks)
        return executor.run(planned.faults)


def configure(deployment: Deployment) -> None:
    """Make the workers notice within seconds what they would notice within a minute."""
    deployment.configure(
        producer__transaction__timeout__ms=str(round(TRANSACTION_TIMEOUT_SECONDS * 1000)),
        socket__timeout__ms=str(round(stretched(SOCKET_TIMEOUT_SECONDS) * 1000)),
    )


@contextmanager
def disks(deployment: Deployment) -> Iterator[bool]:
    """Give each worker a small disk for its state; return whether that is possible here."""
    mounted = [folder for folder in map(deployment.state_of, WORKERS) if mount(folder)]
    try:
        yield len(mounted) == len(WORKERS)
    finally:
        for folder in mounted:
            unmount(folder)
