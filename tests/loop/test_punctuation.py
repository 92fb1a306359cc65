"""The loop acts on time: a client's records and state are committed exactly once, with clicks or without."""

from dataclasses import dataclass

import pytest

from consumer.loop.punctuation import Punctuation
from runtime.ports import OutcomeUnknown, ProducerRecord, TransactionAborted
from runtime.state.store import PartitionStore
from tests.builders import a_click, a_link, an_action
from tests.loop.expectations import compare_updates, expected_model, require_state_as_changelog
from tests.loop.fake_environment import FakeEnvironment, Worker
from tests.loop.script import Crash, Happening, Script, raising
from tests.loop.scripted_ports import ScriptedState

TOPIC = "ticks"
PERIOD_MS = 1_000
LAST_TICK = b"\x00last-tick"
SECONDS = 3.5


@dataclass(frozen=True)
class Ticker:
    """Writes one record per partition and second; it keeps nothing but the store."""

    def punctuate(self, partition: int, store: PartitionStore, now_ms: int) -> Punctuation | None:
        tick = now_ms // PERIOD_MS
        (last,) = store.get_many([LAST_TICK])
        if last is not None and int(last) >= tick:
            return None
        number = str(tick).encode()
        return Punctuation([ProducerRecord(TOPIC, partition, None, number)], {LAST_TICK: number})


def environment_with_ticks(partitions: int = 2) -> FakeEnvironment:
    environment = FakeEnvironment(partitions)
    environment.cluster.create_topic(TOPIC, partitions)
    environment.define(a_link(an_action()))
    environment.click(*(a_click(number, recipient_id=f"r-{number}") for number in range(10)))
    return environment


def run(environment: FakeEnvironment, disk: ScriptedState, script: Script | None = None) -> Worker:
    worker = Worker(
        environment, disk, script=script, linger_seconds=0.1, drain=False, punctuator=Ticker(), max_poll_records=3
    )
    until = environment.clock.monotonic() + SECONDS
    worker.run(lambda: environment.clock.monotonic() > until)
    return worker


def require_each_tick_once(environment: FakeEnvironment) -> None:
    for partition in range(environment.partitions):
        ticks = [int(each.value() or 0) for each in environment.read(TOPIC) if each.partition() == partition]
        assert len(ticks) >= int(SECONDS)
        assert ticks == sorted(set(ticks))


def test_records_are_written_once_per_period_beside_clicks() -> None:
    environment, disk = environment_with_ticks(), ScriptedState()
    run(environment, disk)
    require_each_tick_once(environment)
    assert compare_updates(environment, expected_model(environment, set())).is_exact
    require_state_as_changelog(environment, disk)


@pytest.mark.parametrize(
    "failure",
    [
        Happening(before=raising(TransactionAborted("refused"))),
        Happening(before=raising(OutcomeUnknown("silence"))),
        Happening(after=raising(OutcomeUnknown("silence"))),
        Happening(before=raising(Crash())),
        Happening(after=raising(Crash())),
    ],
    ids=["aborted", "unknown, not committed", "unknown, committed", "crash before", "crash after"],
)
def test_records_are_written_once_despite_a_failed_commit(failure: Happening) -> None:
    """A failure at each commit in turn, those without clicks included."""
    calls = run(environment_with_ticks(), ScriptedState()).script.calls
    for index in (index for index, name in enumerate(calls) if name == "consumer.commit_transaction"):
        environment, disk = environment_with_ticks(), ScriptedState()
        try:
            run(environment, disk, Script({index: failure}))
        except Crash:
            environment.expire_all_members()
        run(environment, disk)
        require_each_tick_once(environment)
        require_state_as_changelog(environment, disk)


def test_nothing_due_opens_no_transaction() -> None:
    class Idle:
        def punctuate(self, partition: int, store: PartitionStore, now_ms: int) -> None: ...

    environment = FakeEnvironment()
    begun = []
    for punctuator in (None, Idle()):
        worker = Worker(environment, ScriptedState(), linger_seconds=0.1, drain=False, punctuator=punctuator)
        until = environment.clock.monotonic() + 1.0
        worker.run(lambda until=until: environment.clock.monotonic() > until)  # type: ignore[misc]
        begun.append(worker.script.calls.count("consumer.begin_transaction"))
    assert begun == [begun[0]] * 2
