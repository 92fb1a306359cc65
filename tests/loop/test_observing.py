"""Metrics of a working loop: duration of stages, lag, outcome of transactions."""

import re
from collections import Counter
from functools import partial

from prometheus_client import CollectorRegistry, generate_latest

from consumer.loop.observer import Observer
from consumer.monitoring.metric_catalogue import Stage
from consumer.monitoring.metrics import Metrics
from runtime.monitoring.health import Health
from runtime.monitoring.version import versions
from runtime.ports import AssignmentChange, OutcomeUnknown, TransactionAborted
from runtime.stream.observer import TransactionResult
from tests.builders import a_click, a_link, an_action
from tests.loop.fake_environment import KINDS, FakeEnvironment, Worker
from tests.loop.script import Happening, Script
from tests.loop.scripted_ports import ScriptedState
from tests.turned_clock import TurnedClock

CLICKS = 30


def environment_with_links(partitions: int = 1) -> FakeEnvironment:
    environment = FakeEnvironment(partitions)
    environment.define(a_link(an_action()))
    environment.click(*(a_click(number, recipient_id=f"r-{number}") for number in range(CLICKS)))
    return environment


def slow(environment: FakeEnvironment, **seconds: float) -> Script:
    """Return a script that delays these calls; `consumer_commit_transaction` is that of the consumer."""
    script = Script()
    for name, duration in seconds.items():
        script.at_every_too(name.replace("_", ".", 1), Happening(before=partial(environment.clock.sleep, duration)))
    return script


def test_duration_of_each_stage() -> None:
    environment = environment_with_links()
    script = slow(
        environment, consumer_consume=2.0, consumer_produce_batch=3.0, consumer_commit_transaction=5.0, store_write=7.0
    )
    worker = Worker(environment, ScriptedState(), script=script)
    worker.run()

    produced = 3.0 * script.calls.count("consumer.produce_batch")
    gathered, handled = ({stage: round(took, 3) for stage, took in each.items()} for each in worker.observer.staged)
    assert gathered == {Stage.GATHER: 4.0}
    assert handled == {Stage.DECIDE: 0.0, Stage.PRODUCE: produced, Stage.COMMIT: 5.0, Stage.STORE: 7.0}


def test_linger_is_half_of_the_last_batch() -> None:
    environment = environment_with_links()
    worker = Worker(
        environment,
        ScriptedState(),
        script=slow(environment, consumer_commit_transaction=4.0),
        linger_seconds=60.0,
        drain=False,
    )
    late = iter([a_click(1_000, recipient_id="late")])

    def is_done() -> bool:
        """Have one more click come once the first ones are committed."""
        if worker.observer.batches:
            environment.click(*late)
        return len(worker.observer.batches) == 2

    worker.run(is_done)
    seconds = [each[Stage.GATHER] for each in worker.observer.staged if Stage.GATHER in each]
    assert seconds[0] < 0.1
    assert 2.0 <= seconds[1] < 2.2


def test_lag_after_each_batch_and_when_idle() -> None:
    environment = environment_with_links()
    worker = Worker(environment, ScriptedState(), max_poll_records=9)
    worker.run()

    lags = [lag[0] for lag in worker.observer.lags if lag]
    assert lags[-3:] == [20, 10, 0]
    assert lags == sorted(lags, reverse=True)


def test_each_transaction_is_counted_once() -> None:
    environment = environment_with_links()
    failures = iter([TransactionAborted("refused"), OutcomeUnknown("silence")])

    def fail() -> None:
        """Fail with the transaction of a batch, not with one that notes something."""
        since_begin = script.calls[::-1].index("consumer.begin_transaction")
        error = next(failures, None) if "consumer.produce_batch" in script.calls[-since_begin:] else None
        if error is not None:
            raise error

    script = Script.at_every("consumer.commit_transaction", Happening(before=fail))
    worker = Worker(environment, ScriptedState(), script=script)
    worker.run()

    assert Counter(worker.observer.transactions) == {
        TransactionResult.ABORTED: 1,
        TransactionResult.UNKNOWN: 1,
    }
    # What was too much for the broker once comes again in halves.
    assert [batch.size for batch in worker.observer.batches] == [CLICKS // 2] * 2


def test_lag_of_revoked_partition_is_kept_until_reassigned() -> None:
    registry, clock = CollectorRegistry(), TurnedClock()
    metrics = Metrics(registry, kinds=KINDS, versions=versions())
    observer = Observer(metrics, Health(clock.monotonic), clock)
    observer.assigned(AssignmentChange(assigned=frozenset({0, 1})), [0, 1], {})
    observer.lag({0: 5, 1: 7})
    observer.assigned(AssignmentChange(revoked=frozenset({1})), [0], {})

    def shown() -> list[str]:
        text = generate_latest(registry).decode()
        return re.findall(r'^link_actions_\w*lag\w*\{partition="(\d)"\}', text, re.MULTILINE)

    observer.joined(is_member=False)
    assert shown() == ["0", "1"]
    observer.joined(is_member=True)
    assert shown() == ["0"]
