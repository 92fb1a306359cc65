"""Nothing that is committed is read a second time, even if broker or client library would have it so."""

from collections.abc import Mapping, Sequence

import pytest

from runtime.ports import Committed, OutcomeUnknown, TransactionAborted
from tests.loop.expectations import require_all_counted, require_exact
from tests.loop.failures import Run, at_call, calls_of
from tests.loop.fake_environment import FakeEnvironment, Worker
from tests.loop.scenario import MAX_POLL_RECORDS
from tests.loop.script import Happening, Script, raising
from tests.loop.scripted_ports import ScriptedState

FAILURES = {
    "the commit is refused in a rebalance": Happening(
        before=raising(TransactionAborted("in a rebalance", rebalance=True))
    ),
    "the outcome of the commit is unknown": Happening(after=raising(OutcomeUnknown("silence"))),
}


class ForgetfulSeek:
    """A `seek_to_committed` that goes wrong at some of its calls, counted once something is committed.

    It seeks to the beginning and, if it `answers_nothing`, answers that nothing is committed. The first two calls
    belong to one failure: one when the loop reads again, one when the restored partition is verified.
    """

    def __init__(self, worker: Worker, calls: range, *, answers_nothing: bool) -> None:
        self._stream, self._seek = worker.stream, worker.stream.seek_to_committed
        self._calls, self._answers_nothing = calls, answers_nothing
        self.count = 0
        worker.stream.seek_to_committed = self.seek  # type: ignore[method-assign]

    def seek(self, partitions: Sequence[int]) -> Mapping[int, Committed | None]:
        committed = self._seek(partitions)
        self.count += any(each is not None and each.offset > 0 for each in committed.values())
        if self.count not in self._calls:
            return committed
        self._stream._membership.positions.update(dict.fromkeys(partitions, 0))
        return dict.fromkeys(partitions) if self._answers_nothing else committed


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
@pytest.mark.parametrize(
    ("calls", "answers_nothing"),
    [
        pytest.param(range(1, 2), True, id="one stale answer"),
        pytest.param(range(1, 4), True, id="three stale answers"),
        pytest.param(range(1, 2), False, id="one ineffective seek"),
        pytest.param(range(2, 3), False, id="ineffective seek before the partition is live"),
    ],
)
def test_committed_clicks_are_not_read_again(failure: Happening, calls: range, *, answers_nothing: bool) -> None:
    """The worker asks the broker again until offset and position fit what it has committed itself.

    Without that check three stale answers would end it with a contradiction that a person must settle, and an
    ineffective seek would write hits and dead letters twice.
    """
    names = calls_of()
    commits = [index for index, name in enumerate(names) if name == "consumer.commit_transaction"]
    for index in commits[1:]:
        with at_call(index, names):
            run = Run()
            worker = Worker(
                run.environment, run.disk, script=Script({index: failure}), max_poll_records=MAX_POLL_RECORDS
            )
            seek = ForgetfulSeek(worker, calls, answers_nothing=answers_nothing)
            worker.run()
            assert seek.count >= calls.start
            require_exact(run.story, run.disk)
            require_all_counted(run.story, worker.counts)


def test_an_offset_that_is_not_known_counts_as_zero() -> None:
    worker = Worker(FakeEnvironment(), ScriptedState())

    assert worker._loop._offsets.of([0, 7]) == {0: 0, 7: 0}
