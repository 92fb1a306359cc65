"""The parameters of the trials, and the broker that each of them has to itself."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.kafka import TEST, KafkaProcess, start_process
from tests.builders import a_link, an_action
from tests.support.deployment import Deployment
from tests.support.edge import EdgeProcess

PREFIX = "trial."
LONG_URL = "https://example.com/" + "x" * 8_000
LINKS = (
    a_link(),
    a_link(an_action(), link_id="news"),
    a_link(link_id="long", url=LONG_URL, response=("link_actions.RedirectResponse", {"url": LONG_URL, "rules": []})),
    a_link(link_id="page", url=None, response=("link_actions.TextResponse", {"text": "<p>" + "y" * 100_000 + "</p>"})),
)
"""A plain redirect, one with an action, one whose clicks take 8 KB each, and a long text."""


@dataclass(frozen=True, slots=True)
class Given:
    """The size of a trial; `rate` is in clicks a second."""

    kills: int
    outage_seconds: float
    rate: float


@contextmanager
def fresh_kafka() -> Iterator[tuple[KafkaProcess, Path]]:
    """Start a broker with topics and `LINKS`, and give a folder for everything else."""
    with tempfile.TemporaryDirectory(prefix="link-actions-edge-") as root:
        kafka = start_process(Path(root) / "kafka", environ=os.environ, profile=TEST)
        try:
            _set_up(kafka, Path(root))
            yield kafka, Path(root)
        finally:
            kafka.kill()


def _set_up(kafka: KafkaProcess, folder: Path) -> None:
    """Nothing of it is left when this returns: an idle client logs each attempt to reach a broker that is away."""
    deployment = Deployment(kafka, PREFIX, folder).create_topics()
    deployment.define(*LINKS)
    deployment.close()


def an_edge(kafka: KafkaProcess, folder: Path, settings: Mapping[str, str] | None = None) -> EdgeProcess:
    """Return an edge that is ready."""
    return EdgeProcess(kafka.bootstrap_servers, PREFIX, folder, settings=settings).wait_edge()
