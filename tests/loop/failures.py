"""Failures of port calls, and runs with such failures."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from consumer.decision.outcome import BatchCounts
from runtime.errors import FatalKafkaError
from runtime.ports import OutcomeUnknown, RetriableError, StateRefused, TransactionAborted
from tests.loop.fake_environment import Build, FakeEnvironment, Worker
from tests.loop.scenario import MAX_POLL_RECORDS, Story, tell
from tests.loop.script import Crash, Happening, Script, raising
from tests.loop.scripted_ports import ScriptedState

PRODUCING = ("consumer.produce", "consumer.produce_batch", "consumer.produce_tracked")
DECIDING = (
    *PRODUCING,
    "consumer.begin_transaction",
    "consumer.commit_transaction",
    "consumer.reinit_producer",
    "consumer.abort_transaction",
)
ASKING = (
    "consumer.seek_to_committed",
    "consumer.end_offsets",
    "consumer.committed",
    "consumer.group_lag",
    "reader.topic_id",
    "reader.watermarks",
)


@dataclass(frozen=True)
class Failure:
    """A failure and the calls at which it can happen."""

    happening: Happening
    calls: Collection[str]


SURVIVED: Mapping[str, Failure] = {
    "a record is refused": Failure(Happening(before=raising(TransactionAborted("refused"))), PRODUCING),
    "a record is refused though it was written": Failure(
        Happening(after=raising(TransactionAborted("refused"))), PRODUCING
    ),
    "a commit is refused": Failure(
        Happening(before=raising(TransactionAborted("refused"))), ("consumer.commit_transaction",)
    ),
    "unknown outcome, not done": Failure(Happening(before=raising(OutcomeUnknown("silence"))), DECIDING),
    "unknown outcome, done": Failure(Happening(after=raising(OutcomeUnknown("silence"))), DECIDING),
    "a request is lost": Failure(Happening(before=raising(RetriableError("silence"))), ASKING),
    "an answer is lost": Failure(Happening(after=raising(RetriableError("silence"))), ASKING),
    "the disk is full": Failure(Happening(before=raising(StateRefused("disk full"))), ("store.write",)),
}
"""Failures that the process survives."""


@dataclass
class Run:
    """The story from beginning to end, by as many workers as it takes."""

    begun: int = 0
    """Batches that an earlier worker has processed, so that there is state to restore."""
    build: Build = field(default_factory=Build)
    environment: FakeEnvironment = field(default_factory=FakeEnvironment)
    disk: ScriptedState = field(default_factory=ScriptedState)
    counts: BatchCounts = field(default_factory=BatchCounts)

    def __post_init__(self) -> None:
        self.story: Story = tell(self.environment)
        if self.begun:
            earlier = Worker(self.environment, ScriptedState(), name="earlier", max_poll_records=MAX_POLL_RECORDS)
            earlier.run_batches(self.begun)
            self.counts += earlier.counts

    def go(self, script: Script | None = None) -> None:
        """Let workers run, the first with the script, each next one when the last has ended before its time."""
        for _ in range(3):
            if self._ends_well(script or Script()):
                return
            self.environment.expire_all_members()
            script = None
        raise AssertionError("three workers one after the other have ended before their time")

    def _ends_well(self, script: Script) -> bool:
        try:
            worker = Worker(
                self.environment, self.disk, script=script, max_poll_records=MAX_POLL_RECORDS, build=self.build
            )
        except (Crash, RetriableError):
            return False
        try:
            worker.run()
        except (Crash, FatalKafkaError):
            return False
        finally:
            self.counts += worker.counts
        return True


def calls_of(begun: int = 0, script: Script | None = None) -> list[str]:
    """Return the calls of the worker under test, which are always the same up to what the script has happen.

    Where there is something to restore, only those until the first batch is done: after that nothing is new.
    """
    run, script = Run(begun), script or Script()
    run.go(script)
    return script.calls[: script.calls.index("consumer.commit_transaction") + 6] if begun else script.calls


@contextmanager
def at_call(index: int, calls: list[str]) -> Iterator[None]:
    """Add to an error the call at which the failure was injected."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"at call {index}, {calls[index]}, after {', '.join(calls[max(index - 6, 0) : index])}")
        raise
