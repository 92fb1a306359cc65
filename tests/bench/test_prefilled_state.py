"""A state that a tool has filled: the worker takes it for its own, and its keys for those of its clicks."""

from contextlib import closing
from pathlib import Path

from bench.candidates.link_actions import LinkActions
from bench.environment import PARTITIONS, Environment
from bench.expectation import expected_updates, read_digests
from bench.held_clicks import HeldClicks
from bench.prefilled_state import fill
from bench.readiness import wait_until_ready
from bench.shape import Shape
from bench.workload import Workload
from deploy.kafka import Broker
from tests.support.patience import stretched

KEYS, CLICKS = 10_000, 2_000


def test_worker_on_filled_state_repeats_nothing(kafka: Broker, tmp_path: Path, topic_prefix: str) -> None:
    workload = Workload(Shape(topic_prefix.rstrip("."), remembered=10), CLICKS)
    with closing(Environment(kafka.bootstrap_servers, tmp_path, workload)) as environment:
        environment.publish_links()
        job = environment.job("filled")
        assert KEYS * 48 <= fill(job, [workload], KEYS) <= KEYS * 60
        held = HeldClicks(job.servers, job.clicks)
        held.publish(environment.records())
        running = LinkActions().start(job)
        try:
            wait_until_ready(running)
            assert not any(environment.ends(job.updates).values())
            held.release()
            assert running.processes[0].wait(stretched(60)) == 0
        finally:
            running.stop()
        assert "state.rebuilt" not in running.log.read_text()
        expected = expected_updates(workload, environment.codecs.updates.frame)
        assert len(list(workload.remembered())) > 0
        expected.check(read_digests(job.servers, job.updates, dict.fromkeys(range(PARTITIONS), 0)))
