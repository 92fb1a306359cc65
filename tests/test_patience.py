"""Waits last as long as the machine needs, by a yardstick that is measured while they last."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import patience
from tests.support.patience import LONGEST_STRETCH, NOMINAL_SECONDS, REMEMBERED, Deadline, Yardstick


class Machine:
    """Time that passes when somebody works or waits, and faster where others take most of the core."""

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


@pytest.mark.parametrize(("load", "lasts"), [(0.5, 10), (1.0, 10), (4.0, 40), (1_000.0, 10 * LONGEST_STRETCH)])
def test_a_wait_lasts_as_many_times_longer_as_the_work_does(load: float, lasts: float) -> None:
    machine = Machine()
    machine.load = load

    assert machine.seconds_until(machine.deadline(10)) == pytest.approx(lasts, rel=0.1, abs=NOMINAL_SECONDS * load * 2)


def test_load_that_comes_while_a_test_waits_counts_from_then_on() -> None:
    machine = Machine()
    deadline = machine.deadline(10)
    while machine.now < 5:
        assert not deadline.has_passed
        machine.now += 0.02
    machine.load = 3.0

    assert machine.seconds_until(deadline) == pytest.approx(15, rel=0.15)


def test_load_that_goes_leaves_no_long_wait_behind() -> None:
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


def test_the_work_is_measured_once_a_second_and_no_more() -> None:
    machine = Machine()
    machine.seconds_until(machine.deadline(10))

    assert 9 <= machine.measured <= 11


def test_the_work_of_this_machine_can_be_measured() -> None:
    assert 1 <= patience.YARDSTICK.stretch <= LONGEST_STRETCH
    assert patience.stretched(2) >= 2


CALLS_THAT_WAIT = {"communicate", "flush", "list_topics", "poll", "result", "run", "urlopen", "wait"}
SHORT_SECONDS = 1.0
"""Up to here it is a look at what is there, not a wait for what must come."""


def waits_by_a_constant(source: str) -> Iterator[str]:
    """The calls that wait by themselves, on what is real, for so many seconds however busy the machine is."""
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
