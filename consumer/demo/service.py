"""An edge and a worker that run until they are stopped, with a link of each kind to click."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from consumer.demo.edge_process import EdgeProcess
from consumer.demo.environment import Environment, create_demo_topics
from consumer.demo.links import publish_links, read_links
from consumer.demo.progress_reporter import ProgressReporter
from consumer.demo.worker_process import WorkerProcess, wait_until_sharing
from runtime.config.settings import Settings
from schemas.token_payload import SentLink

LINK_FILE = Path(__file__).with_name("serve.yaml")
RECIPIENT, PERSON, MAILING = "r-1", "1001", "demo"


@contextmanager
def running_service(
    environment: Environment, reporter: ProgressReporter, environ: Mapping[str, str]
) -> Iterator[Mapping[str, str]]:
    """Start an edge and a worker, and yield a signed URL by the id of its link; afterwards kill both.

    Raises DemoFailed or another LinkActionsError.
    """
    create_demo_topics(environment)
    links = read_links(LINK_FILE)
    publish_links(links, environment.settings)
    edge = EdgeProcess(_named(environment, "edge"), environment.folder, environ)
    worker = WorkerProcess(_named(environment, "worker-1"), environment.folder / "worker-1.log", environ)
    try:
        with reporter.waiting("starting an edge and a worker"):
            edge.start()
            worker.start()
            wait_until_sharing([worker])
            edge.wait_until_ready()
        reporter.say(f"edge (process {edge.process_id}) and worker (process {worker.process_id}) run")
        yield {name: edge.url_of(_sent(name)) for name in (link.reference.link_id for link in links)}
    finally:
        edge.kill()
        worker.kill()


def _sent(link_id: str) -> SentLink:
    return SentLink(link_id, RECIPIENT, PERSON, mailing_id=MAILING)


def _named(environment: Environment, name: str) -> Settings:
    return environment.settings.model_copy(update={"instance_id": name})
