"""Bugs planted on purpose, to show that the tests of this folder find them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from consumer.loop.batch import Batch
from consumer.loop.loop import Loop
from runtime.errors import Contradictory
from runtime.ports import Committed, OutcomeUnknown, TransactionAborted
from schemas.topics import TopicNames
from tests.builders import a_click, a_link, an_action
from tests.loop.expectations import compare_updates, expected_model, require_all_counted, require_exact
from tests.loop.failures import Run, calls_of
from tests.loop.fake_environment import Build, FakeEnvironment, Worker
from tests.loop.script import Crash, Happening, Script, raising
from tests.loop.scripted_ports import ScriptedReader, ScriptedState, ScriptedStream

UPDATES = TopicNames("", "", ("set_field",)).update("set_field")


class ForgetfulStream(ScriptedStream):
    """Loses the updates of one topic."""

    def produce_batch(self, partition: int, records: Sequence[tuple[str, bytes | None, bytes, Any]]) -> None:
        super().produce_batch(partition, [each for each in records if each[0] != UPDATES])


class RepeatingStream(ScriptedStream):
    """Writes the updates of one topic twice."""

    def produce_batch(self, partition: int, records: Sequence[tuple[str, bytes | None, bytes, Any]]) -> None:
        super().produce_batch(partition, [*records, *(each for each in records if each[0] == UPDATES)])


class HastyStream(ScriptedStream):
    """Commits the offsets before the transaction, not in it."""

    def commit_transaction(self, offsets: Mapping[int, int]) -> Mapping[int, int]:
        group = self._membership.group()
        group.stage(-1, offsets)
        group.apply(-1)
        return super().commit_transaction(offsets)


class ShortSightedReader(ScriptedReader):
    """Takes the last stable offset for the end, as a read_committed client does."""

    def watermarks(self, partitions: Sequence[int]) -> Mapping[int, tuple[int, int]]:
        with self._cluster.lock:
            logs = {partition: self._topic().log(partition) for partition in partitions}
            return {partition: (log.start, log.stable_end) for partition, log in logs.items()}


class ImpatientStream(ScriptedStream):
    """Ignores that an open transaction may still change the committed offset."""

    def seek_to_committed(self, partitions: Sequence[int]) -> Mapping[int, Committed | None]:
        for partition in partitions:
            self._membership.positions[partition] = self._membership.group()._committed.get(partition, 0)
        return {partition: Committed(self._membership.positions[partition], is_own=False) for partition in partitions}


class CarelessLoop(Loop):
    """Continues with its state after an unknown outcome."""

    def _reread_from_committed(self) -> None:
        self._consumer.seek_to_committed(list(self._assignment.live))
        self._pending = None


class BoastfulLoop(Loop):
    """Counts a batch before it is committed."""

    def _abort_and_retry(self, error: TransactionAborted) -> None:
        batch: Batch | None = self._pending
        if batch is not None:
            self._observer.committed(batch)
        super()._abort_and_retry(error)


def caught(build: Build, script: Callable[[int], Script]) -> list[int]:
    """Return the commits at which the scripted failure makes the bug visible."""
    commits = [index for index, name in enumerate(calls_of()) if name == "consumer.commit_transaction"]
    found = []
    for index in commits:
        run = Run(build=build)
        try:
            run.go(script(index))
            require_exact(run.story, run.disk)
            require_all_counted(run.story, run.counts)
        except (AssertionError, Contradictory):
            found.append(index)
    return found


def nothing(_index: int) -> Script:
    return Script()


def refused(index: int) -> Script:
    return Script({index: Happening(before=raising(TransactionAborted("refused")))})


def unheard(index: int) -> Script:
    return Script({index: Happening(after=raising(OutcomeUnknown("silence")))})


@pytest.mark.parametrize(
    ("build", "script"),
    [
        pytest.param(Build(stream=ForgetfulStream), nothing, id="an update is lost"),
        pytest.param(Build(stream=RepeatingStream), nothing, id="an update is written twice"),
        pytest.param(Build(stream=HastyStream), refused, id="offsets are committed outside the transaction"),
        pytest.param(Build(loop=CarelessLoop), unheard, id="state is not restored after an unknown outcome"),
        pytest.param(Build(loop=BoastfulLoop), refused, id="a batch is counted before it is committed"),
    ],
)
def test_a_planted_bug_is_caught(build: Build, script: Callable[[int], Script]) -> None:
    assert caught(build, script)


def test_without_a_bug_nothing_is_caught() -> None:
    for script in (nothing, refused, unheard):
        assert caught(Build(), script) == []


def test_restore_to_last_stable_offset_is_caught() -> None:
    assert doubled_after_a_late_commit(Build()) == 0
    with pytest.raises(Contradictory, match="the changelog is empty"):
        doubled_after_a_late_commit(Build(reader=ShortSightedReader, stream=ImpatientStream))


@pytest.mark.parametrize("build", [Build(reader=ShortSightedReader), Build(stream=ImpatientStream)])
def test_checkpoint_makes_up_for_an_impatient_reader(build: Build) -> None:
    assert doubled_after_a_late_commit(build) == 0


def doubled_after_a_late_commit(build: Build) -> int:
    """Commit late, while the next owner restores the partition; return the number of doubled updates."""
    environment = FakeEnvironment(partitions=1)

    class LateStream(ScriptedStream):
        """Dies after it has asked for the commit, which takes effect two seconds later."""

        def commit_transaction(self, offsets: Mapping[int, int]) -> Mapping[int, int]:
            transactions, producer = self._cluster.transactions, self._producer._require_transaction()
            transactions.add_offsets(producer, self._membership.group(), offsets)
            environment.clock.at(2.0, lambda: transactions.commit(producer))
            raise Crash

    environment.define(a_link(an_action()))
    environment.click(*(a_click(number, recipient_id=f"r-{number}") for number in range(5)))
    with pytest.raises(Crash):
        Worker(environment, ScriptedState(), name="late", build=Build(stream=LateStream)).run()
    environment.expire_all_members()
    environment.click(*(a_click(100 + number, recipient_id=f"r-{number}") for number in range(5)))
    Worker(environment, ScriptedState(), linger_seconds=0.1, build=build).run()
    return len(compare_updates(environment, expected_model(environment, set())).doubled)
