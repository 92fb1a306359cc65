"""The soak: clicks at a constant rate, periodic faults, and verification at the end."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from deploy.kafka import KafkaProcess
from tests.soak.evaluation import trends
from tests.soak.faults import Faults
from tests.soak.latency import LatencyProbe
from tests.soak.sample import ProcessSample, StreamSample
from tests.soak.sampler import Sampler
from tests.soak.slope import Trend
from tests.support.deployment import Deployment
from tests.support.flow import Flow
from tests.support.outcome import Outcome, hits, look_at
from tests.support.traffic import LINKS, endless_clicks
from tests.support.worker import Worker

MAX_QUIET_SECONDS = 240.0
MIN_FAULTS = 4
SETTLE_SECONDS = 300.0
RECIPIENTS = 20_000
"""Few enough that after some minutes each has clicked every link, and the dedupe state stops growing."""


@dataclass(frozen=True, slots=True)
class Soak:
    """The result of a soak. `faults` are the second and the kind of each."""

    processes: Sequence[ProcessSample]
    streams: Sequence[StreamSample]
    faults: Sequence[tuple[float, str]]
    outcome: Outcome
    is_exact: bool

    @property
    def trends(self) -> Sequence[Trend]:
        """The trends of all figures with enough samples."""
        return list(trends(self.processes, self.streams))

    @property
    def is_good(self) -> bool:
        """True if every update is there exactly once and nothing grows."""
        return self.is_exact and bool(self.trends) and all(each.is_flat for each in self.trends)


@dataclass(frozen=True, slots=True)
class Wanted:
    """How long, how much, and by which chance."""

    minutes: float
    per_second: int
    seed: int

    @property
    def seconds(self) -> float:
        """Duration of the flow of clicks."""
        return self.minutes * 60

    @property
    def quiet_seconds(self) -> float:
        """Pause after each fault."""
        return min(MAX_QUIET_SECONDS, self.seconds / (MIN_FAULTS + 1))


def run_soak(deployment: Deployment, broker: KafkaProcess, wanted: Wanted, say: Callable[[str], object]) -> Soak:
    """Run two workers under faults for the given time, then verify; `say` gets a line for each event."""
    deployment.define(*LINKS)
    lives: dict[str, Worker] = {}
    faults = Faults(deployment, broker, lives)
    faults.start_workers()
    happened: list[tuple[float, str]] = []
    with LatencyProbe(deployment) as probe:
        clicks = probe.noting(endless_clicks(wanted.seed, recipients=RECIPIENTS))
        with (
            Flow(deployment, clicks, per_second=wanted.per_second) as flow,
            Sampler(deployment, probe, lives=lives, published=lambda: flow.published) as sampler,
        ):
            started = time.monotonic()
            while (left := started + wanted.seconds - time.monotonic()) > wanted.quiet_seconds:
                time.sleep(wanted.quiet_seconds)  # not to wait for anything, but to let time pass
                happened.append((time.monotonic() - started, faults.next()))
                say(f"{happened[-1][1]}; {flow.published:,} clicks are published")
            time.sleep(max(left, 0.0))
    say(f"all {flow.published:,} clicks are published; waiting until the last is committed")
    deployment.wait_done(timeout=SETTLE_SECONDS)
    faults.stop_workers()
    say("reading and verifying")
    outcome = look_at(deployment)
    is_exact = (
        outcome.comparison.is_exact
        and outcome.model.outcomes.total() == flow.published
        and hits(deployment) == outcome.model.hits
        and not outcome.dead_letters
    )
    return Soak(sampler.processes, sampler.streams, happened, outcome, is_exact)
