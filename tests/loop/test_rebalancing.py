"""Other members join and leave at any call; each click is processed once."""

from dataclasses import dataclass

import pytest

from runtime.fake_kafka.transactional_consumer import FakeTransactionalConsumer
from runtime.ports import OutcomeUnknown, RetriableError
from tests.builders import a_click, a_link, an_action
from tests.loop.expectations import compare_updates, dead_letters, expected_model, require_all_counted, require_exact
from tests.loop.failures import Run, at_call, calls_of
from tests.loop.fake_environment import GROUP, FakeEnvironment, Worker
from tests.loop.scenario import MAX_POLL_RECORDS
from tests.loop.script import Happening, Script, raising
from tests.loop.scripted_ports import ScriptedState


def test_partition_lost_and_assigned_again_repeats_nothing() -> None:
    """Both may happen during one poll; records polled before are read again."""
    _, worker = run_for_seconds(3.0, FakeEnvironment(partitions=1), Script())
    calls = worker.script.calls
    for index in (index for index, name in enumerate(calls) if name == "consumer.consume"):
        with at_call(index, calls):
            environment = FakeEnvironment(partitions=1)
            run_for_seconds(3.0, environment, Script({index: Happening(after=environment.expire_all_members)}))
            assert compare_updates(environment, expected_model(environment, {(0, 5)})).is_exact
            assert len(dead_letters(environment)) == 1


def run_for_seconds(seconds: float, environment: FakeEnvironment, script: Script) -> tuple[FakeEnvironment, Worker]:
    environment.define(a_link(an_action()))
    environment.click(*(a_click(number, recipient_id=f"r-{number}") for number in range(5)))
    environment.put(b"bad", partition=0)
    worker = Worker(environment, ScriptedState(), script=script, linger_seconds=0.5, drain=False)
    worker.run(lambda: environment.clock.monotonic() > seconds)
    return environment, worker


def test_idle_member_that_joins_and_leaves_changes_nothing() -> None:
    calls = calls_of()
    for index in range(len(calls)):
        with at_call(index, calls):
            run = Run()
            guest = Guest(run.environment)
            happenings = {index: guest.come, index + 8: guest.turn, index + 16: guest.turn, index + 24: guest.go}
            run.go(Script({at: Happening(before=act) for at, act in happenings.items()}))
            require_exact(run.story, run.disk)
            require_all_counted(run.story, run.counts)


def test_batch_counts_if_some_of_its_partitions_were_revoked() -> None:
    calls = calls_of()
    first = calls.index("consumer.commit_transaction")
    run = Run()
    guest = Guest(run.environment)

    def answer_nothing_while_somebody_comes() -> None:
        guest.come()
        raise RetriableError("silence")

    happenings = {
        first: Happening(after=raising(OutcomeUnknown("silence"))),
        first + 1: Happening(before=answer_nothing_while_somebody_comes),
        first + 30: Happening(before=guest.go),
    }
    run.go(Script(happenings))
    require_exact(run.story, run.disk)
    require_all_counted(run.story, run.counts)


@dataclass
class Guest:
    """A member that holds its partitions and processes nothing."""

    environment: FakeEnvironment
    stream: FakeTransactionalConsumer | None = None

    def come(self) -> None:
        topic = self.environment.names.clicks
        self.stream = FakeTransactionalConsumer(
            self.environment.cluster, topic, group_id=GROUP, transactional_id="guest"
        )

    def turn(self) -> None:
        if self.stream is not None:
            self.stream.consume(1, 0)

    def go(self) -> None:
        if self.stream is not None:
            self.stream.close()


@pytest.mark.parametrize("parity", [0, 1])
def test_stalled_worker_repeats_nothing(parity: int) -> None:
    """Its session and transaction expire, and another worker processes all the rest or some of it."""
    calls = calls_of()
    for index in range(parity, len(calls), 2):
        with at_call(index, calls):
            run, disk = Run(), ScriptedState()

            def take_over(run: Run = run, disk: ScriptedState = disk) -> None:
                own_script = run.disk.script
                run.environment.expire_all_members()
                run.environment.expire_transactions()
                other = Worker(run.environment, disk, name="other", max_poll_records=MAX_POLL_RECORDS)
                if parity:
                    other.run_batches(3)
                else:
                    other.run()
                run.counts += other.counts
                run.disk.script = own_script

            run.go(Script({index: Happening(before=take_over)}))
            require_exact(run.story, run.disk, disk)
            require_all_counted(run.story, run.counts)
