"""Metrics and readiness while partitions are assigned, restored and revoked."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from consumer.loop.observer import Observer, StageTimer
from consumer.monitoring.metric_catalogue import Stage
from runtime.fake_kafka.transactional_consumer import FakeTransactionalConsumer
from runtime.ports import AssignmentChange, RetriableError
from tests.builders import a_click, a_link, an_action
from tests.loop.fake_environment import GROUP, FakeEnvironment, Worker
from tests.loop.script import Happening, Script
from tests.loop.scripted_ports import ScriptedState
from tests.loop.test_loop_at_the_edges import environment_with_links, readiness


def series(observer: Observer, name: str) -> dict[str, float]:
    """Return the values of a metric by partition."""
    return {
        sample.labels.get("partition", ""): sample.value
        for family in text_string_to_metric_families(observer._metrics.exposition().decode())
        for sample in family.samples
        if sample.name == f"link_actions_{name}"
    }


def given(observer: Observer, *partitions: int) -> None:
    observer.assigned(AssignmentChange(assigned=frozenset(partitions)), partitions, dict.fromkeys(partitions, 0))
    observer.joined(is_member=True)


@pytest.fixture
def observer() -> Observer:
    return Worker(FakeEnvironment(), ScriptedState()).observer


def test_remaining_ends_at_zero_despite_a_commit_marker(observer: Observer) -> None:
    given(observer, 0, 1)
    observer.restored({0: 5}, {0: 1, 1: 7})
    assert series(observer, "restore_remaining_records") == {"0": 1, "1": 7}
    observer.restored({}, {1: 7})
    assert series(observer, "restore_remaining_records") == {"0": 0, "1": 7}
    observer.restored({}, {})
    assert series(observer, "restore_remaining_records") == {"0": 0, "1": 0}


def test_series_of_revoked_partition_are_dropped(observer: Observer) -> None:
    given(observer, 0, 1)
    observer.lag({0: 3, 1: 4})
    observer.assigned(AssignmentChange(revoked=frozenset({1})), [0], {0: 0})
    observer.joined(is_member=True)
    assert series(observer, "lag_records") == {"0": 3}
    assert series(observer, "restore_remaining_records") == {"0": 0}


def test_series_are_kept_while_the_session_is_expired(observer: Observer) -> None:
    given(observer, 0, 1)
    observer.lag({0: 3, 1: 4})
    observer.assigned(AssignmentChange(revoked=frozenset({0, 1})), [], {})
    observer.joined(is_member=False)
    assert series(observer, "lag_records") == {"0": 3, "1": 4}
    given(observer, 1)
    assert series(observer, "lag_records") == {"1": 4}


def test_idle_worker_reports_zero_lag() -> None:
    environment = FakeEnvironment(partitions=3)
    worker = Worker(environment, ScriptedState(), linger_seconds=0.1, drain=False)
    worker.run(lambda: environment.clock.monotonic() > 1)
    assert series(worker.observer, "lag_records") == {"0": 0, "1": 0, "2": 0}


def test_lag_of_restoring_partition_grows() -> None:
    environment = FakeEnvironment(partitions=1)
    environment.leave_open(environment.names.changelog, 0, b"key", b"value")
    worker = Worker(environment, ScriptedState(), linger_seconds=0.1, drain=False)
    environment.clock.at(1, lambda: environment.click(*(a_click(number) for number in range(7))))
    worker.run(lambda: environment.clock.monotonic() > 10)
    assert readiness(worker).restoring
    assert series(worker.observer, "lag_records") == {"0": 7}


def test_full_disk_shows_in_lag_progress_and_readiness() -> None:
    environment = environment_with_links(partitions=1)
    started = environment.clock.now_ms() / 1000

    def fill() -> None:
        if environment.clock.monotonic() > 3:
            raise RetriableError("disk full")

    script = Script.at_every("store.write", Happening(before=fill))
    worker = Worker(environment, ScriptedState(), script=script, linger_seconds=0.1, drain=False)
    environment.clock.at(5, lambda: environment.click(*(a_click(number) for number in range(100, 105))))
    environment.clock.at(12, lambda: environment.click(*(a_click(number) for number in range(200, 206))))
    worker.run(lambda: environment.clock.monotonic() > 30)
    (lag,) = series(worker.observer, "lag_records").values()
    (progress,) = series(worker.observer, "last_progress_timestamp_seconds").values()
    assert lag == 6
    assert progress - started < 6
    assert not readiness(worker).ready
    assert readiness(worker).interrupted == "disk full"


def test_idle_worker_progresses_while_broker_answers() -> None:
    environment = environment_with_links()
    worker = Worker(environment, ScriptedState(), linger_seconds=0.1, drain=False)
    worker.run(lambda: environment.clock.monotonic() > 100)
    (progress,) = series(worker.observer, "last_progress_timestamp_seconds").values()
    assert environment.clock.now_ms() / 1000 - progress < 10


def test_idle_worker_without_broker_is_not_ready() -> None:
    environment = FakeEnvironment(partitions=1)
    started = environment.clock.now_ms() / 1000

    def freeze() -> None:
        if environment.clock.monotonic() > 10:
            raise RetriableError("no answer")

    script = Script.at_every("consumer.group_lag", Happening(before=freeze))
    worker = Worker(environment, ScriptedState(), script=script, linger_seconds=0.1, drain=False)
    worker.run(lambda: environment.clock.monotonic() > 40)
    (progress,) = series(worker.observer, "last_progress_timestamp_seconds").values()
    assert 5 < progress - started <= 10
    assert series(worker.observer, "lag_records") == {"0": 0}
    assert not readiness(worker).ready
    assert (readiness(worker).seconds_since_broker or 0) > 20


def test_definitions_read_at_start_are_counted() -> None:
    environment = environment_with_links()
    environment.define(a_link(an_action(), link_id="another"), a_link(an_action(), link_id="another", version=2))
    worker = Worker(environment, ScriptedState())
    worker.run()
    assert series(worker.observer, "definitions_read_total") == {"": 3}


def test_worker_without_partitions_becomes_ready() -> None:
    environment = FakeEnvironment(partitions=1)
    other = FakeTransactionalConsumer(
        environment.cluster, environment.names.clicks, group_id=GROUP, transactional_id="other"
    )
    other.consume(1, 0)
    worker = Worker(environment, ScriptedState(), linger_seconds=0.1, drain=False)
    seen: list[tuple[float, bool]] = []

    def look() -> bool:
        other.consume(1, 0)
        seen.append((environment.clock.monotonic(), readiness(worker).ready))
        return environment.clock.monotonic() > 20

    worker.run(look)
    assert readiness(worker).assigned == ()
    assert not any(ready for seconds, ready in seen if seconds < 10)
    assert seen[-1][1]


def test_a_timer_knows_the_duration_of_the_stages_that_ended() -> None:
    times = iter([100.0, 101.0, 103.0])
    timer = StageTimer(lambda: next(times))
    assert timer.seconds == 0
    timer.end(Stage.DECIDE)
    timer.end(Stage.PRODUCE)

    assert timer.seconds == 3
    assert timer.stages == {Stage.DECIDE: 1, Stage.PRODUCE: 2}
