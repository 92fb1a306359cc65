"""One round: fresh topics, two workers, faults while clicks flow, then verification."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from schemas.topics import LINK_CLICKS
from tests.chaos.brokers import Deployment
from tests.chaos.disk import mount, unmount
from tests.chaos.edge import Edge
from tests.chaos.environment import TRANSACTION_TIMEOUT_SECONDS, WORKERS, Environment
from tests.chaos.executor import Course
from tests.chaos.plan import Round
from tests.chaos.result import Result
from tests.chaos.subscriber_process import Companion
from tests.chaos.traffic import endless_publications
from tests.support.deployment import Installation
from tests.support.patience import stretched
from tests.support.traffic import LINKS

PER_SECOND = 300
SOCKET_TIMEOUT_SECONDS = 3.0
COMPACTING = {"segment.ms": "2000", "min.cleanable.dirty.ratio": "0.01"}
"""Of the changelog, which is compacted all the time."""


def run_round(planned: Round, deployment: Deployment, folder: Path, *, say: Callable[[str], object]) -> Result:
    """Run a round and verify it; the result holds the violations."""
    prefix = f"chaos-{planned.seed}."
    with ExitStack() as stack:
        installation = deployment.install(prefix, folder)
        has_disks = stack.enter_context(disks(installation))
        stack.callback(installation.close)
        configure(installation)
        installation.create_topics(configs={installation.changelog: COMPACTING})
        installation.define(*LINKS)
        publications = endless_publications(planned.seed, partitions=installation.partitions)
        edge = Edge(installation.servers, installation.topic(LINK_CLICKS), publications, per_second=PER_SECOND)
        stack.callback(edge.close)
        companion = Companion(installation.servers, prefix, folder)
        stack.callback(companion.close)
        companion.wait_reading()
        course = Course(Environment(installation, edge, deployment), companion, say=say, has_disks=has_disks)
        return course.run(planned.faults)


def configure(installation: Installation) -> None:
    """Make the workers notice within seconds what they would notice within a minute."""
    installation.configure(
        producer__transaction__timeout__ms=str(round(TRANSACTION_TIMEOUT_SECONDS * 1000)),
        socket__timeout__ms=str(round(stretched(SOCKET_TIMEOUT_SECONDS) * 1000)),
    )


@contextmanager
def disks(installation: Installation) -> Iterator[bool]:
    """Give each worker a small disk for its state; return whether that is possible here."""
    mounted = [folder for folder in map(installation.state_of, WORKERS) if mount(folder)]
    try:
        yield len(mounted) == len(WORKERS)
    finally:
        for folder in mounted:
            unmount(folder)
