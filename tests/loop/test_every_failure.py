"""Every call of a port fails in every way it can, one run each; the results are always exact."""

import pytest

from runtime.ports import TransactionAborted
from tests.loop.expectations import require_all_counted, require_exact
from tests.loop.failures import DECIDING, SURVIVED, Failure, Run, at_call, calls_of
from tests.loop.script import Crash, Happening, Script, raising
from tests.loop.scripted_ports import ScriptedState

BEGUN = (0, 4)
"""From the beginning, and with the state of four batches to restore first."""


@pytest.mark.parametrize("begun", BEGUN)
@pytest.mark.parametrize("name", SURVIVED)
def test_failure_at_any_call_keeps_results_exact(name: str, begun: int) -> None:
    failure, calls = SURVIVED[name], calls_of(begun)
    for index in indexes(failure, calls):
        with at_call(index, calls):
            run = Run(begun)
            run.go(Script({index: failure.happening}))
            require_exact(run.story, run.disk)
            require_all_counted(run.story, run.counts)


@pytest.mark.parametrize("name", ["unknown outcome, not done", "unknown outcome, done"])
def test_failure_during_abort_keeps_results_exact(name: str) -> None:
    failure = SURVIVED[name]
    first = calls_of().index("consumer.commit_transaction")
    aborted = {first: Happening(before=raising(TransactionAborted("refused")))}
    calls = calls_of(script=Script(aborted))
    for index in range(first + 1, first + 40):
        if calls[index] in DECIDING:
            with at_call(index, calls):
                run = Run()
                run.go(Script({**aborted, index: failure.happening}))
                require_exact(run.story, run.disk)
                require_all_counted(run.story, run.counts)


@pytest.mark.parametrize("begun", BEGUN)
def test_crash_at_any_call_keeps_results_exact(begun: int) -> None:
    calls = calls_of(begun)
    for index in range(len(calls)):
        with at_call(index, calls):
            run = Run(begun)
            run.go(Script({index: Happening(before=raising(Crash()))}))
            require_exact(run.story, run.disk)


@pytest.mark.parametrize("begun", BEGUN)
def test_crash_with_loss_of_disk_keeps_results_exact(begun: int) -> None:
    calls = calls_of(begun)
    for index in indexes(
        Failure(Happening(), ("consumer.begin_transaction", "consumer.commit_transaction", "store.write")), calls
    ):
        with at_call(index, calls):
            run = Run(begun)
            crash_and_lose_the_disk(run, index)
            run.go()
            require_exact(run.story, run.disk)


def crash_and_lose_the_disk(run: Run, index: int) -> None:
    def crash() -> None:
        run.disk = ScriptedState()
        raise Crash

    run.go(Script({index: Happening(before=crash)}))


def indexes(failure: Failure, calls: list[str]) -> list[int]:
    return [index for index, name in enumerate(calls) if name in failure.calls]
