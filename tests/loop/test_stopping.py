"""A worker that is told to stop leaves soon, whatever it is at, and leaves nothing behind that others must mend."""

from threading import Event

import pytest

from consumer.loop.pace import LingerPolicy
from consumer.ports import OutcomeUnknown, RetriableError
from tests.builders import a_click, a_link, an_action
from tests.loop.expectations import require_all_counted, require_exact
from tests.loop.failures import Run, at_call, calls_of
from tests.loop.fake_environment import House, Worker
from tests.loop.scenario import BITE
from tests.loop.script import Happening, Script, raising
from tests.loop.scripted_ports import ScriptedState

A_TURN = 60
"""More calls than one turn of the story has."""


@pytest.mark.parametrize("begun", [0, 4])
def test_a_worker_stops_at_any_call_within_a_turn_and_another_ends_its_work(begun: int) -> None:
    calls = calls_of(begun)
    for index in range(len(calls)):
        with at_call(index, calls):
            run, signal = Run(begun), Event()
            script = Script({index: Happening(before=signal.set)})
            worker = Worker(run.house, run.disk, script=script, bite=BITE)
            worker.run(signal.is_set)
            assert len(script.calls) < index + A_TURN
            assert run.house.cluster.transactions.open_transactions == []
            run.counts += worker.counts
            run.go()
            require_exact(run.story, run.disk)
            require_all_counted(run.story, run.counts)


def test_a_worker_stops_while_its_state_is_restored() -> None:
    house = House()
    house.define(a_link(an_action()))
    house.click(*(a_click(n, recipient_id=f"r-{n}") for n in range(50)))
    Worker(house, ScriptedState()).run()
    house.leave_open(house.names.changelog, 0, b"key", b"value")
    worker = Worker(house, ScriptedState(), pace=LingerPolicy(0.1))
    worker.run(lambda: house.clock.monotonic() > 3)
    assert house.clock.monotonic() < 3.5


@pytest.mark.parametrize("name", ["stream.renew", "stream.rewind"])
def test_a_worker_stops_while_it_waits_for_a_broker_that_is_away(name: str) -> None:
    house = House()
    script = Script.at_every(name, Happening(before=raising(OutcomeUnknown("silence"))))
    Worker(house, ScriptedState(), script=script).run(lambda: house.clock.monotonic() > 3)
    assert house.clock.monotonic() < 3.5


def test_a_worker_stops_while_definitions_do_not_come() -> None:
    house = House()
    house.define(a_link(an_action()))
    house.leave_open(house.names.definitions, 0, b"acme/spring/2", b"value")
    worker = Worker(house, ScriptedState())
    worker.run(lambda: house.clock.monotonic() > 3)
    assert house.clock.monotonic() < 3.5


def test_a_worker_that_waits_for_the_broker_goes_on_when_it_is_back() -> None:
    house = House()
    house.define(a_link(an_action()))
    house.click(a_click())
    away = Happening(before=raising(RetriableError("silence")))
    worker = Worker(house, ScriptedState(), script=Script.at_every("stream.renew", away, times=30))
    worker.run()
    assert worker.counts.consumed == 1
    assert house.clock.monotonic() >= 3
