"""Nothing that is committed is read a second time, even where broker or client library would have it so."""

from collections.abc import Mapping, Sequence

import pytest

from consumer.loop.progress import RegressionCheck
from consumer.ports import Committed, OutcomeUnknown, RetriableError, TransactionAborted
from tests.loop.expectations import require_all_counted, require_exact
from tests.loop.failures import Run, at_call, calls_of
from tests.loop.fake_environment import Worker
from tests.loop.scenario import BITE
from tests.loop.script import Happening, Script, raising


class Forgetful:
    """A stream's `rewind` that goes back to the beginning, the first time that something is committed."""

    def __init__(self, worker: Worker, *, admits_it: bool) -> None:
        self._stream, self._rewind = worker.stream, worker.stream.seek_to_committed
        self._admits_it = admits_it
        self.times = 0
        worker.stream.seek_to_committed = self.rewind  # type: ignore[method-assign]

    def rewind(self, partitions: Sequence[int]) -> Mapping[int, Committed | None]:
        committed = self._rewind(partitions)
        self.times += any(each is not None and each.offset > 0 for each in committed.values())
        if self.times != 1:
            return committed
        self._stream._membership.positions.update(dict.fromkeys(partitions, 0))
        return dict.fromkeys(partitions) if self._admits_it else committed


@pytest.mark.parametrize("admits_it", [True, False], ids=["says so", "says nothing"])
@pytest.mark.parametrize(
    "failure",
    [
        Happening(before=raising(TransactionAborted("in a rebalance", rebalance=True))),
        Happening(after=raising(OutcomeUnknown("silence"))),
    ],
    ids=["refused", "committed, and nobody knows"],
)
def test_a_partition_that_would_be_read_from_its_beginning_again_is_asked_about_once_more(
    failure: Happening, admits_it: bool
) -> None:
    calls = calls_of()
    commits = [index for index, name in enumerate(calls) if name == "stream.commit"]
    for index in commits[1:]:
        with at_call(index, calls):
            run = Run()
            worker = Worker(run.environment, run.disk, script=Script({index: failure}), bite=BITE)
            forgetful = Forgetful(worker, admits_it=admits_it)
            worker.run()
            assert forgetful.times > 1
            require_exact(run.story, run.disk)
            require_all_counted(run.story, worker.counts)


def test_what_lies_behind_may_be_read_and_what_another_worker_had_meanwhile_too() -> None:
    progress = RegressionCheck()
    progress.note({0: 5, 1: 7})
    progress.check({0: 5, 1: 9, 2: 0})
    progress.forget(1)
    progress.check({1: 0})
    with pytest.raises(RetriableError, match="partition 0 would go on from offset 4, though everything before 5"):
        progress.check({1: 0, 0: 4})
