"""A worker refused by its group is not ready, and its drain ends."""

from collections.abc import Sequence

import pytest

from runtime.errors import Unavailable
from runtime.ports import ConsumerRecord
from runtime.stream.group_watch import DRAIN_REFUSED_SECONDS
from tests.builders import a_click, a_link, an_action
from tests.loop.fake_environment import Build, FakeEnvironment, Worker
from tests.loop.scripted_ports import ScriptedState, ScriptedStream

REFUSAL = "The group is full; stop a member"


class RefusedStream(ScriptedStream):
    """A consumer refused by its group until `admitted_at`, in seconds of the fake clock."""

    admitted_at = float("inf")

    def refusal(self) -> str | None:
        return REFUSAL if self._cluster.clock.monotonic() < self.admitted_at else None

    def consume(self, limit: int, timeout_seconds: float) -> Sequence[ConsumerRecord]:
        if self.refusal() is None:
            return super().consume(limit, timeout_seconds)
        self._cluster.clock.sleep(timeout_seconds)
        return []


def test_refused_drain_ends_with_the_reason() -> None:
    environment = FakeEnvironment()
    environment.click(a_click())
    worker = Worker(environment, ScriptedState(), build=Build(stream=RefusedStream))
    begun = environment.clock.monotonic()
    with pytest.raises(Unavailable, match=REFUSAL):
        worker.run()

    assert DRAIN_REFUSED_SECONDS <= environment.clock.monotonic() - begun < DRAIN_REFUSED_SECONDS + 5
    assert worker.observer._health.ready().refused == REFUSAL


def test_refused_worker_waits_and_is_not_ready() -> None:
    environment = FakeEnvironment()
    worker = Worker(environment, ScriptedState(), linger_seconds=0.0, drain=False, build=Build(stream=RefusedStream))
    until = environment.clock.monotonic() + 2 * DRAIN_REFUSED_SECONDS
    worker.run(lambda: environment.clock.monotonic() >= until)

    assert not worker.observer._health.ready().ready


def test_drain_continues_once_accepted() -> None:
    environment = FakeEnvironment()
    environment.define(a_link(an_action("SetField")))
    environment.click(a_click())

    class LateStream(RefusedStream):
        admitted_at = environment.clock.monotonic() + DRAIN_REFUSED_SECONDS / 2

    worker = Worker(environment, ScriptedState(), build=Build(stream=LateStream))
    worker.run()

    assert worker.counts.consumed == 1
    assert worker.observer._health.ready().ready
