"""The wait of one batch for missing definitions is bounded."""

from collections.abc import Sequence
from itertools import pairwise

from runtime.ports import ConsumerRecord as StreamRecord
from tests.builders import DAY, NOON, a_click
from tests.loop.fake_environment import FakeEnvironment, Worker
from tests.loop.scripted_ports import ScriptedState

PARTITIONS = 12
MAX_SECONDS = 30.0
"""Half of `max.poll.interval.ms`."""


def longest_silence(environment: FakeEnvironment) -> float:
    """Run until everything is done; return the longest time between two polls."""
    worker = Worker(environment, ScriptedState(), linger_seconds=0.2)
    turns: list[float] = []
    consume = worker.stream.consume

    def noted(limit: int, timeout_seconds: float) -> Sequence[StreamRecord]:
        turns.append(environment.clock.monotonic())
        return consume(limit, timeout_seconds)

    worker.stream.consume = noted  # type: ignore[method-assign]
    worker.run()
    turns.append(environment.clock.monotonic())
    return max(after - before for before, after in pairwise(turns))


def test_partitions_share_one_wait_for_clicks_from_the_future() -> None:
    environment = FakeEnvironment(PARTITIONS)
    for number in range(100):
        environment.click(a_click(number, recipient_id=f"r-{number}", link_version=7), timestamp=NOON + 10 * DAY)
    assert longest_silence(environment) < MAX_SECONDS


def test_partitions_share_one_wait_for_a_stalled_publisher() -> None:
    environment = FakeEnvironment(PARTITIONS)
    for number in range(100):
        environment.click(a_click(number, recipient_id=f"r-{number}", link_version=7), timestamp=NOON - DAY)

    def stand_still() -> None:
        environment.leave_open(environment.names.definitions, 0, b"acme/spring/9", b"")

    environment.clock.at(0.05, stand_still)
    assert longest_silence(environment) < MAX_SECONDS
