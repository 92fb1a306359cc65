"""Waits stretch with the load of the machine, measured while they last."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import patience
from tests.support.patience import (
    MAX_STRETCH,
    MAX_TEST_STRETCH,
    NOMINAL_SECONDS,
    REMEMBERED,
    Deadline,
    Yardstick,
)


class Machine:
    """A simulated clock that advances with work and waits; work takes longer under load."""

    def __init__(self) -> None:
        self.now = 0.0
        self.load = 1.0
        self.measured = 0

    def clock(self) -> float:
        return self.now

    def work(self) -> None:
        self.measured += 1
        self.now += NOMINAL_SECONDS * self.load

    def deadline(self, seconds: float) -> Deadline:
        return Deadline(seconds, Yardstick(self.clock, self.work), self.clock)

    def seconds_until(self, deadline: Deadline) -> float:
        begun = self.now
        while not deadline.has_passed:
            self.now += 0.02
        return self.now - begun


@pytest.mark.parametrize(("load", "lasts"), [(0.5, 10), (1.0, 10), (4.0, 40), (1_000.0, 10 * MAX_STRETCH)])
def test_wait_stretches_with_the_work(load: float, lasts: float) -> None:
    machine = Machine()
    machine.load = load

    assert machine.seconds_until(machine.deadline(10)) == pytest.approx(lasts, rel=0.1, abs=NOMINAL_SECONDS * load * 2)


def test_load_during_a_wait_counts_from_then_on() -> None:
    machine = Machine()
    deadline = machine.deadline(10)
    while machine.now < 5:
        assert not deadline.has_passed
        machine.now += 0.02
    machine.load = 3.0

    assert machine.seconds_until(deadline) == pytest.approx(15, rel=0.15)


def test_stretch_falls_when_the_load_ends() -> None:
    machine = Machine()
    machine.load = 10.0
    yardstick = Yardstick(machine.clock, machine.work)
    assert yardstick.stretch == pytest.approx(10)
    machine.load = 1.0
    seen = []
    for _ in range(REMEMBERED):
        machine.now += 1
        seen.append(yardstick.stretch)

    assert seen[-1] == pytest.approx(1)


def test_work_is_measured_at_most_once_a_second() -> None:
    machine = Machine()
    machine.seconds_until(machine.deadline(10))

    assert 9 <= machine.measured <= 11


def test_this_machine_can_be_measured() -> None:
    assert 1 <= patience.YARDSTICK.stretch <= MAX_STRETCH
    assert patience.stretched(2) >= 2


def test_time_out_of_a_test_stretches_less_than_its_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine()
    machine.load = 10.0
    monkeypatch.setattr(patience, "YARDSTICK", Yardstick(machine.clock, machine.work))

    assert patience.stretched(300) == pytest.approx(3000)
    assert patience.stretched_test_timeout(300) == 300 * MAX_TEST_STRETCH


CALLS_THAT_WAIT = {"communicate", "flush", "list_topics", "poll", "result", "run", "urlopen", "wait"}
SHORT_SECONDS = 1.0
"""A shorter time-out is a poll of the present state, not a wait for an event."""


def waits_by_a_constant(source: str) -> Iterator[str]:
    """Yield the calls that wait in real time for a constant number of seconds, whatever the load."""
    for call in [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]:
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        # `LogReader.poll` takes a limit first, and is called in loops that end by a condition.
        given = call.args if name in CALLS_THAT_WAIT - {"run"} and len(call.args) == 1 else []
        given = [*given, *(word.value for word in call.keywords if word.arg in {"timeout", "request_timeout"})]
        if name in CALLS_THAT_WAIT or any(word.arg == "request_timeout" for word in call.keywords):
            for seconds in given:
                if isinstance(seconds, ast.Constant) and isinstance(seconds.value, (int, float)):
                    if seconds.value > SHORT_SECONDS:
                        yield ast.unparse(call)
                elif isinstance(seconds, ast.Name) and seconds.id.endswith("SECONDS"):
                    yield ast.unparse(call)


SHORT_OR_INVENTED = {
    "tests/chaos/edge.py": "a tick",
    "tests/soak/sampler.py": "how often it looks",
    "tests/support/flow.py": "a tick",
}


def test_no_test_waits_by_a_constant() -> None:
    root = Path(__file__).parents[1]
    files = [path for path in root.glob("tests/**/*.py") if str(path.relative_to(root)) not in SHORT_OR_INVENTED]

    found = {str(path.relative_to(root)): list(waits_by_a_constant(path.read_text())) for path in files}

    assert {path: calls for path, calls in found.items() if calls} == {}


@pytest.mark.parametrize(
    "call",
    ["child.wait(30)", "child.communicate(timeout=30)", "admin.f(x, request_timeout=10)", "p.flush(FINISH_SECONDS)"],
)
def test_a_wait_by_a_constant_is_found(call: str) -> None:
    assert list(waits_by_a_constant(call)) == [call]


@pytest.mark.parametrize(
    "call", ["child.wait(stretched(30))", "consumer.poll(0.2)", "worker.wait_ready(timeout=90)", "words.join(2)"]
)
def test_a_look_or_a_wait_that_is_stretched_is_fine(call: str) -> None:
    assert list(waits_by_a_constant(call)) == []
