"""A stopping worker leaves soon, whatever it is doing, and leaves no open transaction."""

from threading import Event

import pytest

from runtime.ports import OutcomeUnknown, RetriableError
from tests.builders import a_click, a_link, an_action
from tests.loop.expectations import require_all_counted, require_exact
from tests.loop.failures import Run, at_call, calls_of
from tests.loop.fake_environment import FakeEnvironment, Worker
from tests.loop.scenario import MAX_POLL_RECORDS
from tests.loop.script import Happening, Script, raising
from tests.loop.scripted_ports import ScriptedState

A_TURN = 60
"""More calls than one turn of the story takes."""


@pytest.mark.parametrize("begun", [0, 4])
def test_worker_stops_at_any_call_within_a_turn(begun: int) -> None:
    calls = calls_of(begun)
    for index in range(len(calls)):
        with at_call(index, calls):
            run, signal = Run(begun), Event()
            script = Script({index: Happening(before=signal.set)})
            worker = Worker(run.environment, run.disk, script=script, max_poll_records=MAX_POLL_RECORDS)
            worker.run(signal.is_set)
            assert len(script.calls) < index + A_TURN
            assert run.environment.cluster.transactions.open_transactions == []
            run.counts += worker.counts
            run.go()
            require_exact(run.story, run.disk)
            require_all_counted(run.story, run.counts)


def test_worker_stops_while_restoring() -> None:
    environment = FakeEnvironment()
    environment.define(a_link(an_action()))
    environment.click(*(a_click(n, recipient_id=f"r-{n}") for n in range(50)))
    Worker(environment, ScriptedState()).run()
    environment.leave_open(environment.names.changelog, 0, b"key", b"value")
    worker = Worker(environment, ScriptedState(), linger_seconds=0.1, drain=False)
    worker.run(lambda: environment.clock.monotonic() > 3)
    assert environment.clock.monotonic() < 3.5


@pytest.mark.parametrize("name", ["consumer.reinit_producer", "consumer.seek_to_committed"])
def test_worker_stops_while_the_broker_is_away(name: str) -> None:
    environment = FakeEnvironment()
    script = Script.at_every(name, Happening(before=raising(OutcomeUnknown("silence"))))
    Worker(environment, ScriptedState(), script=script).run(lambda: environment.clock.monotonic() > 3)
    assert environment.clock.monotonic() < 3.5


def test_worker_stops_while_it_waits_for_definitions() -> None:
    environment = FakeEnvironment()
    environment.define(a_link(an_action()))
    environment.leave_open(environment.names.definitions, 0, b"acme/spring/2", b"value")
    worker = Worker(environment, ScriptedState())
    worker.run(lambda: environment.clock.monotonic() > 3)
    assert environment.clock.monotonic() < 3.5


def test_worker_continues_when_the_broker_is_back() -> None:
    environment = FakeEnvironment()
    environment.define(a_link(an_action()))
    environment.click(a_click())
    away = Happening(before=raising(RetriableError("silence")))
    worker = Worker(environment, ScriptedState(), script=Script.at_every("consumer.reinit_producer", away, times=30))
    worker.run()
    assert worker.counts.consumed == 1
    assert environment.clock.monotonic() >= 3
